"""The tables, in SQL that SQLite and PostgreSQL both read; forward-only, numbered.

Instants are fixed-width UTC text (``clock.text``), so that text order is time order. An absent
fact is a nullable instant, not a boolean. JSON is text that only Python reads. Values that name
a person stand in ``contacts``, ``identities``, ``numbers``, ``events``, ``signals``, ``replies``,
``consents``, ``lookups``, ``refreshes`` (until its text has gone), ``sends``, ``links``, ``facts``,
``sticky_senders``, ``staff_ids``
and the local CRM's tables, and nowhere else.

The words a column may hold are joined by OR and not listed by IN: SQLite opens a temporary table
for each list of more than two at every write, which made a tenth of what a text costs.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = ("m0001_first",)
"""Names of all migrations of this release, in order; ``migrations.py`` has what they do."""

FIRST: Final = (
    # -- what we heard -------------------------------------------------------------------------
    """CREATE TABLE events (
        id TEXT PRIMARY KEY, source TEXT NOT NULL, source_event_id TEXT NOT NULL,
        type TEXT NOT NULL, name TEXT NOT NULL,
        occurred_at TEXT NOT NULL, received_at TEXT NOT NULL,
        payload TEXT NOT NULL, body_hash TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state = 'done' OR state = 'unmapped' OR state = 'failed'),
        reason TEXT NOT NULL DEFAULT '', back_fill BIGINT NOT NULL DEFAULT 0,
        contact_id TEXT, mapping TEXT NOT NULL DEFAULT '', taken_at TEXT,
        repeats BIGINT NOT NULL DEFAULT 0, conflicts BIGINT NOT NULL DEFAULT 0,
        UNIQUE (source, source_event_id))""",
    "CREATE INDEX events_contact ON events (contact_id, occurred_at)",
    "CREATE INDEX events_failed ON events (state, received_at) WHERE state <> 'done'",
    """CREATE TABLE unreadable (
        id TEXT PRIMARY KEY, source TEXT NOT NULL, reason TEXT NOT NULL, url TEXT NOT NULL,
        headers TEXT NOT NULL, body TEXT NOT NULL, bytes BIGINT NOT NULL,
        received_at TEXT NOT NULL)""",
    "CREATE INDEX unreadable_source ON unreadable (source, received_at)",
    """CREATE TABLE catalogue (
        source TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL,
        heard BIGINT NOT NULL DEFAULT 0, done BIGINT NOT NULL DEFAULT 0,
        known BIGINT NOT NULL DEFAULT 0, failed BIGINT NOT NULL DEFAULT 0,
        robots BIGINT NOT NULL DEFAULT 0, staff BIGINT NOT NULL DEFAULT 0,
        tests BIGINT NOT NULL DEFAULT 0, first_at TEXT NOT NULL, last_at TEXT NOT NULL,
        PRIMARY KEY (source, type, name))""",
    """CREATE TABLE source_hours (
        source TEXT NOT NULL, hour TEXT NOT NULL, heard BIGINT NOT NULL,
        PRIMARY KEY (source, hour))""",
    """CREATE TABLE staff_ids (
        kind TEXT NOT NULL, value TEXT NOT NULL, entry TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (kind, value, entry))""",
    """CREATE TABLE signals (
        id TEXT PRIMARY KEY, event_id TEXT NOT NULL, name TEXT NOT NULL,
        contact_id TEXT NOT NULL, key TEXT NOT NULL, occurred_at TEXT NOT NULL,
        activity BIGINT NOT NULL, facts TEXT NOT NULL, sensitive TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX signals_contact ON signals (contact_id, name, occurred_at)",
    "CREATE INDEX signals_key ON signals (name, key, contact_id, occurred_at) WHERE key <> ''",
    """CREATE TABLE things (
        kind TEXT NOT NULL, key TEXT NOT NULL, facts TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (kind, key))""",
    "CREATE INDEX things_key ON things (key, at)",
    # -- who they are --------------------------------------------------------------------------
    """CREATE TABLE contacts (
        id TEXT PRIMARY KEY, traits TEXT NOT NULL DEFAULT '{}', stage TEXT NOT NULL DEFAULT '',
        timezone TEXT NOT NULL DEFAULT '', country TEXT NOT NULL DEFAULT '',
        region TEXT NOT NULL DEFAULT '', postal TEXT NOT NULL DEFAULT '',
        language TEXT NOT NULL DEFAULT '',
        first_seen_at TEXT, last_seen_at TEXT, last_activity_at TEXT,
        first_visit TEXT NOT NULL DEFAULT '{}', last_visit TEXT NOT NULL DEFAULT '{}',
        merged_into TEXT, created_at TEXT NOT NULL)""",
    """CREATE INDEX contacts_activity ON contacts (last_activity_at)
        WHERE last_activity_at IS NOT NULL""",
    "CREATE INDEX contacts_merged ON contacts (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX contacts_quiet ON contacts (first_seen_at) WHERE last_activity_at IS NULL",
    """CREATE TABLE identities (
        kind TEXT NOT NULL, value TEXT NOT NULL, contact_id TEXT NOT NULL,
        event_id TEXT NOT NULL, linked_at TEXT NOT NULL, confirmed_at TEXT, detached_at TEXT,
        profile TEXT NOT NULL DEFAULT '', profile_at TEXT,
        PRIMARY KEY (kind, value, contact_id))""",
    "CREATE INDEX identities_contact ON identities (contact_id, kind)",
    """CREATE UNIQUE INDEX identities_deciding ON identities (kind, value)
        WHERE kind <> 'phone' AND kind <> 'email' AND detached_at IS NULL""",
    """CREATE TABLE identity_links (
        id TEXT PRIMARY KEY, act TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
        contact_id TEXT NOT NULL, event_id TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE INDEX identity_links_contact ON identity_links (contact_id)",
    """CREATE TABLE merges (
        id TEXT PRIMARY KEY, winner TEXT NOT NULL, loser TEXT NOT NULL, event_id TEXT NOT NULL,
        at TEXT NOT NULL, moved TEXT NOT NULL, undone_at TEXT)""",
    """CREATE TABLE stage_changes (
        id TEXT PRIMARY KEY, contact_id TEXT NOT NULL, from_stage TEXT NOT NULL,
        to_stage TEXT NOT NULL, occurred_at TEXT NOT NULL, heard_at TEXT NOT NULL,
        event_id TEXT NOT NULL)""",
    "CREATE INDEX stage_changes_contact ON stage_changes (contact_id, occurred_at)",
    # -- their numbers and consents ------------------------------------------------------------
    """CREATE TABLE numbers (
        phone TEXT PRIMARY KEY, type TEXT NOT NULL DEFAULT '', country TEXT NOT NULL DEFAULT '',
        touched BIGINT NOT NULL DEFAULT 0,
        blocked_at TEXT, blocked_by TEXT NOT NULL DEFAULT '',
        blocked_scope TEXT NOT NULL DEFAULT '',
        held_at TEXT, held_why TEXT NOT NULL DEFAULT '',
        confirming_at TEXT, confirming TEXT NOT NULL DEFAULT '[]',
        checked_at TEXT, reassigned_at TEXT, reassigned_how TEXT NOT NULL DEFAULT '',
        suppressed_at TEXT, suppressed_why TEXT NOT NULL DEFAULT '',
        suppressed_scope TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX numbers_held ON numbers (held_at) WHERE held_at IS NOT NULL",
    "CREATE INDEX numbers_suppressed ON numbers (phone) WHERE suppressed_at IS NOT NULL",
    """CREATE TABLE lookups (
        id TEXT PRIMARY KEY, phone TEXT NOT NULL, provider TEXT NOT NULL, type TEXT NOT NULL,
        reassigned TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', at TEXT NOT NULL)""",
    "CREATE INDEX lookups_at ON lookups (at)",
    "CREATE INDEX lookups_phone ON lookups (phone, at)",
    """CREATE TABLE consents (
        id TEXT PRIMARY KEY, phone TEXT NOT NULL, purpose TEXT NOT NULL,
        action TEXT NOT NULL CHECK (action = 'granted' OR action = 'revoked'
            OR action = 'pending'), method TEXT NOT NULL,
        wording TEXT NOT NULL, wording_version TEXT NOT NULL DEFAULT '',
        source TEXT NOT NULL, evidence TEXT NOT NULL,
        ip TEXT NOT NULL DEFAULT '', url TEXT NOT NULL DEFAULT '',
        user_agent TEXT NOT NULL DEFAULT '',
        recorded_by TEXT NOT NULL, event_id TEXT NOT NULL,
        occurred_at TEXT NOT NULL, recorded_at TEXT NOT NULL,
        salt TEXT, sealed TEXT NOT NULL, seq BIGINT NOT NULL UNIQUE, hash TEXT NOT NULL)""",
    "CREATE INDEX consents_phone ON consents (phone, purpose, occurred_at)",
    "CREATE INDEX consents_pending ON consents (source, recorded_at) WHERE action = 'pending'",
    # -- what we thought -----------------------------------------------------------------------
    """CREATE TABLE files (
        kind TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, content TEXT NOT NULL,
        seen_at TEXT NOT NULL, PRIMARY KEY (kind, name, version))""",
    """CREATE TABLE enrolments (
        id TEXT PRIMARY KEY, play TEXT NOT NULL, version TEXT NOT NULL, contact_id TEXT NOT NULL,
        key TEXT NOT NULL, signal_id TEXT NOT NULL, mode TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'walking' OR state = 'done'
            OR state = 'ended'),
        step BIGINT NOT NULL, due_at TEXT,
        triggered_at TEXT NOT NULL, eligible_at TEXT NOT NULL, opened_at TEXT NOT NULL,
        first_text_at TEXT, goal_until TEXT, goal_at TEXT, goal_event_id TEXT,
        goal_kind TEXT NOT NULL DEFAULT '',
        ended_at TEXT, exit_reason TEXT NOT NULL DEFAULT '',
        arm TEXT NOT NULL DEFAULT '', step_name TEXT NOT NULL DEFAULT '', awaiting_since TEXT,
        UNIQUE (play, contact_id, key))""",
    "CREATE INDEX enrolments_due ON enrolments (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX enrolments_contact ON enrolments (contact_id, state)",
    "CREATE INDEX enrolments_play ON enrolments (play, state)",
    """CREATE TABLE timers (
        kind TEXT NOT NULL CHECK (kind = 'date' OR kind = 'segment'), name TEXT NOT NULL,
        contact_id TEXT NOT NULL, key TEXT NOT NULL, due_at TEXT NOT NULL, base TEXT NOT NULL,
        PRIMARY KEY (kind, name, contact_id, key))""",
    "CREATE INDEX timers_due ON timers (due_at)",
    "CREATE INDEX timers_contact ON timers (contact_id)",
    """CREATE TABLE readings (
        play TEXT NOT NULL, contact_id TEXT NOT NULL, key TEXT NOT NULL, at TEXT NOT NULL,
        value TEXT NOT NULL, armed BIGINT NOT NULL, PRIMARY KEY (play, contact_id, key))""",
    """CREATE TABLE reached (
        enrolment_id TEXT NOT NULL, level TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (enrolment_id, level))""",
    """CREATE TABLE memberships (
        segment TEXT NOT NULL, contact_id TEXT NOT NULL, inside BIGINT NOT NULL,
        since TEXT NOT NULL, PRIMARY KEY (segment, contact_id))""",
    """CREATE TABLE fanouts (
        id TEXT PRIMARY KEY, play TEXT NOT NULL, version TEXT NOT NULL, signal_id TEXT NOT NULL,
        key TEXT NOT NULL, occurred_at TEXT NOT NULL, heard_at TEXT NOT NULL,
        cursor TEXT NOT NULL DEFAULT '', taken BIGINT NOT NULL DEFAULT 0,
        state TEXT NOT NULL CHECK (state = 'open' OR state = 'done' OR state = 'full'),
        ended_at TEXT, UNIQUE (play, signal_id))""",
    "CREATE INDEX fanouts_open ON fanouts (heard_at) WHERE state = 'open'",
    """CREATE TABLE pauses (
        play TEXT PRIMARY KEY, verdict TEXT NOT NULL CHECK (verdict = 'hold' OR verdict = 'drop'),
        since TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL)""",
    """CREATE TABLE acts (
        id TEXT PRIMARY KEY, act TEXT NOT NULL, about TEXT NOT NULL, version TEXT NOT NULL,
        who TEXT NOT NULL, why TEXT NOT NULL, at TEXT NOT NULL,
        salt TEXT, sealed TEXT NOT NULL, seq BIGINT NOT NULL UNIQUE, hash TEXT NOT NULL)""",
    "CREATE INDEX acts_about ON acts (about, at)",
    """CREATE TABLE assignments (
        experiment TEXT NOT NULL, contact_id TEXT NOT NULL, arm TEXT NOT NULL,
        probability TEXT NOT NULL, candidates TEXT NOT NULL, assigned_at TEXT NOT NULL,
        mixed_at TEXT, PRIMARY KEY (experiment, contact_id))""",
    """CREATE TABLE facts (hash TEXT PRIMARY KEY, body TEXT NOT NULL)""",
    """CREATE TABLE decisions (
        id TEXT PRIMARY KEY,
        moment TEXT NOT NULL CHECK (moment = 'trigger' OR moment = 'plan' OR moment = 'send'),
        contact_id TEXT NOT NULL, play TEXT NOT NULL, version TEXT NOT NULL, key TEXT NOT NULL,
        step TEXT NOT NULL, enrolment_id TEXT, send_id TEXT, event_id TEXT,
        verdict TEXT NOT NULL, reason TEXT NOT NULL, objections TEXT NOT NULL, until_at TEXT,
        policy_version TEXT NOT NULL, facts_hash TEXT NOT NULL,
        decided_at TEXT NOT NULL, seq BIGINT NOT NULL UNIQUE, hash TEXT NOT NULL)""",
    "CREATE INDEX decisions_send ON decisions (send_id) WHERE send_id IS NOT NULL",
    "CREATE INDEX decisions_event ON decisions (event_id) WHERE event_id IS NOT NULL",
    "CREATE INDEX decisions_contact ON decisions (contact_id, decided_at)",
    """CREATE TABLE decision_repeats (
        decision_id TEXT PRIMARY KEY, repeats BIGINT NOT NULL, last_at TEXT NOT NULL,
        until_at TEXT)""",
    """CREATE VIEW decided AS SELECT d.id, d.moment, d.contact_id, d.play, d.version, d.key, d.step,
        d.enrolment_id, d.send_id, d.event_id, d.verdict, d.reason, d.objections,
        CASE WHEN r.decision_id IS NULL THEN d.until_at ELSE r.until_at END AS until_at,
        d.policy_version, d.facts_hash, d.decided_at, coalesce(r.repeats, 0) AS repeats,
        coalesce(r.last_at, d.decided_at) AS last_at
    FROM decisions d LEFT JOIN decision_repeats r ON r.decision_id = d.id""",
    # -- what we said --------------------------------------------------------------------------
    """CREATE TABLE sends (
        id TEXT PRIMARY KEY, channel TEXT NOT NULL DEFAULT 'sms',
        cause TEXT NOT NULL, cause_id TEXT NOT NULL, step TEXT NOT NULL,
        contact_id TEXT NOT NULL, enrolment_id TEXT, play TEXT NOT NULL DEFAULT '',
        version TEXT NOT NULL DEFAULT '', key TEXT NOT NULL DEFAULT '',
        purpose TEXT NOT NULL, mode TEXT NOT NULL DEFAULT 'live',
        phone TEXT NOT NULL, sender TEXT NOT NULL DEFAULT '', provider TEXT NOT NULL DEFAULT '',
        template TEXT NOT NULL, language TEXT NOT NULL DEFAULT '', text TEXT NOT NULL DEFAULT '',
        encoding TEXT NOT NULL DEFAULT '', segments BIGINT, priority BIGINT NOT NULL DEFAULT 0,
        state TEXT NOT NULL CHECK (state = 'planned' OR state = 'sending' OR state = 'accepted'
            OR state = 'delivered' OR state = 'undelivered' OR state = 'refused'
            OR state = 'uncertain' OR state = 'cancelled' OR state = 'expired'),
        reason TEXT NOT NULL DEFAULT '', attempt BIGINT NOT NULL DEFAULT 0,
        planned_at TEXT NOT NULL, due_at TEXT NOT NULL, expires_at TEXT NOT NULL,
        begun_at TEXT, accepted_at TEXT, settled_at TEXT, counts_at TEXT,
        provider_id TEXT, status TEXT NOT NULL DEFAULT '', status_rank BIGINT NOT NULL DEFAULT 0,
        error_code TEXT NOT NULL DEFAULT '', cost_micros BIGINT, currency TEXT NOT NULL DEFAULT '',
        conflict TEXT NOT NULL DEFAULT '',
        pots TEXT NOT NULL DEFAULT '', spent_segments BIGINT NOT NULL DEFAULT 0,
        spent_micros BIGINT NOT NULL DEFAULT 0, UNIQUE (cause, cause_id, step))""",
    "CREATE INDEX sends_due ON sends (due_at) WHERE state = 'planned'",
    """CREATE INDEX sends_answers ON sends (due_at)
        WHERE state = 'planned' AND cause = 'system'""",
    """CREATE INDEX sends_first ON sends (due_at)
        WHERE state = 'planned' AND purpose <> 'marketing'""",
    "CREATE INDEX sends_open ON sends (state) WHERE state = 'sending' OR state = 'uncertain'",
    "CREATE INDEX sends_provider ON sends (provider_id) WHERE provider_id IS NOT NULL",
    "CREATE INDEX sends_phone ON sends (phone, counts_at) WHERE counts_at IS NOT NULL",
    "CREATE INDEX sends_contact ON sends (contact_id, counts_at) WHERE counts_at IS NOT NULL",
    """CREATE INDEX sends_stopped ON sends (state, id)
        WHERE state = 'undelivered' OR state = 'refused' OR state = 'cancelled'
            OR state = 'expired'""",
    "CREATE INDEX sends_play ON sends (play, id)",
    "CREATE INDEX sends_enrolment ON sends (enrolment_id) WHERE enrolment_id IS NOT NULL",
    """CREATE TABLE attempts (
        send_id TEXT NOT NULL, attempt BIGINT NOT NULL, begun_at TEXT NOT NULL, settled_at TEXT,
        result TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
        code TEXT NOT NULL DEFAULT '', provider TEXT NOT NULL DEFAULT '',
        sender TEXT NOT NULL DEFAULT '', PRIMARY KEY (send_id, attempt))""",
    """CREATE TABLE doubts (
        send_id TEXT PRIMARY KEY, since_at TEXT NOT NULL, looks BIGINT NOT NULL DEFAULT 0,
        look_at TEXT, verdict TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '',
        evidence TEXT NOT NULL DEFAULT '[]', settled_at TEXT, who TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX doubts_look ON doubts (look_at) WHERE look_at IS NOT NULL",
    """CREATE TABLE sticky_senders (
        phone TEXT NOT NULL, provider TEXT NOT NULL, channel TEXT NOT NULL DEFAULT 'sms',
        sender TEXT NOT NULL, since_at TEXT NOT NULL, PRIMARY KEY (phone, provider, channel))""",
    """CREATE TABLE links (
        code TEXT PRIMARY KEY, url TEXT NOT NULL, send_id TEXT NOT NULL, contact_id TEXT NOT NULL,
        made_at TEXT NOT NULL, UNIQUE (send_id, url))""",
    """CREATE TABLE spending (
        pot TEXT PRIMARY KEY, segments BIGINT NOT NULL DEFAULT 0,
        micros BIGINT NOT NULL DEFAULT 0)""",
    """CREATE TABLE touches (
        id TEXT PRIMARY KEY, contact_id TEXT NOT NULL, channel TEXT NOT NULL,
        purpose TEXT NOT NULL, at TEXT NOT NULL, event_id TEXT NOT NULL)""",
    "CREATE INDEX touches_contact ON touches (contact_id, at)",
    """CREATE TABLE conversations (
        phone TEXT PRIMARY KEY, opened_at TEXT NOT NULL, last_at TEXT NOT NULL, closed_at TEXT,
        who TEXT NOT NULL)""",
    # -- what came of it -----------------------------------------------------------------------
    """CREATE TABLE receipts (
        id TEXT PRIMARY KEY, provider TEXT NOT NULL, provider_id TEXT NOT NULL,
        status TEXT NOT NULL, raw_status TEXT NOT NULL, error_code TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        stamp TEXT NOT NULL, send_id TEXT, occurred_at TEXT, heard_at TEXT NOT NULL,
        repeats BIGINT NOT NULL DEFAULT 0,
        UNIQUE (provider, provider_id, raw_status, error_code, stamp))""",
    """CREATE TABLE replies (
        id TEXT PRIMARY KEY, provider TEXT NOT NULL, provider_id TEXT NOT NULL,
        phone TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,
        label TEXT NOT NULL, why TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '',
        contact_id TEXT, send_id TEXT,
        occurred_at TEXT NOT NULL, heard_at TEXT NOT NULL, repeats BIGINT NOT NULL DEFAULT 0,
        UNIQUE (provider, provider_id))""",
    "CREATE INDEX replies_phone ON replies (phone, occurred_at)",
    "CREATE INDEX replies_send ON replies (send_id) WHERE send_id IS NOT NULL",
    "CREATE INDEX replies_contact ON replies (contact_id, occurred_at)",
    """CREATE TABLE outcomes (
        id TEXT PRIMARY KEY, cause TEXT NOT NULL UNIQUE, contact_id TEXT NOT NULL,
        kind TEXT NOT NULL, occurred_at TEXT NOT NULL, heard_at TEXT NOT NULL,
        thing TEXT NOT NULL DEFAULT '', value_micros BIGINT, currency TEXT NOT NULL DEFAULT '',
        enrolment_id TEXT, send_id TEXT, event_id TEXT)""",
    "CREATE INDEX outcomes_contact ON outcomes (contact_id, occurred_at)",
    """CREATE TABLE clicks (
        id TEXT PRIMARY KEY, send_id TEXT NOT NULL, contact_id TEXT NOT NULL, link TEXT NOT NULL,
        verdict TEXT NOT NULL CHECK (verdict = 'human' OR verdict = 'machine'
            OR verdict = 'unknown'),
        why TEXT NOT NULL, method TEXT NOT NULL, agent TEXT NOT NULL, at TEXT NOT NULL,
        heard_at TEXT NOT NULL, network TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX clicks_contact ON clicks (contact_id, at)",
    "CREATE INDEX clicks_send ON clicks (send_id, at)",
    "CREATE INDEX clicks_network ON clicks (network, at) WHERE network <> ''",
    """CREATE TABLE template_days (
        template TEXT NOT NULL, day TEXT NOT NULL, delivered BIGINT NOT NULL DEFAULT 0,
        opted_out BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (template, day))""",
    # -- what the CRM is owed ------------------------------------------------------------------
    """CREATE TABLE writebacks (
        id TEXT PRIMARY KEY, crm TEXT NOT NULL, contact_id TEXT NOT NULL, kind TEXT NOT NULL,
        key TEXT NOT NULL, change TEXT NOT NULL, send_id TEXT,
        state TEXT NOT NULL CHECK (
            state = 'owed' OR state = 'written' OR state = 'parked' OR state = 'dropped'),
        attempt BIGINT NOT NULL DEFAULT 0, due_at TEXT NOT NULL, owed_at TEXT NOT NULL,
        written_at TEXT, record TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
        code TEXT NOT NULL DEFAULT '', remedy TEXT NOT NULL DEFAULT '', leased_until TEXT,
        in_doubt BIGINT NOT NULL DEFAULT 0, waits BIGINT NOT NULL DEFAULT 1,
        revision BIGINT NOT NULL DEFAULT 1, UNIQUE (crm, key))""",
    "CREATE INDEX writebacks_due ON writebacks (crm, waits, due_at) WHERE state = 'owed'",
    """CREATE INDEX writebacks_leased ON writebacks (crm, leased_until)
        WHERE state = 'owed' AND leased_until IS NOT NULL""",
    "CREATE INDEX writebacks_parked ON writebacks (crm) WHERE state = 'parked'",
    "CREATE INDEX writebacks_contact ON writebacks (contact_id, crm)",
    "CREATE INDEX writebacks_send ON writebacks (send_id) WHERE send_id IS NOT NULL",
    """CREATE TABLE crm_facts (
        contact_id TEXT NOT NULL, crm TEXT NOT NULL, facts TEXT NOT NULL, fetched_at TEXT NOT NULL,
        PRIMARY KEY (contact_id, crm))""",
    """CREATE TABLE crm_changes (
        id TEXT PRIMARY KEY, contact_id TEXT NOT NULL, crm TEXT NOT NULL, facts TEXT NOT NULL,
        heard_at TEXT NOT NULL)""",
    "CREATE INDEX crm_changes_heard ON crm_changes (heard_at)",
    """CREATE TABLE crm_hints (
        crm TEXT NOT NULL, object TEXT NOT NULL, record TEXT NOT NULL, fate TEXT NOT NULL,
        became TEXT NOT NULL DEFAULT '', occurred_at TEXT NOT NULL, heard_at TEXT NOT NULL,
        due_at TEXT NOT NULL, attempt BIGINT NOT NULL DEFAULT 0,
        revision BIGINT NOT NULL DEFAULT 1, PRIMARY KEY (crm, object, record, fate))""",
    "CREATE INDEX crm_hints_due ON crm_hints (crm, due_at)",
    """CREATE TABLE crm_records (
        crm TEXT NOT NULL, object TEXT NOT NULL, record TEXT NOT NULL, contact_id TEXT,
        fields TEXT NOT NULL, people TEXT NOT NULL DEFAULT '[]', modified_at TEXT NOT NULL,
        read_at TEXT NOT NULL, fate TEXT NOT NULL DEFAULT '', became TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (crm, object, record))""",
    "CREATE INDEX crm_records_contact ON crm_records (contact_id) WHERE contact_id IS NOT NULL",
    """CREATE TABLE crm_history (
        id TEXT PRIMARY KEY, crm TEXT NOT NULL, object TEXT NOT NULL, record TEXT NOT NULL,
        contact_id TEXT, field TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
        occurred_at TEXT NOT NULL, heard_at TEXT NOT NULL,
        UNIQUE (crm, object, record, field, occurred_at, after))""",
    "CREATE INDEX crm_history_contact ON crm_history (contact_id) WHERE contact_id IS NOT NULL",
    """CREATE TABLE crm_people (
        crm TEXT NOT NULL, object TEXT NOT NULL, record TEXT NOT NULL, person TEXT NOT NULL,
        since_at TEXT NOT NULL, until_at TEXT, PRIMARY KEY (crm, object, record, person))""",
    "CREATE INDEX crm_people_person ON crm_people (person)",
    """CREATE TABLE errands (
        crm TEXT NOT NULL, key TEXT NOT NULL, object TEXT NOT NULL, record TEXT NOT NULL,
        event TEXT NOT NULL, play TEXT NOT NULL, template TEXT NOT NULL, purpose TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state = 'reading' OR state = 'open' OR state = 'done'),
        occurred_at TEXT NOT NULL, asked_at TEXT NOT NULL, until_at TEXT NOT NULL,
        enrolment_id TEXT, send_id TEXT, result TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '', done_at TEXT, PRIMARY KEY (crm, key))""",
    "CREATE INDEX errands_waiting ON errands (state, asked_at) WHERE state <> 'done'",
    "CREATE INDEX errands_done ON errands (done_at) WHERE done_at IS NOT NULL",
    """CREATE TABLE refreshes (
        kind TEXT NOT NULL CHECK (kind = 'crm' OR kind = 'number'), about TEXT NOT NULL,
        send_id TEXT NOT NULL, asked_at TEXT NOT NULL, due_at TEXT NOT NULL,
        attempt BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (kind, about, send_id))""",
    "CREATE INDEX refreshes_due ON refreshes (kind, due_at)",
    """CREATE TABLE local_records (
        id TEXT PRIMARY KEY, contact_id TEXT NOT NULL UNIQUE, fields TEXT NOT NULL,
        changed_at TEXT NOT NULL)""",
    """CREATE TABLE local_activities (
        key TEXT PRIMARY KEY, record TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
        body TEXT NOT NULL, status TEXT NOT NULL, occurred_at TEXT NOT NULL,
        changed_at TEXT NOT NULL)""",
    "CREATE INDEX local_activities_record ON local_activities (record, occurred_at)",
    # -- what binds it together ----------------------------------------------------------------
    """CREATE TABLE chains (
        name TEXT PRIMARY KEY, seq BIGINT NOT NULL DEFAULT 0, hash TEXT NOT NULL DEFAULT '')""",
    "INSERT INTO chains (name) VALUES ('acts'), ('consents'), ('decisions')",
    # -- who was forgotten ---------------------------------------------------------------------
    """CREATE TABLE forgotten (
        digest TEXT PRIMARY KEY, kind TEXT NOT NULL, stopped_at TEXT, at TEXT NOT NULL)""",
    # -- housekeeping --------------------------------------------------------------------------
    """CREATE TABLE alarms (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, about TEXT NOT NULL, says TEXT NOT NULL,
        at TEXT NOT NULL, count BIGINT NOT NULL DEFAULT 1, last_at TEXT NOT NULL,
        told_at TEXT, cleared_at TEXT)""",
    "CREATE UNIQUE INDEX alarms_open ON alarms (kind, about) WHERE cleared_at IS NULL",
    "CREATE INDEX alarms_untold ON alarms (at) WHERE told_at IS NULL",
    "CREATE TABLE cursors (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
)
