"""The table: what happened that day, read back from the ledger and from the provider's own log.

``python -m connector.demo.table FOLDER`` prints it as JSON. It knows nothing of how the day was
played: it reads the folder as any other process could.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connector.clock import TestClock, text
from connector.demo import facts
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row, Tx
from connector.rules.writeback import LABEL_WORDS, status_words
from connector.runtime import CLOCK_FILE, LEDGER_FILE

Item = dict[str, Any]

OUTBOX: Final = "sandbox.jsonl"
EVENTS: Final = """SELECT e.*, s.name AS signal, s.facts AS facts FROM events e
    LEFT JOIN signals s ON s.event_id = e.id ORDER BY e.occurred_at, e.id"""
DECISIONS: Final = "SELECT * FROM decisions WHERE verdict <> 'send' ORDER BY decided_at, id"
SENDS: Final = """SELECT s.*, e.goal_at, e.exit_reason, g.id AS goal_id, g.value_micros,
        g.currency AS goal_currency, v.name AS goal_name
    FROM sends s LEFT JOIN enrolments e ON e.id = s.enrolment_id
    LEFT JOIN outcomes g ON g.send_id = s.id AND g.kind = 'goal_reached'
    LEFT JOIN events v ON v.id = g.event_id ORDER BY coalesce(s.accepted_at, s.planned_at), s.id"""
