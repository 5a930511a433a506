"""A provider that a file describes: any HTTP interface to which a text is one request.

What it is asked and what its answers mean stands in ``mappings/providers/<name>.toml``; here is
only how that is carried out. docs/providers.md tells how such a file is written.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from connector.errors import Deferred, ExpressionFailed, SendFailed, Uncertain, Unreadable
from connector.messages import (
    CHANNELS,
    Accepted,
    Carried,
    Found,
    Message,
    Receipt,
    Reply,
    channel_of,
)
from connector.model import Hook, Json
from connector.providers import Ability, stock_reading
from connector.providers.reading import SECRET, http_date, tagged, with_parameter
from connector.providers.stock_terms import Asking, Auth, Hearing, Slot, Terms

if TYPE_CHECKING:
    from connector.providers.wire import Answer, Wire

SETTLED: Final = timedelta(seconds=60)  #: after this a text that is not found was not taken
_UNSAFE = re.compile(r"[^\x20-\x7e]")


class Stock:
    """A described provider.

    ``secret`` is what requests are proven with: the token of ``bearer``, ``user:password`` of
    ``basic``, the value of ``header``, the parts of ``fields`` with a colon between.
    ``callback_secrets`` prove callbacks by the scheme of the file; several are for rotation.
    ``from_number`` is the sender of texts that name none; ``default_region`` is the country of
    numbers that are written without theirs. ``http`` is a ``requests.Session`` without retries.
    """

    channels = frozenset(CHANNELS)  # until a file says which
    does: frozenset[Ability] = frozenset()

    def __init__(
        self,
        *,
        terms: Terms,
        callback_secrets: Sequence[str],
        secret: str = "",
        from_number: str = "",
        default_region: str = "",
        http: Any = None,
    ) -> None:
        if (terms.auth.scheme == "none") is bool(secret):
            raise ValueError(
                "secret is of no use where [auth] says none"
                if secret
                else f'secret is missing: [auth] says {terms.auth.scheme}; add secret = "env:NAME"'
            )
        if terms.auth.scheme == "basic" and ":" not in secret:
            raise ValueError("secret is written user:password where [auth] says basic")
        if from_number and channel_of(from_number) not in terms.channels:
            raise ValueError(f"from_number speaks on a channel that {terms.name}'s file lacks")
        self.name = terms.name
        self.channels = terms.channels
        self.does = frozenset(_abilities(terms))
        self.hears_get = terms.believes_address
        self._terms = terms
        self._prove = terms.prove([each.encode() for each in callback_secrets])
        self._shown = callback_secrets[0] if terms.shown_in_address else ""
        self._number = from_number
        self._region = default_region
        self._login = _login(terms.auth, secret)
        self._fields = _fields(terms.auth, secret)
        self._http = http
        self._wires: dict[str, Wire] = {}
        if terms.status is not None:
            self.status = self._stands  # only who can tell has it at all

    def send(self, message: Message) -> Accepted:
        """Hand one text over as the file says; whatever may have been taken is ``Uncertain``."""
        send = self._terms.sending
        try:
            found = send.values(self._context(message))
        except ExpressionFailed as error:
            raise Deferred(
                f"the text cannot be written for {self.name}: {error}; "
                f"mend mappings/providers/{self.name}.toml",
                reason="configuration",
            ) from None
        headers = {name: _header(found[f"headers.{name}"]) for name in send.headers}
        answer = self._hand_over({**_filled(send.body, found), **self._fields}, headers)
        return stock_reading.accepted(self._terms, answer)

    def _hand_over(self, body: Mapping[str, Json], headers: Mapping[str, str]) -> Answer:
        send = self._terms.sending
        wire, path = self._wire(send.url)
        if send.format == "query":
            return wire.get_done(_asked(path, body), headers)
        if send.format == "form":
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            return wire.post(path, _form(body).encode(), {**form, **headers})
        json = {"Content-Type": "application/json"}
        return wire.post(path, orjson.dumps(body), {**json, **headers})

    def _context(self, message: Message) -> dict[str, Json]:
        sender = message.sender or self._number
        callback_url = tagged(message.callback_url, message.send_id)
        if self._shown:
            callback_url = with_parameter(callback_url, SECRET, self._shown)
        return {
            "to": message.to,
            "text": message.text.encode(errors="replace").decode(),
            "sender": sender,
            "channel": channel_of(sender),
            "send_id": message.send_id,
            "callback_url": callback_url,
            "valid_for": int(message.valid_for.total_seconds()),
            "purpose": str(message.purpose),
        }

    def find(self, message: Message, since: datetime) -> Found:
        """Look for our own reference, where the file says how; else it cannot tell.

        Only an empty list says that a text was not taken, or a 404 where one text alone is asked
        for: a list of others was made by other rules than ours, and may leave this one out.
        """
        asking = self._terms.find
        if asking is None:
            return Found(None)
        try:
            answer = self._ask(asking, reference=message.send_id, to=message.to)
            is_gone = answer.status == 404 and asking.for_each is None
            if answer.status != 200 and not is_gone:
                return Found(None)
            told = [] if is_gone else self._told(asking, answer.body)
        except (SendFailed, Unreadable):
            return Found(None)
        for entry in told:
            number = stock_reading.identified(entry.get("id"))
            if number and entry.get("reference") == message.send_id:
                return Found(True, number, by_reference=True)
        answered_at = http_date(answer.headers.get("Date"))
        settled = answered_at is not None and answered_at - since >= SETTLED
        return Found(False if settled and not told else None)

    def _stands(self, provider_id: str, message: Message) -> Receipt | None:
        """How a text stands; None where the provider knows no such text."""
        asking = self._terms.status
        assert asking is not None  # noqa: S101  # else nobody could have asked
        answer = self._ask(asking, id=provider_id, reference=message.send_id, to=message.to)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise stock_reading.failure(self._terms, answer)
        try:
            told = self._told(asking, answer.body)
            for entry in told:
                if stock_reading.identified(entry.get("id")) in ("", provider_id):
                    ours = message.send_id
                    return stock_reading.receipt(self._terms, entry, ours, provider_id)
        except Unreadable as error:
            raise Uncertain(str(error)) from None
        return None

    def _told(self, asking: Asking, body: bytes) -> list[dict[str, Json]]:
        hearing = Hearing(asking.fields, None, asking.for_each)
        found = stock_reading.entries(hearing, stock_reading.said(body))
        return [stock_reading.values(asking.fields, each) for each in found]

    def _ask(self, asking: Asking, **parts: str) -> Answer:
        url = asking.url
        for name, value in parts.items():
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
        wire, path = self._wire(url)
        return wire.get(_asked(path, self._fields))

    def inbound(self, since: datetime) -> Iterator[Reply]:
        """A described provider lists no replies."""
        raise Deferred(f"{self.name} lists no replies")

    def carried(self, since: datetime) -> Iterator[Carried]:
        """A described provider lists no texts."""
        raise Deferred(f"{self.name} lists no texts")

    def verify(self, hook: Hook, now: datetime) -> None:
        """Check a callback by the scheme of the file."""
        self._prove(hook, now)

    def parse(self, hook: Hook) -> Sequence[Receipt | Reply]:
        """Read a callback as the file says."""
        return stock_reading.heard(self._terms, hook, self._region)

    def _wire(self, url: str) -> tuple[Wire, str]:
        """Who speaks to an address's origin, and the rest of the address."""
        from connector.providers.wire import Wire  # here, so that the web runs without requests

        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._wires:
            self._wires[origin] = Wire(origin, self._login, self._http)
        return self._wires[origin], url.removeprefix(origin) or "/"


def _abilities(terms: Terms) -> Iterator[Ability]:
    if terms.find is not None:
        yield from (Ability.finds, Ability.finds_by_reference)
    if terms.status is not None:
        yield Ability.tells_status
    if terms.sending.repeats_safely:
        yield Ability.repeats_safely


def _login(auth: Auth, secret: str) -> Mapping[str, str]:
    if auth.scheme in ("none", "fields"):
        return {}
    if auth.scheme == "basic":
        return {auth.header: f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return {auth.header: f"Bearer {secret}" if auth.scheme == "bearer" else auth.prefix + secret}


def _fields(auth: Auth, secret: str) -> Mapping[str, str]:
    """The fields of a request that bear the parts of the secret; the last may hold a colon."""
    parts = secret.split(":", len(auth.fields) - 1) if auth.fields else []
    if len(parts) != len(auth.fields) or not all(parts):
        raise ValueError(f"secret is written {':'.join(auth.fields)}, as [auth] names the fields")
    return dict(zip(auth.fields, parts, strict=True))


def _filled(part: Any, found: Mapping[str, Json]) -> Any:
    """A body with its expressions' values; what is none is left out of tables and lists."""
    if isinstance(part, Slot):
        return found[part.name]
    if isinstance(part, Mapping):
        filled = {name: _filled(each, found) for name, each in part.items()}
        return {name: value for name, value in filled.items() if value is not None}
    if isinstance(part, (list, tuple)):
        return [value for each in part if (value := _filled(each, found)) is not None]
    return part


def _form(body: Mapping[str, Json]) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in body.items():
        pairs += ((name, _word(each)) for each in (value if isinstance(value, list) else [value]))
    return urlencode(pairs, errors="replace")


def _asked(path: str, fields: Mapping[str, Json]) -> str:
    """A path with those fields in its query."""
    return f"{path}{'&' if '?' in path else '?'}{_form(fields)}" if fields else path


def _word(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _header(value: Json) -> str:
    """A header's value, in which no line can end."""
    return _UNSAFE.sub("", _word("" if value is None else value))[:1_000]
