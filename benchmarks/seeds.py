"""Ledgers that are years old on the first day: written by SQL, kept in .bench/ for the next run."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.figures import tell
from benchmarks.shop import AREA_CODES, ZONES
from connector.ledger import migrations, schema
from connector.ledger.sqlite import SqliteStore

PLACE: Final = Path(__file__).parents[1] / ".bench"
LAST_DAY: Final = "2026-11-17"  #: of the last text; a decision is measured the day after
SPAN: Final = 540 * 86_400  #: seconds over which the texts are spread
SENDS_A_CONTACT: Final = 10
"""On average: a fifth of the people had 30 texts, the others 5."""

EACH: Final = (
    "WITH RECURSIVE each(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM each WHERE i + 1 < {})"
)
AT: Final = f"""strftime('%Y-%m-%dT%H:%M:%S', '{LAST_DAY}',
        ((i - :sends) * {SPAN} / :sends) || ' seconds') || '.000000Z'"""
WHO: Final = """printf('con_%016d', CASE WHEN i % 2 = 0 THEN i * 7919 % :contacts
    ELSE i * 7919 % (:contacts / 5) END)"""
NUMBER: Final = "'+1' || substr(:areas, 1 + i % 10 * 3, 3) || (2010000 + i / 10)"
PHONE: Final = NUMBER.replace("i ", "who ")

PEOPLE: Final = (
    f"""INSERT INTO contacts (id, traits, stage, timezone, first_seen_at, last_seen_at,
        last_activity_at, created_at)
    SELECT printf('con_%016d', i), '{{"first_name":"Ann","company":"Example"}}', 'lead',
        CASE i % 4 {" ".join(f"WHEN {n} THEN '{zone}'" for n, zone in enumerate(ZONES))} END,
        '2025-05-01T00:00:00.000000Z', '{LAST_DAY}T00:00:00.000000Z',
        '{LAST_DAY}T00:00:00.000000Z', '2025-05-01T00:00:00.000000Z' FROM each""",
    f"""INSERT INTO identities (kind, value, contact_id, event_id, linked_at, confirmed_at)
    SELECT kind, CASE kind WHEN 'phone' THEN {NUMBER} WHEN 'email' THEN i || '@shopper.example'
            ELSE 'user-' || i END, printf('con_%016d', i), '', '2025-05-01T00:00:00.000000Z',
        '2025-05-01T00:00:00.000000Z'
    FROM each, (SELECT 'phone' AS kind UNION ALL SELECT 'email' UNION ALL SELECT 'user_id')""",
    f"INSERT INTO numbers (phone, country, touched) SELECT {NUMBER}, 'US', 20 FROM each",
    f"""INSERT INTO consents (id, phone, purpose, action, method, wording, source, evidence,
        recorded_by, event_id, occurred_at, recorded_at, sealed, seq, hash)
    SELECT printf('cns_%016d', i), {NUMBER}, 'marketing', 'granted', 'web_form',
        'Yes, text me offers. Up to 6 a month. Reply STOP to end.', 'backend', '{{}}',
        'connector', '', '2025-05-01T00:00:00.000000Z', '2025-05-01T00:00:00.000000Z', '', i + 1, ''
    FROM each""",
)
"""What is known of each person; ``i`` counts them."""

TEXTS: Final = (
    f"""INSERT INTO signals (id, event_id, name, contact_id, key, occurred_at, activity, facts)
    SELECT printf('sig_%016d%d', i, n), printf('evt_%016d%d', i, n),
        CASE n WHEN 0 THEN 'cart_updated' ELSE 'product_viewed' END, {WHO}, 'cart-' || i,
        {AT}, 1, '{{"cart_id":"c","value":42.5,"currency":"USD","product":"Mug"}}'
    FROM each, (SELECT 0 AS n UNION ALL SELECT 1)""",
    f"""INSERT INTO enrolments (id, play, version, contact_id, key, signal_id, mode, state, step,
        triggered_at, eligible_at, opened_at, first_text_at)
    SELECT printf('enr_%016d', i), 'cart_abandoned', '0123456789ab', {WHO}, 'cart-' || i,
        printf('sig_%016d0', i), 'live', CASE WHEN i % 10 = 0 THEN 'ended' ELSE 'done' END, 1,
        {AT}, {AT}, {AT}, {AT} FROM each""",
    f"""INSERT INTO sends (id, cause, cause_id, step, contact_id, enrolment_id, play, version, key,
        purpose, phone, provider, template, language, text, encoding, segments, state, attempt,
        planned_at, due_at, expires_at, begun_at, accepted_at, settled_at, counts_at, provider_id,
        status)
    SELECT printf('snd_%016d', i), 'play', printf('enr_%016d', i), 'reminder',
        printf('con_%016d', who), printf('enr_%016d', i), 'cart_abandoned', '0123456789ab',
        'cart-' || i, 'marketing', {PHONE}, 'twilio', 'cart_abandoned', 'en',
        'Corner Shop: you left something in your cart. Reply STOP to opt out', 'GSM-7', 1,
        CASE WHEN i % 14 = 0 THEN 'cancelled' ELSE 'delivered' END, 1, at, at, at, at, at, at,
        CASE WHEN i % 14 = 0 THEN NULL ELSE at END, printf('SM%032d', i), 'delivered'
    FROM (SELECT i, {AT} AS at, CAST(substr({WHO}, 5) AS INT) AS who FROM each)""",
    """INSERT INTO facts (hash, body)
    SELECT printf('%032d', i), '{"contact":"con","filler":"' || hex(zeroblob(250)) || '"}'
    FROM each""",
    f"""INSERT INTO decisions (id, moment, contact_id, play, version, key, step, enrolment_id,
        send_id, event_id, verdict, reason, objections, policy_version, facts_hash, decided_at,
        seq, hash)
    SELECT printf('dec_%016d%d', i, n), moment, {WHO}, 'cart_abandoned', '0123456789ab',
        'cart-' || i, 'reminder', printf('enr_%016d', i),
        CASE n WHEN 0 THEN NULL ELSE printf('snd_%016d', i) END,
        CASE n WHEN 2 THEN NULL ELSE printf('evt_%016d0', i) END, 'send', '', '[]',
        '0123456789ab+0123456789ab', printf('%032d', i), {AT}, 3 * i + n + 1, ''
    FROM each, (SELECT 0 AS n, 'trigger' AS moment UNION ALL SELECT 1, 'plan'
        UNION ALL SELECT 2, 'send')""",
    f"""INSERT INTO writebacks (id, crm, contact_id, kind, key, change, send_id, state, due_at,
        owed_at, written_at)
    SELECT printf('local:send:snd_%016d', i), 'local', {WHO}, 'activity',
        printf('send:snd_%016d', i), '{{}}', printf('snd_%016d', i), 'written', {AT},
        {AT}, {AT} FROM each""",
)
"""What came of each text; ``i`` counts them, in the order of time."""


def ledger(sends: int) -> SqliteStore:
    """A ledger with as many texts, from .bench/ or made now, and read once.

    So it is in the system's memory, as far as that goes, as one in use is; else the first touch
    of each person would measure the disk.
    """
    made_of = repr((schema.FIRST, PEOPLE, TEXTS)).encode()
    path = PLACE / f"ledger-{sends}-{hashlib.sha256(made_of).hexdigest()[:8]}.db"
    if not path.exists():
        tell(f"decisions: writing a ledger with {sends:,} texts to {path.parent.name}/, once")
        _write(path, sends)
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 24):
            pass
    return SqliteStore(path)


def _write(path: Path, sends: int) -> None:
    """Made beside its place and moved there when whole, without the indexes until the end."""
    PLACE.mkdir(exist_ok=True)
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    store = SqliteStore(half)
    migrations.migrate(store.database())
    store.close()
    with closing(sqlite3.connect(half, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = MEMORY")
        made.execute("PRAGMA synchronous = OFF")
        made.execute("PRAGMA cache_size = -400000")
        indexes = made.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        made.execute("BEGIN")
        for name, _ in indexes:
            made.execute(f"DROP INDEX {name}")
        _fill(made, sends)
        for _, sql in indexes:
            made.execute(sql)
        made.execute("COMMIT")
    half.rename(path)
    for left in PLACE.glob(f"{half.name}*"):
        left.unlink()


def _fill(made: sqlite3.Connection, sends: int) -> None:
    contacts = sends // SENDS_A_CONTACT
    names = {"sends": sends, "contacts": contacts, "areas": "".join(AREA_CODES)}
    for count, statements in ((contacts, PEOPLE), (sends, TEXTS)):
        for statement in statements:
            head, values, select = statement.partition("SELECT")
            made.execute(f"{EACH.format(count)} {head}{values}{select}", names)
    for chain in ("consents", "decisions"):  # what is added goes on after these
        newest = f"SELECT max(seq) FROM {chain}"
        made.execute(f"UPDATE chains SET seq = ({newest}) WHERE name = '{chain}'")
