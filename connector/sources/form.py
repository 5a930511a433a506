"""Plain forms of a website, as ``POST /forms/<name>`` took them in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connector.clock import new_id
from connector.errors import Unreadable, Unverified
from connector.model import Event, Hook, Parsed, Trust
from connector.sources.reading import read_json

TYPE = "form"  #: of the events; their name is the form's


class Form:
    """A source of forms that somebody filled in: our own web door tells of them, nobody else."""

    def __init__(self, *, source: str, trust: Trust) -> None:
        self._source = source
        self._trust = trust

    def verify(self, hook: Hook, now: datetime) -> None:
        """Nobody is believed here: a form is sent to its own address."""
        raise Unverified("forms are sent to /forms/<name>, as [forms] in config.toml names them")

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """The one event that a form sent is; raises ``Unreadable`` for what our door never wrote.

        It bears an anonymous id: the page's own, where a hidden field tells it, else one that
        stands for this form sent once.
        """
        body = read_json(hook.body)
        name = body.get("form") if isinstance(body, dict) else None
        if not isinstance(name, str) or not isinstance(body.get("fields"), dict):
            raise Unreadable("this is no form that was sent")
        event_id = new_id("evt")
        own = _text(body, "messageId") or event_id
        told = {**body, "type": TYPE, "name": name}
        told["anonymousId"] = _text(body, "anonymousId") or f"form:{own}"
        event = Event(
            id=event_id,
            source=self._source,
            source_event_id=own,
            type=TYPE,
            name=name,
            occurred_at=received_at,
            received_at=received_at,
            payload=told,
        )
        return Parsed((event,))


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""
