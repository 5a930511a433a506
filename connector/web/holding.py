"""``/api/pause`` and ``/api/resume``: the kill switch, and the same for one play."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from connector.errors import ConnectorError, LedgerBusy, StorageRefused
from connector.ledger import pauses
from connector.ledger.store import Tx
from connector.steps import holds
from connector.web.answers import Answer, problem
from connector.web.keys import Keys
from connector.web.objects import NO_PLAY, read_object, read_text, request_id
from connector.web.wiring import WebRuntime
from connector.web.writing import write

FIELDS = ("play", "why", "id")
MAX_WORD = 100


def add_to(door: Blueprint, rt: WebRuntime, keys: Keys) -> None:
    """Add these to the door of the API."""

    @door.post("/api/pause")
    def pause() -> Answer:
        who = keys.bearer("operate")
        body = read_object(FIELDS)
        play, why = read_text(body, "play", most=MAX_WORD), read_text(body, "why")
        if play and play not in rt.plays:
            return problem(404, "unknown_play", NO_PLAY)
        verdict = rt.plays[play].on_pause.value if play else "hold"
        about = play or pauses.EVERYTHING

        def done(tx: Tx) -> dict[str, Any]:
            holds.pause(tx, rt, about, verdict, who=who, why=why, now=rt.clock())
            return {"paused": about}

        return write(rt, who, request_id(body), f"pause {about}", done, play=about)

    @door.post("/api/resume")
    def resume() -> Answer:
        who = keys.bearer("operate")
        body = read_object(FIELDS)
        about = read_text(body, "play", most=MAX_WORD) or pauses.EVERYTHING
        why = read_text(body, "why", needed="why texts may go on, for those who ask later")

        def done(tx: Tx) -> dict[str, Any]:
            was = holds.resume(tx, rt, about, who=who, why=why, now=rt.clock())
            return {"resumed": about, "was_paused": was}

        try:
            return write(rt, who, request_id(body), f"resume {about}", done)
        except (LedgerBusy, StorageRefused):
            raise
        except ConnectorError as error:  # a restored ledger is held until its gap is looked into
            return problem(409, "refused", str(error))
