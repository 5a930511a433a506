"""Source mapping files: read as they are meant, and every fault at its file, line and field."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from connector.config.sources import load_source
from connector.config.stages import load_stages
from connector.errors import Fault
from connector.rules.mapping import SourceMapping

MAPPINGS = Path(__file__).parents[2] / "mappings"
SMALL = """
[source]
adapter = "standard"
[verify]
scheme = "timestamped"
header = "X-Signature"
tolerance = "3m"
[event]
name = "body.type"
[subject]
user_id = "body.user"
[[events]]
name = "Order Completed"
signal = "order_completed"
"""


def load(tmp_path: Path, content: str, stages: tuple[str, ...] | None = None) -> list[str]:
    path = tmp_path / "site.toml"
    path.write_text(content, "utf-8")
    faults: list[Fault] = []
    load_source(path, faults, stages)
    assert all(fault.file == str(path) for fault in faults)
    return [f"{fault.line} {fault.field}: {fault.message} — {fault.remedy}" for fault in faults]


SHIPPED = sorted(path.stem for path in (MAPPINGS / "sources").glob("*.toml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_files_have_no_fault(name: str) -> None:
    faults: list[Fault] = []
    stages = load_stages(MAPPINGS / "stages.toml", faults)
    mapping = load_source(MAPPINGS / "sources" / f"{name}.toml", faults, stages.order)
    assert faults == []
    assert mapping.name == name
    assert (mapping.verify is None) == (name in ("segment", "posthog_capture", "form"))
    assert mapping.description


def test_a_small_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SMALL, "utf-8")
    faults: list[Fault] = []
    mapping = load_source(path, faults)
    assert faults == []
    assert mapping.verify is not None
    assert mapping.verify.scheme == "timestamped"
    assert mapping.verify.tolerance == timedelta(minutes=3)
    assert set(mapping.by_name) == {"order_completed"}
    assert len(mapping.version) == 12


def test_every_fault_of_a_file_stands_at_its_line(tmp_path: Path) -> None:
    content = """
[source]
adapter = "standard"
adaptor = "x"
[verify]
scheme = "hmac"
algorithm = "md5"
[event]
name = "body.type"
id = "body.id +"
[subject]
user_id = "boddy.user"
name = "body.name"
[traits]
age = 5
[[events]]
signal = "Order Completed"
[[events]]
name = "x"
signal = "x"
stage = "custmer"
when = "body.a ** 2"
[events.facts]
key = "body.a"
value = "body.total | mony"
sensitive = ["illness"]
[[events.consents]]
purpose = "marketing"
"""
    faults = load(tmp_path, content, ("lead", "customer"))
    found = sorted((fault.partition(" — ")[0] for fault in faults), key=_line)
    assert found == [
        "4 source.adaptor: is not known here",
        "5 verify.header: is missing",
        "7 verify.algorithm: is 'md5'",
        "10 event.id: cannot be understood: column 9: unexpected 'end'",
        "12 subject.user_id: reads boddy.user, which no event has",
        "13 subject.name: is not known here",
        "15 traits.age: is 5, not a text in quotes",
        "16 events[0].name: is missing",
        "17 events[0].signal: is 'Order Completed'",
        "21 events[1].stage: is 'custmer'",
        "22 events[1].when: cannot be understood: column 1: ** is not offered",
        "24 events[1].facts.key: is what every signal has already",
        "25 events[1].facts.value: cannot be understood: column 14: there is no filter 'mony'; "
        "did you mean 'money'?",
        "26 events[1].facts.sensitive: holds 'illness'",
        "27 events[1].consents[0].method: is missing",
        "27 events[1].consents[0].granted: is missing",
    ]


def _line(fault: str) -> int:
    return int(fault.partition(" ")[0])


def test_each_adapter_wants_its_own_tables(tmp_path: Path) -> None:
    assert load(tmp_path, SMALL.replace("[verify]", "[verified]"))[0].startswith("1 verify: is mis")
    both = SMALL.replace('"standard"', '"segment"')
    faults = load(tmp_path, both)
    assert any(" event: is of no use here" in fault for fault in faults)


def test_a_body_is_not_kept_with_each_of_its_events(tmp_path: Path) -> None:
    listed = SMALL.replace('name = "body.type"', 'name = "item.type"\nfor_each = "body.events"')
    faults = load(tmp_path, listed)
    assert faults == ["12 subject.user_id: reads body.user, which no event has — there is headers, "
                      "item, name, source"]  # fmt: skip


def test_a_file_that_is_not_toml_is_one_fault(tmp_path: Path) -> None:
    assert len(load(tmp_path, "[source")) == 1


@pytest.mark.parametrize("method", ["reply", "double_opt_in", "provider"])
def test_a_source_cannot_say_what_only_the_number_itself_can(tmp_path: Path, method: str) -> None:
    consent = f'[[events.consents]]\npurpose = "marketing"\ngranted = "true"\nmethod = "{method}"\n'
    [fault] = load(tmp_path, SMALL + consent)
    assert "method" in fault
    assert "lifts a STOP" in fault


def test_what_another_tool_sent_is_no_act_of_the_person(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    table = '[[events]]\nname = "Email Sent"\nsignal = "mailed"\ncontact_made = "email"\n'
    path.write_text(SMALL + table, "utf-8")
    faults: list[Fault] = []
    [rule] = load_source(path, faults).by_name["email_sent"]
    assert faults == []
    assert (rule.contact_made, rule.contact_purpose, rule.activity) == ("email", "marketing", False)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('contact_made = "mail"', "contact_made: is 'mail'"),
        ('contact_made = "email"\nactivity = true', "activity: is true of what another tool sent"),
        ('contact_purpose = "service"', "contact_purpose: is of no use here"),
        ('contact_made = "email"\ncontact_purpose = "both"', "contact_purpose: is 'both'"),
    ],
)
def test_what_another_tool_sent_is_said_whole_or_is_a_fault(
    tmp_path: Path, line: str, says: str
) -> None:
    content = f'{SMALL}[[events]]\nname = "Email Sent"\nsignal = "mailed"\n{line}\n'
    [fault] = load(tmp_path, content)
    assert says in fault


WEBHOOK = """
[source]
adapter = "segment"
same_as = "tracked"
[verify]
scheme = "header"
header = "X-Connector-Key"
"""
TRACKED = """
[source]
adapter = "segment"
[subject]
user_id = "userId"
[[events]]
name = "Order Completed"
signal = "order_completed"
"""


def beside(tmp_path: Path, tracked: str, webhook: str) -> tuple[SourceMapping, list[str]]:
    (tmp_path / "tracked.toml").write_text(tracked, "utf-8")
    (tmp_path / "webhook.toml").write_text(webhook, "utf-8")
    faults: list[Fault] = []
    mapping = load_source(tmp_path / "webhook.toml", faults)
    return mapping, [f"{fault.field}: {fault.message} — {fault.remedy}" for fault in faults]


def test_a_file_may_mean_the_same_as_another_one(tmp_path: Path) -> None:
    mapping, faults = beside(tmp_path, TRACKED, WEBHOOK)
    assert faults == []
    assert [rule.signal for rule in mapping.events] == ["order_completed"]
    assert mapping.verify is not None
    assert mapping.same_as == "tracked"
    other, _ = beside(tmp_path, TRACKED + 'stage = "customer"\n', WEBHOOK)
    assert other.version != mapping.version  # what it means has changed, if not its own file


def test_a_file_that_means_the_same_has_nothing_of_its_own(tmp_path: Path) -> None:
    own = '[subject]\nuser_id = "anonymousId"\n'
    _, [fault] = beside(tmp_path, TRACKED, WEBHOOK + own)
    assert fault == "subject: is of no use here — write it in tracked.toml, or take same_as away"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"tracked"', '"trackd"', "source.same_as: needs trackd.toml beside this file"),
        ('"tracked"', '"webhook"', "source.same_as: needs webhook.toml beside this file"),
        ('"segment"', '"standard"', "source.same_as: reads tracked.toml, which is of another kind"),
    ],
)
def test_what_a_file_means_the_same_as_must_fit(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    _, faults = beside(tmp_path, TRACKED, WEBHOOK.replace(old, new))
    assert any(fault.startswith(told) for fault in faults), faults


def test_two_files_cannot_mean_each_other(tmp_path: Path) -> None:
    round_about = '[source]\nadapter = "segment"\nsame_as = "webhook"\n'
    _, faults = beside(tmp_path, round_about, WEBHOOK)
    assert any("leads on to webhook.toml" in fault for fault in faults)


def test_the_faults_of_a_file_are_told_of_it_alone(tmp_path: Path) -> None:
    _, faults = beside(tmp_path, TRACKED.replace("userId", "userld"), WEBHOOK)
    assert faults == []
    faults_of_it: list[Fault] = []
    load_source(tmp_path / "tracked.toml", faults_of_it)
    assert len(faults_of_it) == 1


PRIVACY = '[[events]]\nname = "customers/redact"\nprivacy = "forget"\n'


def test_a_right_that_an_event_asks_for_starts_nothing_and_tells_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, SMALL + PRIVACY) == []
    for more in ('signal = "gone"', 'stage = "lead"', '[events.facts]\ntotal = "body.total"'):
        [fault] = load(tmp_path, SMALL + PRIVACY + more)
        assert "privacy: starts nothing and tells nothing" in fault
    [fault] = load(tmp_path, SMALL + PRIVACY.replace('"forget"', '"erase"'))
    assert "forget, export, forget_all" in fault
