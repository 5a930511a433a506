"""A back-fill reads all that a CRM holds, starts nothing, and can be broken off anywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.ledger import contacts, cursors
from connector.rules.mapping import ConsentRule
from connector.rules.plays import Goal, Start, Step
from connector.steps import crmbackfill, crmsync, crmwrite
from connector.steps.crmsync import Way
from tests.steps.build import ANN, CART, DAY, HOUR, NOW, OTHER, PHONE, SECOND, WELCOME
from tests.steps.desk import FIELD, NAMES, Desk, OpenShop, rule
from tests.steps.saleroom import open_saleroom, outcomes, signals

NEW = replace(WELCOME, name="new", start=Start("crm_contact"))
MISSED = replace(WELCOME, name="missed", start=Start("meeting_missed"))
SALE = replace(
    CART,
    name="sale",
    start=Start("signed_up"),
    steps=(Step("hello", template="welcome"), Step("more", wait=3 * DAY, template="cart")),
    goal=Goal("deal_won", 30 * DAY),
    exits=(),
)


@pytest.fixture
def room(open_shop: OpenShop) -> Desk:
    """A CRM with people, a meeting and a deal from last month, which was never read."""
    found = open_saleroom(open_shop, NEW, MISSED, SALE)
    old = NOW - 30 * DAY
    found.crm.held.clear()
    found.crm.put("7", at=old, phone=PHONE, plan="pro", stage="Customer")
    found.crm.put("8", at=old + SECOND, phone=OTHER)
    found.crm.put("m1", "meeting", at=old, people=("7",), outcome="NO_SHOW")
    found.crm.put("d1", "deal", at=old, people=("7",), stage="new", amount="10", currency="USD")
    found.crm.put("d1", "deal", at=old + DAY, won="true", stage="won")
    return found


def run(room: Desk, *objects: str, **more: object) -> dict[str, Way]:
    """A whole back-fill."""
    told = crmsync.run(room.rt, objects or room.crm.objects, **more)  # type: ignore[arg-type]
    return {way.object: way for way in told if isinstance(way, Way)}


def test_a_back_fill_brings_people_and_history_with_their_own_times(room: Desk) -> None:
    ways = run(room)

    assert ways["contact"].counts == {"read": 2, "changed": 2, "new": 2}
    assert room.bearers("phone", PHONE) == room.bearers("crm_id", "desk:7")
    assert signals(room) == [
        ("deal_moved", "d1", "10-18T17:00"),
        ("meeting_missed", "m1", "10-18T17:00"),
        ("deal_won", "d1", "10-19T17:00"),
    ]
    assert outcomes(room) == [("converted", "d1", 10_000_000, "USD")]


def test_a_back_fill_enrols_nobody_and_is_no_activity(room: Desk) -> None:
    run(room)

    assert room.enrolments() == []
    assert {row["last_activity_at"] for row in room.rows("SELECT * FROM contacts")} == {None}
    assert all(row["back_fill"] for row in room.events())


def test_a_back_fill_owes_the_crm_nothing(room: Desk) -> None:
    run(room)

    assert room.rows("SELECT * FROM writebacks") == []


def test_a_conversion_of_the_past_reaches_no_goal_of_today(room: Desk) -> None:
    room.consent()
    room.tell("signed_up", replace(ANN, user_id=""))
    assert room.go() == 1
    room.tick(HOUR)
    run(room)

    [enrolment] = room.enrolments()
    assert enrolment["goal_at"] is None
    assert enrolment["state"] != "ended"


def test_a_back_fill_grants_no_consent_but_obeys_an_opt_out(room: Desk) -> None:
    room.consent(phone=PHONE)
    room.consent(phone=OTHER)
    room.crm.put("7", at=NOW - DAY, **{FIELD: "true"})
    ways = run(room)

    assert ways["contact"].counts["opted_out"] == 1
    assert room.number(PHONE)["blocked_scope"] == "all"
    assert room.number(OTHER)["blocked_scope"] in (None, "")
    granted = room.rows("SELECT * FROM consents WHERE action = 'granted'")
    assert {row["method"] for row in granted} == {"web_form"}


def test_what_a_crm_has_long_held_is_no_consent_that_anybody_gave(room: Desk) -> None:
    opened = room.rt.sources["desk"]
    said = {**NAMES, "consents[0].granted": "true if item.now.plan == 'pro' else none"}
    agreed = rule(
        *(0, "contact", said),
        signal="crm_contact",
        consents=(ConsentRule("marketing", "web_form", "consents[0]"),),
    )
    source = replace(opened.mapping, events=(agreed, *opened.mapping.events[1:]))
    room.rt.sources = {**room.rt.sources, "desk": replace(opened, mapping=source)}
    run(room)
    assert room.live(PHONE).live == frozenset()

    room.tick(SECOND)
    room.crm.put("8", plan="pro")
    room.polls()
    assert room.live(OTHER).live == {"marketing"}  # somebody ticked it, just now


def test_people_are_linked_to_whom_they_are_and_kept_apart_from_whom_they_are_not(
    room: Desk,
) -> None:
    room.tell("signed_up", replace(ANN, phone=PHONE))
    room.crm.put("9", at=NOW - DAY, phone=OTHER)
    counts = run(room)["contact"].counts

    assert (counts["linked"], counts["new"], counts["apart"]) == (1, 2, 1)
    assert room.bearers("user_id", "ann") == room.bearers("crm_id", "desk:7")
    with room.store.read() as tx:
        eight, nine = (contacts.bearers(tx, "crm_id", f"desk:{id}") for id in "89")
    assert eight != nine


def test_who_was_kept_apart_is_told_with_the_reason(room: Desk) -> None:
    room.crm.put("9", at=NOW - DAY, phone=OTHER)

    assert run(room)["contact"].samples == [["9", "somebody else bears the same number"]]


def test_what_changed_since_the_crm_is_polled_is_left_to_the_polling(room: Desk) -> None:
    room.reads()
    room.tick(HOUR)
    room.crm.put("m1", "meeting", outcome="SCHEDULED")
    room.crm.put("m1", "meeting", at=room.clock() + SECOND, outcome="NO_SHOW")
    room.tick(2 * SECOND)

    assert run(room)["meeting"].counts == {"read": 1, "left": 1}
    assert room.begun("missed") == []
    room.polls()
    assert [state for _, state, _ in room.begun("missed")] == ["waiting"]


def test_what_changes_while_a_back_fill_runs_first_is_told_as_news(room: Desk) -> None:
    told = crmsync.run(room.rt, room.crm.objects)
    next(told)
    room.tick(SECOND)
    room.crm.put("m1", "meeting", outcome="SCHEDULED")
    room.tick(SECOND)
    room.crm.put("m1", "meeting", outcome="NO_SHOW")
    list(told)
    room.polls()

    assert [state for _, state, _ in room.begun("missed")] == ["waiting"]


def test_one_that_was_broken_off_goes_on_where_it_stopped(room: Desk) -> None:
    for place in range(10, 40):
        room.crm.put(str(place), at=NOW - DAY + place * SECOND)
    room.crm.page = 5
    told = crmsync.run(room.rt, ["contact"])
    for _ in range(3):
        next(told)
    told.close()
    room.crm.calls.clear()
    [way] = [run(room, "contact")["contact"]]

    assert way.counts["read"] == 32
    assert way.counts["new"] == 32
    assert len(room.crm.calls) == 4  # of seven pages, three had been read
    assert run(room, "contact")["contact"].counts == {"read": 32, "same": 32}


def test_a_death_within_a_page_reads_the_page_again_and_nothing_twice(
    room: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledHere(BaseException):
        pass

    take, left = crmbackfill.take, iter([False, True])

    def fuse(*told: object, careful: bool) -> object:
        if next(left, False):
            raise KilledHere
        return take(*told, careful=careful)  # type: ignore[arg-type]

    monkeypatch.setattr(crmbackfill, "take", fuse)
    monkeypatch.setattr(crmsync, "SLICE", 1)
    with pytest.raises(KilledHere):
        run(room)
    counts = run(room)["contact"].counts

    assert (counts["read"], counts["new"], counts["same"]) == (2, 2, 1)
    assert len(room.rows("SELECT * FROM contacts")) == 2


def test_begun_anew_it_reads_all_again(room: Desk) -> None:
    room.crm.page = 1
    told = crmsync.run(room.rt, ["contact"])
    next(told)
    told.close()
    with room.store.write() as tx:
        crmsync.forget(tx, "desk", ["contact"])

    assert run(room, "contact")["contact"].counts == {"read": 2, "changed": 1, "same": 1, "new": 1}


def test_a_dry_run_tells_the_same_and_changes_nothing(room: Desk) -> None:
    dry = run(room, dry=True)
    assert room.rows("SELECT * FROM contacts") == []
    assert room.rows("SELECT * FROM crm_history") == []
    assert room.rows("SELECT * FROM cursors WHERE name LIKE 'crm_%'") == []

    assert {name: way.counts for name, way in run(room).items()} == {
        name: way.counts for name, way in dry.items()
    }


def test_only_what_changed_since_an_instant_is_taken_over(room: Desk) -> None:
    room.crm.put("8", at=NOW - DAY, plan="pro")
    ways = run(room, "contact", since=NOW - 2 * DAY)

    assert ways["contact"].counts == {"read": 2, "skipped": 1, "changed": 1, "new": 1}
    assert room.bearers("crm_id", "desk:7") == set()


def test_another_span_does_not_go_on_with_one_that_was_broken_off(room: Desk) -> None:
    room.crm.page = 1
    told = crmsync.run(room.rt, ["contact"], NOW - 90 * DAY)
    next(told)
    told.close()

    for other in (NOW - DAY, NOW - 91 * DAY):
        with pytest.raises(crmsync.OtherSpan):
            run(room, since=other)
    assert run(room, "contact")["contact"].counts["read"] == 2


def test_the_same_command_on_the_next_day_goes_on(room: Desk) -> None:
    room.crm.page = 1
    told = crmsync.run(room.rt, ["contact"], NOW - 90 * DAY)
    next(told)
    told.close()

    room.tick(DAY)
    way = run(room, "contact", since=room.clock() - 90 * DAY)["contact"]
    assert (way.counts["read"], way.since[:10]) == (2, (NOW - 90 * DAY).date().isoformat())


def test_a_record_at_fault_sinks_alone(room: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    take = crmbackfill._take

    def bad(tx: object, rt: object, record: object) -> object:
        if record.id == "7":  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return take(tx, rt, record)  # type: ignore[arg-type]

    monkeypatch.setattr(crmbackfill, "_take", bad)
    way = run(room, "contact")["contact"]

    assert way.counts == {"read": 2, "failed": 1, "changed": 1, "new": 1}
    assert way.samples == [["7", "internal: ZeroDivisionError"]]


def test_the_crm_can_be_owed_all_that_it_was_never_told(room: Desk) -> None:
    run(room)
    room.consent()
    [ann] = room.bearers("crm_id", "desk:7")
    room.tell("signed_up", replace(ANN, user_id=""))
    room.go()
    room.reply("thank you")
    with room.store.write() as tx:
        tx.run("DELETE FROM writebacks")
    [counts] = [list(crmwrite.run(room.rt, dry=True))[-1]]
    assert room.rows("SELECT * FROM writebacks") == []
    assert list(crmwrite.run(room.rt))[-1] == counts

    assert counts == {"people": 2, "texts": 1, "replies": 1, "outcomes": 1}
    kinds = {row["key"].split(":")[0] for row in room.rows("SELECT * FROM writebacks")}
    assert kinds == {"send", "reply", "outcome", "fields"}
    assert {row["contact_id"] for row in room.rows("SELECT * FROM writebacks")} >= {ann}
    assert list(crmwrite.run(room.rt))[-1]["texts"] == 0


def test_owing_that_was_broken_off_goes_on_behind_the_last_person(
    room: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(room)
    monkeypatch.setattr(crmwrite, "SLICE", 1)
    told = crmwrite.run(room.rt)
    next(told)
    told.close()
    with room.store.read() as tx:
        assert cursors.get(tx, f"{crmwrite.CURSOR}desk")

    assert list(crmwrite.run(room.rt))[-1]["people"] == 1
    assert len(room.rows("SELECT * FROM writebacks")) == 2
