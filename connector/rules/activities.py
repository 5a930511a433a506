"""What a CRM is owed of a contact in plain words: texts, replies, outcomes, tasks and notes.

They are made of what was said and what came of it, never of a signal's facts, so that nothing
marked sensitive can reach a CRM.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connector.model import Cause, Json, Label, SendState
from connector.records import Owed

LEFT: Final = frozenset(
    {
        SendState.accepted,
        SendState.delivered,
        SendState.undelivered,
        SendState.refused,
        SendState.uncertain,
    }
)
"""States in which a text left, may have left, or was refused by the provider."""

STATUS_WORDS: Final[Mapping[str, str]] = {
    SendState.planned: "Not sent, will be tried again",
    SendState.sending: "Being sent",
    SendState.accepted: "Sent",
    SendState.delivered: "Delivered",
    SendState.undelivered: "Not delivered",
    SendState.refused: "Refused",
    SendState.uncertain: "Perhaps sent, being looked up",
    SendState.cancelled: "Not sent",
    SendState.expired: "Not sent, its time had passed",
}
REASON_WORDS: Final[Mapping[str, str]] = {
    "opted_out": "the number has opted out",
    "invalid_number": "the number does not exist",
    "not_mobile": "the number cannot receive texts",
    "blocked": "the carrier blocked it",
    "content": "the carrier refused the wording",
    "configuration": "the provider's settings are wrong",
    "rate_limited": "too many texts at once",
    "unavailable": "the provider could not be reached",
    "timeout": "the provider did not answer in time",
}
LABEL_WORDS: Final[Mapping[str, str]] = {
    Label.opt_out: "asked to stop",
    Label.opt_in: "asked to start again",
    Label.help: "asked for help",
    Label.wrong_person: "says it is the wrong person",
    Label.hold: "a person should read it",
}
SUBJECT_LENGTH: Final = 255
SUBJECT_WORDS: Final = 60  #: letters of a reply in the subject of its task
BODY_LENGTH: Final = 10_000


def is_shown(send: Mapping[str, Any]) -> bool:
    """Whether a text belongs on the record: it left or was refused, for real, to a customer."""
    return send["state"] in LEFT and send["mode"] != "shadow" and send["cause"] != Cause.test.value


def may_be_shown(send: Mapping[str, Any]) -> bool:
    """Whether an earlier attempt of a text that has not left may stand on the record already."""
    return bool(send["attempt"]) and send["mode"] != "shadow"


def send_key(send_id: str) -> str:
    """The key of the one activity that a text has, whatever becomes of it."""
    return f"send:{send_id}"


def for_send(send: Mapping[str, Any], known: bool = False) -> list[Owed]:
    """The activity of a text: one for its whole life, or none.

    ``known``: the CRM has its activity already, so that any state is told.
    """
    if not known and not is_shown(send):
        return []
    change = _activity(
        kind="text",
        subject=f"Text: {_cause_words(send)}",
        body=send["text"],
        direction="outgoing",
        status=status_words(send),
        at=send["accepted_at"] or send["begun_at"] or send["settled_at"] or send["planned_at"],
        play=send["play"],
    )
    return [Owed("activity", send_key(send["id"]), change, send["id"])]


def status_words(send: Mapping[str, Any]) -> str:
    """How a text stands, in plain words, with why where it did not arrive."""
    state, reason = str(send["state"]), str(send["reason"])
    words = STATUS_WORDS.get(state, state)
    if state not in (SendState.refused, SendState.undelivered, SendState.cancelled):
        return words
    why = REASON_WORDS.get(reason, "" if reason == "unknown" else reason.replace("_", " "))
    code = f"error {send['error_code']}" if send["error_code"] else ""
    because = ", ".join(part for part in (why, code) if part)
    return f"{words}: {because}" if because else words


def for_reply(reply: Mapping[str, Any]) -> list[Owed]:
    """The activity of a reply."""
    meant = LABEL_WORDS.get(reply["label"], "")
    change = _activity(
        kind="reply",
        subject=f"Reply: {meant}" if meant else "Reply",
        body=reply["text"],
        direction="incoming",
        status="Received",
        at=reply["occurred_at"],
    )
    return [Owed("activity", f"reply:{reply['id']}", change, reply["send_id"] or "")]


def for_outcome(outcome: Mapping[str, Any], play: str = "") -> list[Owed]:
    """The activity of an outcome; ``play`` is the play it came of, where there is one."""
    parts = [outcome["kind"].replace("_", " ")]
    if outcome["thing"]:
        parts.append(outcome["thing"])
    if outcome["value_micros"] is not None:
        parts.append(f"{outcome['value_micros'] / 1_000_000:.2f} {outcome['currency']}".strip())
    change = _activity(
        kind="outcome",
        subject=f"Outcome: {', '.join(parts)}",
        body=f"After the play {play}." if play else "",
        direction="",
        status="Happened",
        at=outcome["occurred_at"],
        play=play,
    )
    return [Owed("activity", f"outcome:{outcome['id']}", change, outcome["send_id"] or "")]


def for_task(key: str, subject: str, due_at: str) -> list[Owed]:
    """A task for the contact's owner; ``key`` is ``<enrolment>:<step>``, ``due_at`` an instant."""
    change = _activity(
        kind="task",
        subject=subject,
        body="",
        direction="",
        status="Open",
        at=due_at,
    )
    return [Owed("task", key if key.startswith("task:") else f"task:{key}", change)]


def needs_person(label: str, *, talking: bool) -> bool:
    """Whether somebody of ours should read a reply now.

    One that is unclear does, and any that comes into a conversation (``talking``) which a person
    of ours has open, unless it wants no answer or has been given one.
    """
    return label == Label.hold or (talking and label in (Label.none, Label.help))


def hot_key(reply_id: str) -> str:
    """The key of the one task that a reply is."""
    return f"task:reply:{reply_id}"


def for_hot_reply(reply: Mapping[str, Any]) -> list[Owed]:
    """The task that a reply which needs a person is: its words, due when it came."""
    words = " ".join(str(reply["text"]).split())
    change = _activity(
        kind="task",
        subject=f"Reply: {words[:SUBJECT_WORDS]}{'…' if words[SUBJECT_WORDS:] else ''}",
        body=f"{reply['text']}\n\n{LABEL_WORDS.get(reply['label'], 'somebody is waiting')}".strip(),
        direction="",
        status="Open",
        at=reply["occurred_at"],
    )
    return [Owed("task", hot_key(reply["id"]), change, reply["send_id"] or "", urgent=True)]


def for_note(key: str, body: str, at: str) -> list[Owed]:
    """A note on the contact's record, in the connector's own words."""
    change = _activity(
        kind="note", subject="SMS opt-out", body=body, direction="", status="Done", at=at
    )
    return [Owed("activity", f"note:{key}", change)]


def _activity(
    *, kind: str, subject: str, body: str, direction: str, status: str, at: str, play: str = ""
) -> dict[str, Json]:
    return {
        "kind": kind,
        "subject": " ".join(_printable(subject).split())[:SUBJECT_LENGTH],
        "body": _printable(body)[:BODY_LENGTH],
        "direction": direction,
        "status": status,
        "occurred_at": at,
        "play": play,
    }


def _printable(text: str) -> str:
    """The text without control characters, which no CRM should be asked to keep."""
    if text.isprintable():
        return text
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")


def _cause_words(send: Mapping[str, Any]) -> str:
    if send["cause"] == Cause.play.value:
        return f"{send['play']}, {send['step']}"
    if send["cause"] == Cause.hand.value:
        return "sent by hand"
    return "our answer to a reply"
