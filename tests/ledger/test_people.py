"""Export and erasure are complete by construction: every table and column is accounted for."""

from __future__ import annotations

from typing import Final

from connector.ledger import people
from connector.ledger.chain import CONSENTS
from connector.ledger.sqlite import SqliteStore

OWN: Final = {"_sqlite_migrations", "sqlite_sequence"}

#: Columns that stay when a person is forgotten, table by table, and hold nothing that names them:
#: ids of ours, instants, words of ours, figures, digests.
STAYS: Final = {
    "decisions": "*",
    "decision_repeats": "*",
    "receipts": "*",
    "reached": "*",
    "assignments": "*",
    "attempts": "*",
    "replies": "id provider provider_id sender label contact_id send_id occurred_at heard_at "
    "repeats",
    "outcomes": "id cause contact_id kind occurred_at heard_at value_micros currency enrolment_id "
    "send_id event_id",
    "sends": "id channel cause cause_id step conflict contact_id enrolment_id play version "
    "purpose mode sender provider template language encoding segments priority state reason "
    "attempt planned_at due_at expires_at begun_at accepted_at settled_at counts_at provider_id "
    "status status_rank "
    "error_code cost_micros currency pots spent_segments spent_micros",
    "enrolments": "id play version contact_id signal_id mode state step due_at triggered_at "
    "eligible_at opened_at first_text_at goal_until goal_at goal_kind ended_at exit_reason arm "
    "step_name awaiting_since",
    "events": "id source source_event_id type name occurred_at received_at state back_fill mapping "
    "taken_at repeats conflicts",
    "consents": "*",
    "acts": "*",
}


def columns(store: SqliteStore) -> dict[str, set[str]]:
    with store.read() as tx:
        found = tx.all("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = [row["name"] for row in found]
        return {
            name: {row["name"] for row in tx.all(f"SELECT name FROM pragma_table_info('{name}')")}
            for name in tables
            if name not in OWN
        }


def test_every_table_is_exported_or_says_why_nobody_is_in_it(store: SqliteStore) -> None:
    placed = {place.table for place in people.PLACES}
    assert placed | set(people.NOBODY) == set(columns(store))
    assert not placed & set(people.NOBODY)


def test_every_column_by_which_a_person_is_found_is_there(store: SqliteStore) -> None:
    known = columns(store)
    for place in people.PLACES:
        assert {column for column, _ in place.by} <= {*known[place.table], people.THING}, (
            place.table
        )


def test_every_column_that_outlives_a_person_is_known_to_name_nobody(store: SqliteStore) -> None:
    known = columns(store)
    for place in people.PLACES:
        if place.blank is None and place.table not in ("consents", "acts"):
            assert place.table not in STAYS, f"{place.table}: its rows go"
            continue
        assert place.stays, f"{place.table} must say why it stays"
        stays = known[place.table] - set(place.blank or {})
        told = STAYS[place.table]
        if told != "*":
            assert stays == set(told.split()), place.table


def test_what_names_a_person_in_a_consent_is_what_the_chain_lets_go() -> None:
    assert {"phone", "wording", "source", "evidence", "ip", "url", "user_agent"} == set(
        CONSENTS.personal
    )
