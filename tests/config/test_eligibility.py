"""``[numbers]`` and ``[facts]`` of the policy, regulated content, and the shipped rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector import starters
from connector.config import crms, segments
from connector.config.eligibility import Around
from connector.config.loaded import Loaded, load
from connector.config.policy import load as load_policy
from connector.config.supply import Supply
from connector.config.toml import Table
from connector.errors import BadConfig, Fault
from connector.model import Contact, Purpose, Verdict
from connector.rules.ages import Ages, NumberChecks, old_facts, spelt, unchecked_number
from connector.rules.history import Segments, Told
from connector.rules.hours import Hours
from connector.rules.policy import Facts, Policy, Rulebook
from connector.rules.policy.suppression import suppressed
from tests.config.shelf import read, told
from tests.running import folder

NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SUPPLY = Supply(crm=frozenset({"has_open_case", "owner"}))


def policy(
    place: Path, text: str, around: Around | None = None
) -> tuple[Policy, list[tuple[int, str, str]]]:
    path = place / "policy.toml"
    path.write_text(text)
    faults: list[Fault] = []
    found = load_policy(path, SUPPLY, (), faults, {}, around or Around())
    return found, [(fault.line, fault.field, fault.message) for fault in faults]


# -- numbers -----------------------------------------------------------------------------------


def test_nothing_is_looked_up_and_no_number_of_the_internet_texted_unless_said(
    tmp_path: Path,
) -> None:
    found, faults = policy(tmp_path, "")
    assert (found.numbers, faults) == (NumberChecks(), [])
    assert found.numbers.check_every is None
    assert not found.numbers.voip


def test_how_numbers_are_checked_is_read(tmp_path: Path) -> None:
    text = '[numbers]\nvoip = "allow"\ncheck_every = "90d"\ncheck_at_most = 50\ncheck_owner = true'
    found, faults = policy(tmp_path, text)
    assert faults == []
    assert found.numbers == NumberChecks(True, 90 * DAY, 50, True)


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ('voip = "maybe"', "numbers.voip", "is 'maybe'"),
        ('check_every = "2h"', "numbers.check_every", "is too short or too long"),
        ('check_every = "often"', "numbers.check_every", "is 'often'"),
        ("check_at_most = 5", "numbers.check_at_most", "says nothing alone"),
        ("check_owner = true", "numbers.check_owner", "says nothing alone"),
    ],
)
def test_each_fault_of_the_numbers_has_its_line(
    tmp_path: Path, text: str, field: str, message: str
) -> None:
    assert policy(tmp_path, f"[numbers]\n{text}\n")[1] == [(2, field, message)]


def test_checks_are_refused_where_the_provider_looks_no_number_up(tmp_path: Path) -> None:
    around = Around(provider="paper", looks_up=False)
    _, faults = policy(tmp_path, '[numbers]\ncheck_every = "90d"\n', around)
    assert faults == [(2, "numbers.check_every", "is set, and paper looks no number up")]


def test_a_number_is_due_after_its_time_and_says_why() -> None:
    assert unchecked_number(None, None, NOW) == ""
    assert unchecked_number(None, DAY, NOW) == "The number was never looked up."
    assert unchecked_number(NOW - 90 * DAY + HOUR, 90 * DAY, NOW) == ""
    assert "2026-08-23; it is due 90 days on" in unchecked_number(NOW - 90 * DAY, 90 * DAY, NOW)


# -- the age of facts --------------------------------------------------------------------------


def test_a_crm_elsewhere_may_be_a_day_old_unless_said_and_the_local_one_needs_no_limit(
    tmp_path: Path,
) -> None:
    assert policy(tmp_path, "")[0].ages == Ages()
    assert policy(tmp_path, "", Around(crm="hubspot"))[0].ages == Ages(DAY)
    assert policy(tmp_path, '[facts]\nmax_age = "1h"')[0].ages == Ages(HOUR)


def test_a_field_may_have_an_age_of_its_own(tmp_path: Path) -> None:
    text = '[facts]\nmax_age = "24h"\ncrm.has_open_case = "1h"\n'
    found, faults = policy(tmp_path, text)
    assert faults == []
    ages = found.ages
    assert ages == Ages(DAY, {"has_open_case": HOUR})
    assert ages.allowed({"crm.owner", "contact.email"}) == DAY
    assert ages.allowed({"crm.owner.name", "crm.has_open_case"}) == HOUR
    assert ages.allowed({"contact.email"}) is None
    assert Ages(None, {"has_open_case": HOUR}).allowed({"crm.owner"}) is None


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('max_age = "10s"', "facts.max_age"),
        ('crm.has_opn_case = "1h"', "facts.crm.has_opn_case"),
        ("crm.owner = 7", "facts.crm.owner"),
        ('age = "1h"', "facts.age"),
    ],
)
def test_each_fault_of_the_ages_has_its_line(tmp_path: Path, text: str, field: str) -> None:
    [(line, where, _)] = policy(tmp_path, f"[facts]\n{text}\n")[1]
    assert (line, where) == (2, field)


def test_what_was_never_asked_is_too_old_whatever_a_rule_reads_in_its_place() -> None:
    assert old_facts(None, None, NOW) == ""
    assert old_facts(None, HOUR, NOW) == (
        "The CRM was never asked about this person; it may be 1 hour old."
    )
    assert old_facts(NOW - HOUR, HOUR, NOW) == ""
    assert "last asked on 2026-11-21 13:59 UTC" in old_facts(
        NOW - HOUR - timedelta(minutes=1), HOUR, NOW
    )


def test_why_facts_are_too_old_is_the_same_sentence_however_long_it_waits() -> None:
    asked = NOW - 3 * HOUR
    assert old_facts(asked, HOUR, NOW) == old_facts(asked, HOUR, NOW + 5 * HOUR)


@pytest.mark.parametrize(
    ("span", "words"),
    [(DAY, "1 day"), (36 * HOUR, "36 hours"), (HOUR / 2, "30 minutes"), (HOUR / 48, "75 seconds")],
)
def test_a_span_is_spelt(span: timedelta, words: str) -> None:
    assert spelt(span) == words


def test_a_rule_knows_which_facts_of_the_crm_it_reads_also_through_a_segment(
    tmp_path: Path,
) -> None:
    faults: list[Fault] = []
    tables = [
        {"name": "owned", "when": "crm.owner | default('') != '' and in_segment('open')"},
        {"name": "open", "when": "crm.has_open_case | default(false)"},
    ]
    named = segments.read_segments(Table("s", {"segments": tables}, faults, {}), SUPPLY)
    path = tmp_path / "policy.toml"
    path.write_text('[[suppress]]\nname = "x"\nwhen = "in_segment(\'owned\')"\n')
    supply = replace(SUPPLY, segments=frozenset(named))
    found = load_policy(path, supply, (), faults, named)
    assert faults == []
    assert found.crm("marketing", "retention") == {"crm.owner", "crm.has_open_case"}
    assert found.crm("service", "service") == frozenset()


def test_a_play_knows_which_facts_of_the_crm_any_part_of_it_reads(tmp_path: Path) -> None:
    head = (
        'role = "service"\npurpose = "service"\naudience = "crm.renewal | default(\'\') == \'\'"\n'
    )
    text = f'{head}[start]\nsignal = "viewed"\n[[steps]]\nname = "say"\ntemplate = "plain"\n'
    play, faults = read(tmp_path, text)
    assert told(faults) == []
    assert play.crm == {"crm.renewal"}
    assert read(tmp_path, text.replace(head.splitlines()[2], ""))[0].crm == frozenset()


def test_a_crm_file_lists_fields_that_others_fill_in(tmp_path: Path) -> None:
    path = tmp_path / "local.toml"
    path.write_text('reads = ["has_open_case", "not a name"]\n[fields]\nstage = "stage"\n')
    faults: list[Fault] = []
    mapping = crms.load(path, SUPPLY, faults)
    assert [(fault.line, fault.message) for fault in faults] == [(1, "holds 'not a name'")]
    assert {"has_open_case", "stage", "id"} <= mapping.known


# -- regulated content -------------------------------------------------------------------------


def test_regulated_content_that_no_rule_asks_about_is_a_fault(tmp_path: Path) -> None:
    shop = folder(tmp_path / "shop", 8080)
    play = shop / "mappings" / "plays" / "welcome.toml"
    play.write_text('regulated = "alcohol"\n' + play.read_text())
    assert load(shop).plays["welcome"].regulated == "alcohol"
    rules = shop / "mappings" / "policy.toml"
    rules.write_text(rules.read_text().replace("play.regulated", "play.role"))
    with pytest.raises(BadConfig) as caught:
        load(shop)
    [fault] = caught.value.faults
    assert (fault.file, fault.line, fault.field) == ("mappings/plays/welcome.toml", 1, "regulated")


def test_a_text_may_say_that_it_is_regulated_on_its_first_line(tmp_path: Path) -> None:
    shop = folder(tmp_path / "shop", 8080)
    text = shop / "templates" / "welcome.en.txt"
    text.write_text("{# regulated: alcohol #}\n" + text.read_text())
    assert load(shop).plays["welcome"].texts_regulated == {"welcome": "alcohol"}


@pytest.mark.parametrize("word", ["Al Cohol", "x" * 50])
def test_what_is_regulated_is_one_word(tmp_path: Path, word: str) -> None:
    shop = folder(tmp_path / "shop", 8080)
    play = shop / "mappings" / "plays" / "welcome.toml"
    play.write_text(f'regulated = "{word}"\n' + play.read_text())
    with pytest.raises(BadConfig) as caught:
        load(shop)
    assert caught.value.faults[0].field == "regulated"


# -- the rules that are shipped ----------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(folder(tmp_path_factory.mktemp("shop") / "shop", 8080))


def judged(
    shipped: Loaded,
    *,
    traits: dict[str, Any] | None = None,
    crm: dict[str, Any] | None = None,
    stage: str = "lead",
    email: str = "ann@home.example",
    bought_days_ago: int | None = None,
    **play: str,
) -> tuple[str, Verdict] | None:
    """The rule that keeps a marketing text back, with its verdict."""
    days = bought_days_ago
    heard = [("order_completed", NOW - days * DAY)] if days is not None else []
    about = {"name": "p", "role": "retention", "purpose": "marketing", "regulated": "", **play}
    context = {
        "contact": {"id": "c", "stage": stage, "email": email, **(traits or {})},
        "crm": crm or {},
        "signal": {},
        "play": about,
        "now": NOW.isoformat(),
        "history": Told(heard, NOW, Segments({}, dict)),
    }
    facts = Facts(
        contact=Contact("c", stage=stage, email=email),
        purpose=Purpose(about["purpose"]),
        scopes=(),
        play="p",
        role=about["role"],
        key="",
        step="s",
        due_at=NOW,
        expires_at=NOW + DAY,
        number_type="mobile",
        blocked="",
        blocked_scope="",
        consents=frozenset(),
        said=(),
        said_to_number=(),
        context=context,
    )
    objection = suppressed(facts, Rulebook(shipped.policy, Hours({}, {}, "h", NOW.date())), NOW)
    return (objection.says.partition(":")[0], objection.verdict) if objection else None


def test_of_whom_nothing_is_known_the_shipped_rules_keep_nothing_back(shipped: Loaded) -> None:
    for role in ("acquisition", "conversion", "onboarding", "retention"):
        assert judged(shipped, role=role) is None
    assert judged(shipped, role="service", purpose="service") is None


STOP, WAIT = Verdict.stop, Verdict.wait


@pytest.mark.parametrize(
    ("told", "rule", "verdict"),
    [
        ({"traits": {"do_not_contact": True}}, "do not contact", STOP),
        ({"crm": {"do_not_contact": True}}, "do not contact", STOP),
        ({"crm": {"do_not_contact": True}, "purpose": "service"}, "do not contact", STOP),
        ({"crm": {"has_open_case": True}}, "open support case", WAIT),
        ({"stage": "customer", "role": "acquisition"}, "present customer", STOP),
        ({"bought_days_ago": 300, "role": "acquisition"}, "present customer", STOP),
        ({"crm": {"is_customer": True}, "role": "acquisition"}, "present customer", STOP),
        ({"crm": {"lead_converted": True}, "role": "acquisition"}, "converted lead", STOP),
        ({"email": "Eve@RIVAL.example"}, "competitor", STOP),
        ({"crm": {"is_competitor": True}}, "competitor", STOP),
        ({"traits": {"employee": True}}, "employee", STOP),
        ({"traits": {"under_age": True}}, "under age", STOP),
        ({"traits": {"age": 17}}, "under age", STOP),
        ({"traits": {"age": "17"}}, "under age", STOP),
        ({"regulated": "alcohol"}, "regulated content", STOP),
        ({"regulated": "alcohol", "traits": {"age": 30}}, "regulated content", STOP),
        (
            {"regulated": "alcohol", "traits": {"age": 20, "region": "NY"}},
            "regulated content",
            STOP,
        ),
    ],
)
def test_each_shipped_rule_keeps_back_whom_it_is_for(
    shipped: Loaded, told: dict[str, Any], rule: str, verdict: Verdict
) -> None:
    assert judged(shipped, **told) == (rule, verdict)


@pytest.mark.parametrize(
    "told",
    [
        {"stage": "customer"},
        {"bought_days_ago": 10, "role": "conversion"},
        {"bought_days_ago": 400, "role": "acquisition"},
        {"stage": "former_customer", "role": "acquisition"},
        {"crm": {"has_open_case": False}},
        {"crm": {"has_open_case": True}, "purpose": "service", "role": "service"},
        {"email": "ann@notrival.example"},
        {"email": ""},
        {"traits": {"age": 18}},
        {"regulated": "alcohol", "traits": {"age": 21, "region": "NY"}},
    ],
)
def test_no_shipped_rule_keeps_back_whom_it_is_not_for(
    shipped: Loaded, told: dict[str, Any]
) -> None:
    assert judged(shipped, **told) is None


def test_every_shipped_rule_can_be_asked_together_for_each_kind_of_text(shipped: Loaded) -> None:
    together = shipped.policy.together
    asked = {name for bundle in together.values() for name in bundle.expressions}  # type: ignore[attr-defined]
    assert asked == {rule.name for rule in shipped.policy.suppressions}
    assert "present customer" not in together["marketing", "retention"].expressions  # type: ignore[attr-defined]
    assert (starters.root() / "mappings" / "policy.toml").exists()
