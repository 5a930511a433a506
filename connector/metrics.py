"""Figures for Prometheus, read from partial indexes and counters so that asking is cheap."""

from __future__ import annotations

from collections.abc import Iterable

from connector.ledger import cursors
from connector.ledger.inbox import Inbox
from connector.ledger.store import Tx

OPEN = {
    "connector_sends_planned": (
        "Texts that wait to leave.",
        "SELECT count(*) AS n FROM sends WHERE state = 'planned'",
    ),
    "connector_sends_in_flight": (
        "Texts handed to the provider whose answer is not settled.",
        "SELECT count(*) AS n FROM sends WHERE state = 'sending'",
    ),
    "connector_sends_doubtful": (
        "Texts of unknown fate; see `connector sends --doubtful`.",
        "SELECT count(*) AS n FROM sends WHERE state = 'uncertain'",
    ),
    "connector_writebacks_owed": (
        "Changes the CRM is still owed.",
        "SELECT count(*) AS n FROM writebacks WHERE state = 'owed'",
    ),
    "connector_alarms_open": (
        "Alarms that stand; see `connector alerts list`.",
        "SELECT count(*) AS n FROM alarms WHERE cleared_at IS NULL",
    ),
    "connector_alert_targets_failing": (
        "Targets of [alerts] that did not hear the last message.",
        "SELECT count(*) AS n FROM cursors WHERE name LIKE 'alerts:target:%' AND value <> ''",
    ),
    "connector_paused": (
        "1 while the kill switch holds everything.",
        "SELECT count(*) AS n FROM pauses WHERE play = '*'",
    ),
    "connector_providers_resting": (
        "Providers that failed again and again and are left alone; see `connector capacity`.",
        "SELECT count(*) AS n FROM alarms WHERE kind = 'provider_rests' AND cleared_at IS NULL",
    ),
    "connector_replies_unheard": (
        "1 while marketing waits because replies may have been missed.",
        "SELECT count(*) AS n FROM pauses WHERE play = '@unheard'",
    ),
    "connector_events_failed": (
        "Events kept aside because their mapping failed; see `connector events`.",
        "SELECT count(*) AS n FROM events WHERE state = 'failed'",
    ),
    "connector_enrolments_due": (
        "Enrolments with a step to come.",
        "SELECT count(*) AS n FROM enrolments WHERE due_at IS NOT NULL",
    ),
}


def render(tx: Tx, inbox: Inbox) -> str:
    """Prometheus' text format."""
    lines: list[str] = []
    for name, (says, sql) in OPEN.items():
        row = tx.one(sql)
        lines += _metric(name, says, "gauge", [("", int(row["n"]) if row else 0)])
    lines += _metric(
        "connector_inbox_waiting",
        "Deliveries not yet moved into the ledger, by source, and one more for each KiB they have.",
        "gauge",
        [(f'source="{name}"', value) for name, value in sorted(inbox.waiting().items())],
    )
    lines += _metric(
        "connector_deliveries_accepted_total",
        "Deliveries put on disk since this process started, by source.",
        "counter",
        [(f'source="{name}"', value) for name, value in sorted(inbox.accepted.items())],
    )
    lines += _metric(
        "connector_counted_total",
        "What was dropped or repeated, by kind.",
        "counter",
        [(f'kind="{name}"', value) for name, value in sorted(cursors.counts(tx).items())],
    )
    return "\n".join(lines) + "\n"


def _metric(name: str, says: str, kind: str, values: Iterable[tuple[str, int]]) -> list[str]:
    rows = [
        f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in values
    ]
    return [f"# HELP {name} {says}", f"# TYPE {name} {kind}", *rows]
