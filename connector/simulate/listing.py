"""The listing: each text, wait, stop, task and call of a simulation in a row of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from connector.simulate.scratch import ScratchTx

COLUMNS: Final = (
    *("at", "what", "play", "step", "contact_id", "key", "reason", "until", "segments"),
    *("language", "text"),
)
ROWS: Final = """SELECT accepted_at AS at, 'sent' AS what, play, step, contact_id, key,
        '' AS reason, NULL AS until, segments, language, text
    FROM sends WHERE accepted_at IS NOT NULL AND accepted_at >= :since
    UNION ALL
    SELECT decided_at, CASE WHEN moment = 'trigger' AND verdict <> 'send' THEN 'not started'
            WHEN moment = 'trigger' THEN 'started' WHEN verdict = 'wait' THEN 'held'
            ELSE 'stopped' END,
        play, step, contact_id, key, reason, until_at, NULL, '', ''
    FROM decided WHERE (verdict <> 'send' OR moment = 'trigger') AND decided_at >= :since
    UNION ALL
    SELECT w.owed_at, w.kind, coalesce(e.play, ''), '', w.contact_id, coalesce(e.key, ''), '', NULL,
        NULL, '', ''
    FROM writebacks w
    LEFT JOIN enrolments e ON w.key LIKE '%:' || e.id || ':%' AND e.contact_id = w.contact_id
    WHERE w.kind <> 'activity' AND w.kind <> 'fields' AND w.owed_at >= :since
        AND w.key NOT LIKE 'task:reply:%'
    ORDER BY 1"""


def listing(tx: ScratchTx, since: str = "") -> Iterator[dict[str, Any]]:
    """Every row, oldest first."""
    for row in tx.each(ROWS, since=since):
        yield {name: row[name] for name in COLUMNS}
