"""``/api/can-send`` and ``/api/replies/classify``: what the gate and the reader would say."""

from __future__ import annotations

from flask import Blueprint

from connector import phone
from connector.errors import Unreadable
from connector.steps import ask, asked
from connector.web.answers import Answer, told
from connector.web.keys import Keys
from connector.web.objects import read_number, read_object
from connector.web.wiring import WebRuntime

MOST_TEXTS = 1_000
MAX_LETTERS = 1_600


def add_to(door: Blueprint, rt: WebRuntime, keys: Keys) -> None:
    """Add the questions to the door of the API."""

    @door.post("/api/can-send")
    def can_send() -> Answer:
        keys.bearer("read")
        body = read_object(asked.FIELDS)
        settings = rt.settings
        question = asked.question(
            body,
            lambda written: read_number(written, settings.country),
            settings.timezone,
            rt.clock(),
        )
        setup = rt.asking()
        with rt.store.read() as tx:
            answer = ask.can_send(tx, setup, question)
        return told({"phone": phone.mask(question.phone), **asked.answered(question, answer)})

    @door.post("/api/replies/classify")
    def classify() -> Answer:
        keys.bearer("read")
        body = read_object(("texts", "text", "pending"))
        texts = body.get("texts", body.get("text"))
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not 0 < len(texts) <= MOST_TEXTS:
            raise Unreadable(f'send {{"texts": ["STOP", "…"]}}, at most {MOST_TEXTS} of them')
        if not all(isinstance(text, str) and len(text) <= MAX_LETTERS for text in texts):
            raise Unreadable(f"texts holds what is no text of at most {MAX_LETTERS} letters")
        return told({"replies": asked.classified(texts, pending=body.get("pending") is True)})
