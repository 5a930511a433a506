"""Trying a mapping on a sample: every step between a request and the plays it would start."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connector import adapters, clock, library
from connector.cli.samples import Sample
from connector.config import toml
from connector.config.loaded import Loaded
from connector.config.secrets import Secret
from connector.errors import ExpressionFailed, Unreadable, Unverified
from connector.model import Event, Hook, Json, Parsed, Signal, Subject, Trust
from connector.rules import identity
from connector.rules import mapping as mappings
from connector.rules.mapping import SourceMapping, Unmapped
from connector.rules.told import folded
from connector.rules.uses import uses
from connector.simulate import trying
from connector.simulate.trying import Judged, Tried
from connector.sources import signing
from connector.sources.reading import read_json
from connector.sources.segment import TYPES
from connector.steps.setup import OpenSource
from connector.web import hooks

SOURCES: Final = "mappings/sources"
ADDRESS: Final = "https://try.invalid"
SHOWN_NAMES: Final = 20
_FIELD = re.compile(r"(?:mapping_error: )?([a-z_]+(?:\[\d+\])?(?:\.[a-z0-9_]+)*): ")

Line = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: a source by its mapping, in the folder whose plays it would start."""

    loaded: Loaded
    name: str
    trust: Trust
    mapping: SourceMapping
    file: Path
    now: datetime
    secret: bytes = b""  #: b"" proves nothing
    identity: tuple[Secret, ...] | None = None  #: what user ids must be signed with; None: believed

    @property
    def users(self) -> str:
        """How users are proven: claimed, verified, or not_tried, where the secret is not set."""
        if self.trust is not Trust.browser or self.identity is None:
            return "claimed"
        return "verified" if all(each.is_there for each in self.identity) else "not_tried"

    @property
    def signed(self) -> tuple[bytes, ...] | None:
        """The secrets that user ids are compared by; None takes users at their word."""
        if self.users != "verified" or self.identity is None:
            return None
        return tuple(each.reveal().encode() for each in self.identity)

    def place(self, field: str) -> Line:
        """The file and the line at which a field of the mapping stands."""
        name = self.mapping.same_as
        file = self.file.with_name(f"{name}.toml") if name else self.file
        folder = self.loaded.settings.folder
        shown = file.relative_to(folder) if file.is_relative_to(folder) else file
        return {"file": str(shown), "line": toml.read(file, []).line(field), "field": field}


def run(trial: Trial, sample: Sample) -> Line:
    """Every step of one sample, as plain values."""
    hook = _hook(trial, sample)
    told: Line = {
        "payload": sample.name,
        "source": trial.name,
        "mapping": f"{trial.mapping.name}@{trial.mapping.version}",
        "adapter": trial.mapping.adapter,
        "trust": trial.trust.value,
        "verified": _verified(trial, sample, hook),
        "users": trial.users,
        "events": [],
        "rejected": [],
    }
    adapter = adapters.source_adapter(trial.name, trial.trust, trial.mapping, (), _any(trial))
    try:
        parsed: Parsed = adapter.parse(_kept(trial, hook), sample.received_at or trial.now)
    except Unreadable as error:
        return {**told, "unreadable": str(error), **_unread(trial, str(error))}
    told["rejected"] = [reason for reason, _ in parsed.rejected]
    opened = OpenSource(trial.name, trial.trust, adapter, trial.mapping)
    events = [identity.checked(event, trial.trust, trial.signed) for event in parsed.events]
    found = trying.try_out(trial.loaded, opened, events, sample.received_at or trial.now)
    return {**told, "events": [_event(trial, each) for each in found]}


def _hook(trial: Trial, sample: Sample) -> Hook:
    return Hook("POST", f"{ADDRESS}{_path(trial, sample.body)}", sample.headers, sample.body)


def _kept(trial: Trial, hook: Hook) -> Hook:
    """The request as the web hands it on: a mapping reads no other headers than are kept."""
    scheme = trial.mapping.verify
    return replace(hook, headers=hooks.kept(hook.headers, scheme.header if scheme else ""))


def _path(trial: Trial, raw: bytes) -> str:
    """The address that such a request comes to."""
    if trial.mapping.adapter != "segment" or trial.mapping.verify is not None:
        return f"/in/{trial.name}"
    try:
        body = read_json(raw)
    except Unreadable:
        body = None
    kind = body.get("type") if isinstance(body, dict) else None
    is_batch = isinstance(body, dict) and "batch" in body
    return "/v1/batch" if is_batch else f"/v1/{kind if kind in TYPES else 'track'}"


def _any(trial: Trial) -> tuple[bytes, ...]:
    scheme = trial.mapping.verify
    return () if scheme is None else (signing.some_secret(scheme),)


def _verified(trial: Trial, sample: Sample, hook: Hook) -> Line:
    """Whether the sample proves where it comes from, or how such a request would."""
    scheme = trial.mapping.verify
    if trial.mapping.adapter == "form":
        return {"result": "by_nobody", "how": "anybody may fill in a form, so it only proposes"}
    if scheme is None:
        return {"result": "by_key", "how": "one of the source's keys, in the request itself"}
    told = {"how": signing.described(scheme)}
    if not trial.secret:
        return {**told, "result": "not_tried", "why": "no secret was given (--secret-env NAME)"}
    header = signing.signature_header(scheme)
    if header in sample.redacted or (sample.is_masked and header in sample.headers):
        why = "the capture is redacted, so that neither body nor signature are what was sent"
        return {**told, "result": "not_tried", "why": why}
    is_ours, at = header not in sample.headers, sample.received_at or trial.now
    try:
        made = signing.sign(scheme, trial.secret, sample.body, at) if is_ours else {}
        hook = Hook(hook.method, hook.url, {**hook.headers, **made}, hook.body)
        secrets = (trial.secret,)
        adapter = adapters.source_adapter(trial.name, trial.trust, trial.mapping, (), secrets)
        adapter.verify(hook, at)
    except (Unverified, ValueError) as error:
        return {**told, "result": "refused", "why": str(error)}
    if is_ours:
        why = f"the sample has no {header}, so it was signed here, and that is believed"
        return {**told, "result": "signed_here", "why": why}
    return {**told, "result": "verified"}


def _unread(trial: Trial, why: str) -> Line:
    found = re.search(r"(for_each|id|name|occurred_at): ", why)
    return trial.place(f"event.{found[1]}" if found else "event")


def _event(trial: Trial, tried: Tried) -> Line:
    event = tried.event
    return {
        "id": event.source_event_id if event.source_event_id != event.id else "",
        "type": event.type,
        "name": event.name,
        "occurred_at": event.occurred_at,
        "back_fill": event.back_fill,
        "as_if_heard_at": tried.as_if_at,
        "state": tried.state,
        **_meaning(trial, tried),
    }


def _meaning(trial: Trial, tried: Tried) -> Line:
    mapped = tried.mapped
    if isinstance(mapped, str):
        field = _field(trial, tried.event, mapped)
        return {"signal": None, "why": mapped, **(trial.place(field) if field else {})}
    if isinstance(mapped, Unmapped):
        return {"signal": None, "why": mapped.reason, **_hint(trial, tried.event, mapped)}
    told = _signal(trial, tried.event, mapped)
    if tried.state != "done":
        return {**told, "why": tried.reason}
    return {**told, "plays": _plays(trial, mapped, tried)}


def _field(trial: Trial, event: Event, message: str) -> str:
    """The field of the mapping that a fault names, within the rule that the event falls under."""
    found = _FIELD.match(message)
    if found is None:
        return ""
    field = found[1]
    if field.startswith(("events[", "subject.", "traits.", "visit.", "source.")):
        return field
    try:
        rule = mappings.rule_for(trial.mapping, event)
    except ExpressionFailed:
        return field
    return field if isinstance(rule, Unmapped) else f"events[{rule.place}].{field}"


def _hint(trial: Trial, event: Event, mapped: Unmapped) -> Line:
    """What would help an event to a meaning."""
    if mapped.reason == "unknown_event":
        names = sorted({name for rule in trial.mapping.events for name in rule.names})
        near = difflib.get_close_matches(folded(event.name), names, 1)
        types = sorted({rule.type for rule in trial.mapping.events if not rule.names})
        return {
            "names": names,
            "types": types,
            "hint": f"did you mean {near[0]}?" if near else "no [[events]] has this name",
            **trial.place("events"),
        }
    if mapped.reason == "condition_false":
        rules = trial.mapping.by_name.get(folded(event.name), ())
        rules = rules or trial.mapping.by_type.get(event.type, ())
        asked = [
            {"when": rule.when.source, **trial.place(f"events[{rule.place}].when")}
            for rule in rules
            if rule.when
        ]
        return {"conditions": asked, "hint": "no condition of these holds"}
    if mapped.reason.startswith("no_subject"):
        hint = "nothing under [subject] has a value in this event"
        return {"hint": hint, **trial.place("subject")}
    if mapped.reason in ("robot", "staff", "test"):
        return {"hint": "it is no customer's: [traffic] in config.toml, and docs/signals.md"}
    return {}


def _at(trial: Trial, place: int) -> Line:
    return trial.place(f"events[{place}]")


def _signal(trial: Trial, event: Event, signal: Signal) -> Line:
    rule = mappings.rule_for(trial.mapping, event)
    at = {} if isinstance(rule, Unmapped) else _at(trial, rule.place)
    return {
        "signal": signal.name,
        **at,
        "privacy": signal.privacy,
        "contact_made": signal.contact_made,
        "subject": _subject(signal.subject),
        "thing": signal.thing,
        "traits": dict(signal.traits),
        "stage": signal.stage,
        "key": signal.key,
        "facts": dict(signal.facts),
        "sensitive": sorted(signal.sensitive),
        "visit": dict(signal.visit),
        "consents": [_consent(each) for each in signal.consents],
        "outcome": signal.outcome,
        "value": signal.value_micros / 1_000_000 if signal.value_micros is not None else None,
        "currency": signal.currency,
        "activity": signal.activity,
        "dropped": list(signal.dropped),
    }


def _subject(subject: Subject) -> dict[str, str]:
    return {name: value for name, value in asdict(subject).items() if value}


def _consent(given: Any) -> Line:
    return {
        "purpose": given.purpose,
        "granted": given.granted,
        "pending": given.pending,
        "method": given.method,
        "phone": given.phone,
        "wording": given.wording,
    }


def _plays(trial: Trial, signal: Signal, tried: Tried) -> Line:
    """What the plays of the folder do at it: each play and why."""
    used = uses(trial.loaded.plays.values()).get(signal.name, ())
    found: Line = {
        "start": [_judged(each) for each in tried.judged if each.starts],
        "not_started": [_judged(each) for each in tried.judged if not each.starts],
        "condition_not_met": list(tried.silent),
        **{how: [use.play for use in used if use.how == how] for how in OTHER_USES},
    }
    ready = () if any(found.values()) else library.starting_on(signal.name)
    return {**found, "library": list(ready)}


OTHER_USES: Final = ("unless", "ends", "goal", "waits_for", "cares", "reads")


def _judged(judged: Judged) -> Line:
    return {
        "play": judged.play,
        "key": judged.key,
        "mode": judged.mode,
        "due_at": judged.due_at,
        "why": [{"reason": reason, "says": says} for reason, says in judged.why],
    }


def is_whole(told: Mapping[str, Json]) -> bool:
    """Whether every step of a sample went through to a signal."""
    events: Sequence[Mapping[str, Json]] = told["events"]
    is_read = "unreadable" not in told and not told["rejected"] and bool(events)
    is_meant = all(event["signal"] and event["state"] == "done" for event in events)
    return is_read and is_meant and told["verified"]["result"] != "refused"


def instant(value: datetime | None) -> str:
    """An instant as a person reads it."""
    return clock.text(value)[:16].replace("T", " ") + "Z" if value else ""
