"""The first thing a newcomer sees: it shows what it says, proves it, and leaves nothing running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from connector.cli import cli, demo_page
from connector.clock import text
from connector.demo import day, facts
from connector.demo.kept import Kept, Row
from connector.demo.table import missing, table
from connector.lock import holder
from connector.model import Purpose
from connector.phone import parse
from connector.rules.plays import Play, Role, Start, Step

FACTS = ("delivered", "replied", "quiet_hours", "no_consent", "cap", "stop", "goal", "crm")
NOON = datetime(2026, 11, 18, 17, tzinfo=UTC)


def test_the_day_shows_what_it_should_and_every_row_can_be_explained(tmp_path: Path) -> None:
    folder = tmp_path / "day"
    done = run_demo("--keep", str(folder), "--json", HOME="/nonexistent")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert {fact["fact"]: fact["ok"] for fact in shown["shown"]} == dict.fromkeys(FACTS, True)
    assert shown["provider_log"] == {"texts": 9, "agrees": True}
    assert [item["state"] for item in shown["came_in"]] == ["done"] * 18
    [held] = [item for item in shown["held_back"] if item["verdict"] == "wait"]
    [sent] = [item for item in shown["sent"] if item["id"] == held["id"]]
    assert sent["at"] == held["until"] == text(day.at("08:00", day=19))
    assert "Eve signs up" in done.stderr

    for item in (*shown["came_in"], *shown["sent"], *shown["held_back"], *shown["shown"]):
        told = CliRunner().invoke(cli, ["-C", str(folder), "explain", item["id"]])
        assert told.exit_code == 0, (item, told.output)

    page = printed(shown)
    assert str(folder) in page
    assert "waits until Thu 08:00" in page
    assert holder(folder / "data" / "run.lock") is None


def test_a_demo_that_is_told_to_stop_stops_what_it_started(tmp_path: Path) -> None:
    folder = tmp_path / "day"
    running = subprocess.Popen(demo("--keep", str(folder), "--quiet"))
    supervisor = until(lambda: holder(folder / "data" / "run.lock"))
    until(lambda: holder(folder / "data" / "work.lock"))
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(supervisor, 0)
    assert holder(folder / "data" / "work.lock") is None


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    done = CliRunner().invoke(cli, ["demo", "--keep", str(tmp_path)])
    assert done.exit_code == 1
    assert "not empty" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_people_of_the_day_are_invented_and_can_be_texted() -> None:
    for number in day.PHONES.values():
        assert number[5:8] == "555" and number[8:10] == "01"
        assert parse(number, "US").type == "fixed_line_or_mobile"


def test_the_day_is_told_in_its_order_and_each_moment_once() -> None:
    moments = list(day.moments())
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    assert {moment.source for moment in moments} == {"site", "backend", "shop", "firm"}
    ids = [moment.body["messageId"] for moment in moments if "messageId" in moment.body]
    assert len(set(ids)) == len(ids)


def test_a_full_day_lacks_nothing() -> None:
    shown = table(a_day())
    assert missing(shown) == []
    assert [fact["id"] for fact in shown["shown"]] == [
        "snd_1",
        "snd_2",
        "snd_3",
        "enr_4",
        "enr_5",
        "enr_6",
        "snd_1",
        "con_ann",
    ]


@pytest.mark.parametrize("name", FACTS)
def test_each_fact_is_missed_when_what_proves_it_is_taken_away(name: str) -> None:
    shown = table(without(a_day(), name))
    assert [fact["fact"] for fact in shown["shown"] if not fact["ok"]] == [name]
    assert missing(shown) == [facts.FACTS[name][0]]


def test_a_text_that_the_providers_log_lacks_or_has_otherwise_is_noticed() -> None:
    found = a_day()
    assert facts.log_agrees(found)
    assert not facts.log_agrees(replace(found, log=found.log[1:]))
    changed = [{**found.log[0], "text": "else"}, *found.log[1:]]
    assert not facts.log_agrees(replace(found, log=changed))
    twice = table(replace(found, log=[*found.log, found.log[0]]))
    assert missing(twice) == ["The ledger and the provider's own log agree on every text"]


def test_a_text_to_a_number_after_its_stop_was_not_honoured() -> None:
    found = a_day()
    late = send("snd_9", "dan", play="welcome", at=NOON + timedelta(hours=5))
    sends = [*found.sends, late]
    assert not facts.stop_honoured(replace(found, sends=sends, log=logged(sends)))


def test_the_page_says_what_is_missing_and_offers_no_id_that_is_not_there() -> None:
    page = printed({"folder": "/tmp/a day", **table(without(a_day(), "cap"))})
    assert "MISSING" in page
    assert "connector -C '/tmp/a day' explain snd_3" in page
    assert "no second text" not in page


def test_what_comes_from_outside_cannot_steer_the_terminal() -> None:
    found = a_day()
    found = replace(found, replies=[{**found.replies[0], "text": "\x1b[31mhi"}, *found.replies[1:]])
    assert "\x1b" not in printed({"folder": "/tmp/day", **table(found)})


def demo(*args: str) -> list[str]:
    return [sys.executable, "-m", "connector", "demo", *args]


def run_demo(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environ}
    return subprocess.run(demo(*args), capture_output=True, text=True, timeout=60, env=env)


def until(found: Callable[[], Any], patience: float = 20) -> Any:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {patience} s")


def printed(shown: dict[str, Any]) -> str:
    """The page as it is printed into a pipe."""

    @click.command()
    def command() -> None:
        demo_page.show(shown, "connector")

    no_terminal = {"COLUMNS": None}  # else a page is as wide as the terminal the tests run in
    return CliRunner(env=no_terminal).invoke(command, [], catch_exceptions=False).output


def send(name: str, who: str, *, play: str, at: datetime = NOON, **more: Any) -> Row:
    return {
        "id": name,
        "contact_id": f"con_{who}",
        "phone": f"+1 {who}",
        "enrolment_id": f"enr_{name[4:]}",
        "cause_id": f"enr_{name[4:]}",
        "play": play,
        "step": "one",
        "purpose": "marketing",
        "template": play,
        "text": f"{play} for {who}",
        "state": "delivered",
        "reason": "",
        "error_code": "",
        "accepted_at": text(at),
        "settled_at": text(at),
        **more,
    }


def decision(enrolment: str, who: str, verdict: str, reason: str, **more: Any) -> Row:
    says = json.dumps([{"reason": reason, "verdict": verdict, "says": f"because of {reason}"}])
    return {
        "contact_id": f"con_{who}",
        "enrolment_id": enrolment,
        "send_id": None,
        "event_id": None,
        "play": "cart",
        "step": "one",
        "verdict": verdict,
        "reason": reason,
        "objections": says,
        "until_at": None,
        "decided_at": text(NOON),
        **more,
    }


def logged(sends: list[Row]) -> list[Row]:
    return [{"send_id": row["id"], "to": row["phone"], "text": row["text"]} for row in sends]


def reply(name: str, send_id: str, who: str, label: str) -> Row:
    return {
        "id": name,
        "send_id": send_id,
        "contact_id": f"con_{who}",
        "phone": f"+1 {who}",
        "label": label,
        "text": "hello",
        "occurred_at": text(NOON),
    }


def a_play(steps: tuple[Step, ...]) -> Play:
    return Play(
        name="form",
        version="1",
        description="",
        role=Role.conversion,
        purpose=Purpose.marketing,
        scopes=(),
        start=Start("form_started"),
        audience=None,
        steps=steps,
        goal=None,
        exits=(),
        stages=(),
    )


def a_day() -> Kept:
    """A day made by hand, with one row for each thing that is to be shown."""
    sends = [
        send("snd_1", "ann", play="form"),
        send("snd_2", "ben", play="cart", state="accepted"),
        send("snd_3", "cleo", play="cart", state="accepted"),
        send("snd_6", "dan", play="", template="stop_confirmed", enrolment_id=None),
    ]
    outcome = {
        "id": "out_1",
        "kind": "replied",
        "send_id": "snd_2",
        "occurred_at": text(NOON),
    }
    bought = {**outcome, "id": "out_2", "kind": "converted", "send_id": None}
    enrolment = {
        "id": "enr_1",
        "play": "form",
        "goal_kind": "converted",
        "exit_reason": "goal",
    }
    replies = [reply("rpl_1", "snd_2", "ben", "none"), reply("rpl_2", "snd_0", "dan", "opt_out")]
    steps = (Step("one", template="a"), Step("two", wait=timedelta(hours=24), template="b"))
    keys = ["outcome:out_2", *(f"send:{row['id']}" for row in sends)]
    keys += [f"reply:{row['id']}" for row in replies]
    activity = {
        "record": "rec_ann",
        "kind": "text",
        "subject": "Text",
        "body": "",
        "status": "Delivered",
        "occurred_at": text(NOON),
    }
    return Kept(
        now=NOON + timedelta(hours=25),
        plays={"form": a_play(steps)},
        log=logged(sends),
        contacts=[{"id": "con_ann", "traits": '{"first_name":"Ann"}'}],
        events=[],
        consents=[],
        enrolments=[enrolment],
        decisions=[
            decision("enr_3", "cleo", "wait", "quiet_hours", send_id="snd_3", until_at=text(NOON)),
            decision("enr_4", "eve", "stop", "no_consent"),
            decision("enr_5", "finn", "stop", "cap_full"),
            decision("enr_6", "dan", "stop", "opted_out"),
        ],
        sends=sends,
        receipts=[{"send_id": "snd_1", "status": "delivered"}],
        replies=replies,
        outcomes=[outcome, bought],
        records=[{"id": "rec_ann", "contact_id": "con_ann", "fields": "{}"}],
        activities=[{**activity, "key": key} for key in keys],
    )


def without(found: Kept, fact: str) -> Kept:
    """The day without what proves one fact."""
    reasons = {"quiet_hours": "quiet_hours", "no_consent": "no_consent", "cap": "cap_full"}
    reasons["stop"] = "opted_out"
    if fact in reasons:
        rest = [row for row in found.decisions if row["reason"] != reasons[fact]]
        return replace(found, decisions=rest)
    changes: dict[str, dict[str, Any]] = {
        "delivered": {"receipts": []},
        "replied": {"replies": found.replies[1:]},
        "goal": {"now": NOON + timedelta(hours=23)},  # the follow-up's time had not come
        "crm": {"activities": found.activities[1:]},
    }
    return replace(found, **changes[fact])
