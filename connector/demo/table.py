"""The table: what came in, what was sent, what was held back, and what the CRM now says.

``python -m connector.demo.table FOLDER`` prints it as JSON. It reads what the folder kept, and
knows nothing of how the day was played.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connector.demo import facts, kept
from connector.demo.kept import Kept, Row
from connector.rules.activities import LABEL_WORDS, status_words

Item = dict[str, Any]


def table(found: Kept) -> Item:
    """All of it as plain values, with instants as the ledger writes them."""
    return {
        "came_in": [_event(found, row) for row in found.events],
        "sent": [_send(found, row) for row in found.sends if row["accepted_at"]],
        "held_back": [_decision(found, row) for row in found.decisions if row["verdict"] != "send"],
        "crm": [_record(found, row) for row in found.records],
        "provider_log": {"texts": len(found.log), "agrees": facts.log_agrees(found)},
        "shown": [_fact(found, name) for name in facts.FACTS],
    }


def missing(shown: Item) -> list[str]:
    """What a table should show and does not, in words; empty when all is well."""
    gaps = [str(fact["what"]) for fact in shown["shown"] if not fact["ok"]]
    if not shown["provider_log"]["agrees"]:
        gaps.append("The ledger and the provider's own log agree on every text")
    return gaps


def _event(found: Kept, row: Row) -> Item:
    granted = [item["purpose"] for item in found.consents if item["event_id"] == row["id"]]
    return {
        "id": row["id"],
        "at": row["occurred_at"],
        "who": found.who(row["contact_id"]),
        "source": row["source"],
        "event": row["name"] or row["type"],
        "signal": row["signal"] or "",
        "about": _about(json.loads(row["facts"] or "{}"), granted),
        "times": 1 + row["repeats"],
        "state": row["state"],
    }


def _about(told: dict[str, Any], granted: list[str]) -> str:
    """What an event was about, in a few words."""
    if granted:
        return f"agrees to {', '.join(granted)}".replace("_", " ")
    what = [str(told[name]) for name in ("product", "form_name", "path") if told.get(name)]
    what += [f"order {told['order_id']}"] if told.get("order_id") else []
    what += [f"{told['value']:.2f} {told.get('currency', '')}"] if told.get("value") else []
    return ", ".join(part.strip() for part in what)


def _send(found: Kept, row: Row) -> Item:
    return {
        "id": row["id"],
        "at": row["accepted_at"],
        "who": found.who(row["contact_id"]),
        "play": row["play"],
        "step": row["step"],
        "purpose": row["purpose"],
        "text": row["text"],
        "state": row["state"],
        "came_of_it": list(_came_of(found, row)),
    }


def _came_of(found: Kept, row: Row) -> Iterator[Item]:
    """What happened after a text, oldest first."""
    yield {"at": row["settled_at"] or row["accepted_at"], "what": status_words(row).lower()}
    for reply in found.replies:
        if reply["send_id"] == row["id"]:
            yield {"at": reply["occurred_at"], "what": _reply(found, reply)}
    for outcome in found.outcomes:
        if outcome["send_id"] == row["id"] and outcome["kind"] == "goal_reached":
            yield {"at": outcome["occurred_at"], "what": _goal(found, outcome)}


def _reply(found: Kept, reply: Row) -> str:
    said, meant = f'replied "{reply["text"]}"', LABEL_WORDS.get(reply["label"], "")
    answered = any(row["cause_id"] == reply["id"] for row in found.sends)
    again = " again; that is confirmed already" if meant and not answered else ""
    return f"{said}, {meant}{again}" if meant else said


def _goal(found: Kept, outcome: Row) -> str:
    event = next((row for row in found.events if row["id"] == outcome["event_id"]), None)
    name = event["name"] if event else outcome["thing"]
    worth = outcome["value_micros"]
    paid = f", {worth / 1_000_000:.2f} {outcome['currency']}" if worth is not None else ""
    walked = next(row for row in found.enrolments if row["id"] == outcome["enrolment_id"])
    ended = "; what was to follow is cancelled" if walked["exit_reason"] == "goal" else ""
    return f"goal reached ({name}{paid}){ended}"


def _decision(found: Kept, row: Row) -> Item:
    objections = json.loads(row["objections"])
    return {
        "id": row["send_id"] or row["enrolment_id"] or row["event_id"],
        "at": row["decided_at"],
        "who": found.who(row["contact_id"]),
        "play": row["play"],
        "step": row["step"],
        "verdict": row["verdict"],
        "reason": row["reason"],
        "says": objections[0]["says"] if objections else "",
        "until": row["until_at"],
    }


def _record(found: Kept, row: Row) -> Item:
    fields = json.loads(row["fields"])
    fields.pop("phone", None)
    return {
        "id": row["contact_id"],
        "who": found.who(row["contact_id"]),
        "fields": fields,
        "activities": [
            {name: item[name] for name in ("occurred_at", "kind", "subject", "body", "status")}
            for item in found.activities
            if item["record"] == row["id"]
        ],
    }


def _fact(found: Kept, name: str) -> Item:
    what, proof = facts.FACTS[name]
    proven_by = proof(found)
    return {"fact": name, "what": what, "ok": bool(proven_by), "id": proven_by}


def main(args: list[str]) -> None:
    """Print the table of a folder."""
    sys.stdout.write(json.dumps(table(kept.read(Path(args[0])))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
