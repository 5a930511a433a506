"""``connector sends --doubtful`` and ``sends settle``: everything known of a text in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from connector.actor import operator
from connector.cli import Failure, NothingFound, here, output
from connector.config.loaded import load
from connector.ledger import doubts
from connector.ledger.store import Tx
from connector.runtime import Waker, open_setup, opened
from connector.steps import inquest

FIRST_WORDS: Final = 60  #: letters of a text that are shown
WHY: Final[Mapping[str, str]] = {
    "timeout": "the provider did not answer in time",
    "worker_died": "the connector stopped while it was handed over",
    "restored": "it was due between a backup and its restoring",
    "not_repeated": "it could not be handed over once more",
    "unknown": "the provider's answer could not be understood",
}


def known(tx: Tx, item: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a text in doubt beside its row, as ``--json`` prints it under ``doubt``."""
    send_id = str(item["id"])
    row = doubts.get(tx, send_id)
    restored = item["reason"] == "restored"
    return {
        "since": row["since_at"] if row else None,
        "verdict": (row["verdict"] if row else "") or ("person" if restored else ""),
        "why": row["why"] if row else "",
        "next_look": row["look_at"] if row else None,
        "looks": doubts.evidence(row) if row else [],
        "attempts": [dict(each) for each in doubts.attempts(tx, send_id)],
        "heard": [dict(each) for each in doubts.heard(tx, send_id)],
        "check": _check(item),
        "settle": _settle(send_id),
    }


def _check(item: Mapping[str, Any]) -> str:
    at = output.when(item["begun_at"] or item["due_at"])
    return (
        f"In the log of {item['provider'] or 'the provider'}: is there a text of these words to "
        f"this number, taken within five minutes of {at}, that is none of the ids below?"
    )


def _settle(send_id: str) -> list[str]:
    settled = ("sends", "settle", send_id)
    return [
        here(*settled, "--sent", "--provider-id", "ID", "--why", "how you know"),
        here(*settled, "--not-sent", "--why", "how you know"),
    ]


def show(found: list[dict[str, Any]]) -> None:
    """Lay out every text in doubt, the newest first."""
    for item in found:
        doubt = item["doubt"]
        what = f"{item['play']}, {item['step']}" if item["play"] else item["cause"]
        output.say(f"{item['id']}  {item['phone']}  {what}  ({item['purpose']})", "bold")
        lines = {
            "text": f"“{_first_words(str(item['text']))}”",
            "handed_over": "; ".join(map(_try, doubt["attempts"])) or "not by this ledger",
            "in_doubt": _why(item, doubt),
            "looked_up": "; ".join(map(_look, doubt["looks"])) or "not yet",
            "callbacks": "; ".join(map(_heard, doubt["heard"])) or "none",
            "stands": _stands(doubt),
            "check": doubt["check"],
        }
        output.record(lines)
        for command in doubt["settle"]:
            output.say(f"    {command}")
        output.say()


def _first_words(text: str) -> str:
    return text if len(text) <= FIRST_WORDS else f"{text[:FIRST_WORDS].rstrip()}…"


def _try(row: Mapping[str, Any]) -> str:
    sender = f" from {row['sender']}" if row["sender"] else ""
    by = f" to {row['provider']}{sender}" if row["provider"] else ""
    return f"{output.when(row['begun_at'])}{by}"


def _why(item: Mapping[str, Any], doubt: Mapping[str, Any]) -> str:
    reason = str(item["reason"])
    since = f", since {output.when(doubt['since'])}" if doubt["since"] else ""
    code = f" (error {item['error_code']})" if item["error_code"] else ""
    return f"{WHY.get(reason, reason or 'nobody knows why')}{code}{since}"


def _look(told: Mapping[str, Any]) -> str:
    found = []
    if told["fits"]:
        by = "by our reference" if told["by_reference"] else "by number, words and time"
        found.append(f"found {', '.join(told['fits'])} {by}")
    if told["others"]:
        found.append(f"{told['others']} of our other texts fit too")
    if not found:
        found.append("not there" if told["taken"] is False else "could not tell")
    return f"{output.when(told['at'])} {', '.join(found)}"


def _heard(row: Mapping[str, Any]) -> str:
    return f"{output.when(row['heard_at'])} {row['raw_status']} of {row['provider_id']}"


def _stands(doubt: Mapping[str, Any]) -> str:
    if doubt["verdict"] == "person":
        return f"for a person to decide{': ' + doubt['why'] if doubt['why'] else ''}"
    at = doubt["next_look"]
    return f"looked up again at {output.when(at)}" if at else "about to be looked up"


@click.command()
@click.argument("send_id")
@click.option("--sent/--not-sent", "went", required=True, help="Whether it went, as you found out.")
@click.option("--provider-id", default="", help="The provider's id of it, so that callbacks count.")
@click.option("--why", required=True, help="How you know.")
@click.pass_obj
def settle(folder: Path, send_id: str, went: bool, provider_id: str, why: str) -> None:
    """Say whether a doubtful text went; one that did not goes again only while it is wanted.

    What you say is kept in the audit. A text that is not in doubt (any more) is refused.

    \b
    Examples:
      connector sends settle snd_06f3k9q2m8r5t1vw --sent --why "in Twilio's log"
      connector sends settle snd_06f3k9q2m8r5t1vw --not-sent --why "not in Twilio's log"
    """
    if provider_id and not went:
        raise click.UsageError("--provider-id is of a text that went; leave it out")
    loaded = load(folder)
    with opened(loaded) as store:
        rt = open_setup(loaded, store)
        said = {"went": went, "who": operator(), "why": why, "provider_id": provider_id}
        with store.write() as tx:
            _by_hand(tx, rt, send_id, said, rt.clock())
    Waker(loaded.settings.ledger)()
    output.say(f"{send_id} {'went' if went else 'did not go, and is decided afresh'}.")


def _by_hand(tx: Tx, rt: Any, send_id: str, said: dict[str, Any], now: datetime) -> None:
    try:
        inquest.by_hand(tx, rt, send_id, **said, now=now)
    except LookupError as error:
        raise NothingFound(str(error.args[0])) from error
    except ValueError as error:
        raise Failure(str(error)) from error
