"""Any JSON webhook: its mapping file says how it is signed and where everything stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import orjson

from connector.clock import new_id
from connector.errors import ExpressionFailed, Unreadable
from connector.model import Event, Hook, Json, Parsed, Trust
from connector.sources import signatures
from connector.sources.reading import believable, is_too_deep, read_json

SENT_AT: Final = "webhook-timestamp"
"""Of Standard Webhooks; new at each try."""


class Located(Protocol):
    """One event found in a body, as the mapping's ``[event]`` table describes it."""

    @property
    def id(self) -> str:
        """The sender's own id of it; "" where it has none."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def occurred_at(self) -> datetime | None:
        """When it happened; None where the body does not say."""

    @property
    def item(self) -> Json:
        """The part of the body that is this event."""


Locate = Callable[[Json, Mapping[str, str]], Sequence[Located]]


class Standard:
    """A source described wholly by its mapping file.

    ``verify`` is the file's ``[verify]`` table, ``locate`` finds the events in a parsed body.
    Raises ``ValueError`` when a secret cannot be one of that scheme.
    """

    def __init__(
        self,
        *,
        source: str,
        trust: Trust,
        secrets: Sequence[bytes],
        verify: signatures.Scheme,
        locate: Locate,
    ) -> None:
        self._source = source
        self._trust = trust
        self._scheme = verify
        self._keys = signatures.read_keys(verify, secrets)
        self._locate = locate

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if the request is signed as the mapping says; else ``Unverified``."""
        signatures.verify(self._scheme, self._keys, hook, now)

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """The events of one request; raises ``Unreadable`` when the mapping finds none."""
        body = read_json(hook.body)
        try:
            located = self._locate(body, hook.headers)
        except ExpressionFailed as error:
            raise Unreadable(f"the mapping cannot read this body: {error}") from error
        events: list[Event] = []
        rejected: list[tuple[str, bytes]] = []
        for one in located:
            if _is_too_deep(one.item):
                rejected.append(("too_deep", b"null"))
            else:
                events.append(self._event(one, body, hook.headers, received_at))
        return Parsed(tuple(events), tuple(rejected))

    def _event(
        self, one: Located, body: Json, headers: Mapping[str, str], received_at: datetime
    ) -> Event:
        event_id = new_id("evt")
        return Event(
            id=event_id,
            source=self._source,
            source_event_id=one.id or event_id,
            type="webhook",
            name=one.name,
            occurred_at=believable(one.occurred_at or received_at, received_at, self._trust),
            received_at=received_at,
            payload={"name": one.name, "item": one.item, "headers": _told(headers)},
        )


def _told(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without when the request was sent: told again, an event is the same one."""
    return {name: value for name, value in headers.items() if name != SENT_AT}


def _is_too_deep(item: Json) -> bool:
    try:
        return is_too_deep(item, orjson.dumps(item))
    except TypeError:
        return True
