"""However a CRM's changes are told, late, twice, in any order, the same is known in the end."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.model import Json
from tests.steps.build import HOUR, MINUTE, Shop
from tests.steps.desk import FIELD, Desk, open_desk

RECORDS = ("1", "2", "3")
PHONES = {"1": "+12125550101", "2": "+12125550102", "3": "+12125550103"}
TOLD = ("plan", "stage")  #: fields whose history the CRM tells


@dataclass(frozen=True)
class Edit:
    """Somebody changes a record, or texts STOP, so many seconds past the hour."""

    record: str
    field: str
    value: Json
    seconds: int


@dataclass(frozen=True)
class Way:
    """What comes in behind one edit: which of the hints so far, and whether it is asked then."""

    hints: tuple[float, ...]
    polls: bool
    writes: bool
    asks_again: bool


EDITS = st.builds(
    Edit,
    st.sampled_from(RECORDS),
    st.just("plan"),
    st.sampled_from(("free", "pro", "max")),
    st.integers(0, 90),
) | st.builds(
    Edit,
    st.sampled_from(RECORDS),
    st.just(FIELD),
    st.sampled_from(("true", "false")),
    st.integers(0, 90),
)
STOPS = st.builds(Edit, st.sampled_from(RECORDS), st.just("STOP"), st.none(), st.integers(0, 90))
WAYS = st.builds(
    Way,
    st.lists(st.floats(0, 1, exclude_max=True), max_size=3).map(tuple),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
SCRIPTS = st.lists(st.tuples(EDITS | STOPS, WAYS), min_size=1, max_size=8)


def live_through(script: Sequence[tuple[Edit, Way]], folder: Path, *, promptly: bool) -> Any:
    """What is known after a script; ``promptly``: each change is asked for as soon as made."""
    opened: list[Shop] = []

    def open_shop(*plays: Any, **changes: Any) -> Shop:
        opened.append(Shop(folder, *plays, **changes))
        return opened[-1]

    desk = open_desk(open_shop, tells=TOLD)
    try:
        desk.reads()
        desk.tick(MINUTE)
        for record in RECORDS:
            desk.crm.put(record, phone=PHONES[record], plan="free", stage="Lead")
        began = desk.clock()
        for place, (edit, way) in enumerate(script, 1):
            desk.clock.at = began + place * HOUR + timedelta(seconds=edit.seconds)
            if edit.field == "STOP":
                desk.reply("STOP", PHONES[edit.record])
            else:
                desk.crm.put(edit.record, **{edit.field: edit.value})
            come_in(desk, Way((), True, True, False) if promptly else way)
        for _ in range(3):
            desk.polls()
            desk.writes()
        found = known(desk)
        goes_quiet(desk, sum(edit.field != "STOP" for edit, _ in script))
        return found
    finally:
        for shop in opened:
            shop.close()


def come_in(desk: Desk, way: Way) -> None:
    """Hints come in any order and again, and what is due is read."""
    for place in way.hints:
        hint = desk.crm.hints[int(place * len(desk.crm.hints))]
        desk.hears(hint, replace(hint, occurred_at=hint.occurred_at - MINUTE))
        desk.reads()
    if way.asks_again:
        with desk.store.write() as tx:  # as after a restore: an older cursor
            tx.run("UPDATE cursors SET value = '1' WHERE name = 'crm_cursor:desk:contact'")
    if way.polls or way.writes:
        desk.polls()
    if way.writes:
        desk.writes()


def known(desk: Desk) -> dict[str, Any]:
    """People, facts, standing and history, by the CRM's names of them."""
    people: dict[str, Any] = {}
    for record in RECORDS:
        [contact_id] = desk.bearers("crm_id", f"desk:{record}")
        [row] = desk.rows("SELECT * FROM contacts WHERE id = :id", id=contact_id)
        names = {value for kind, value in desk.names(contact_id) if kind != "crm_id"}
        stands = desk.live(PHONES[record]).stopped
        people[record] = (
            *(names, orjson.loads(row["traits"]), row["stage"]),
            *(desk.facts(contact_id), stands),
        )
    told = [row for row in desk.rows("SELECT * FROM crm_history") if row["field"] in TOLD]
    shown = ("record", "field", "before", "after", "occurred_at")
    people["history"] = sorted(tuple(row[name] for name in shown) for row in told)
    return people


def goes_quiet(desk: Desk, edits: int) -> None:
    """Our own writing is no news: no event beyond those of people's edits, and no more to write."""
    heard = len(desk.events())
    assert heard <= edits + len(RECORDS)
    written = sum(what == "write" for what, _ in desk.crm.calls)
    desk.hears(*desk.crm.hints)
    for _ in range(3):
        desk.polls()
        desk.writes()
    assert len(desk.events()) == heard
    assert sum(what == "write" for what, _ in desk.crm.calls) == written


@settings(max_examples=25, deadline=None)
@given(SCRIPTS)
def test_hints_and_polls_in_any_order_come_to_what_prompt_asking_comes_to(
    script: list[tuple[Edit, Way]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        late = live_through(script, Path(folder) / "late", promptly=False)
        prompt = live_through(script, Path(folder) / "prompt", promptly=True)
    assert late == prompt
