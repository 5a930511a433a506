"""What Salesforce tells us: Outbound Messages, and HTTP callouts of a Flow.

Document: developer.salesforce.com, SOAP API guide, outbound messaging. Salesforce signs neither
and cannot send a header with the first, so a long secret stands in the address; it is compared in
constant time and kept nowhere.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote

from connector.errors import Unreadable, Unverified
from connector.model import Hook, Json, Parsed
from connector.sources import Said
from connector.sources.reading import EARLIEST, event_of, is_too_deep, read_json
from connector.sources.salesforce_ids import is_id, long_form
from connector.sources.salesforce_messages import ACK, of_callout, of_message, read_message
from connector.sources.signatures import is_any

HEADER: Final = "x-connector-secret"
ACKNOWLEDGED: Final = Said(ACK.encode(), "text/xml; charset=utf-8")
HEARD: Final = Said(b'{"success": true}')


class Salesforce:
    """The doors at ``/in/salesforce/<secret>`` and, with the secret in a header, without it.

    ``path_secrets`` are several for rotation; ``organization_id`` is whose messages they must be.
    """

    def __init__(
        self, *, source: str, path_secrets: Sequence[str] = (), organization_id: str = ""
    ) -> None:
        self._crm = source
        self._secrets = tuple(secret.encode() for secret in path_secrets)
        self._organization = long_form(organization_id) if is_id(organization_id) else ""

    def takes(self, below: str) -> bool:
        """One part below: which one is nobody's business."""
        return "/" not in below

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if the request bears the secret, and is of the right organization."""
        below = _below(hook.url, self._crm)
        header = hook.headers.get(HEADER, "").strip()
        given = unquote(below, "latin-1") if below else header
        if not is_any(given.encode("latin-1", "backslashreplace"), self._secrets):
            raise Unverified(
                "the secret is none of path_secrets under [crms.salesforce]: it is the last part "
                "of the address, or stands in X-Connector-Secret"
            )
        if _is_message(hook.body):
            self._check_organization(hook.body)

    def kept(self, hook: Hook) -> Hook:
        """The body, and of the address the event it names: never the secret."""
        event, base = event_of(hook.url), hook.url.partition("?")[0]
        below = _below(hook.url, self._crm)
        base = base[: len(base) - len(below)].rstrip("/") if below else base
        return replace(hook, url=f"{base}?event={quote(event)}" if event else base, headers={})

    def answer(self, hook: Hook) -> Said:
        """The one answer after which Salesforce does not send a message again.

        Raises ``Unreadable`` where nothing can be made of the body.
        """
        if _is_message(hook.body):
            read_message(hook.body)
            return ACKNOWLEDGED
        of_callout(self._crm, _json(hook.body), EARLIEST)
        return HEARD

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """Hints of what may have changed, and events by name; raises ``Unreadable``."""
        if not _is_message(hook.body):
            return of_callout(self._crm, _json(hook.body), received_at)
        return of_message(self._crm, read_message(hook.body), event_of(hook.url), received_at)

    def _check_organization(self, body: bytes) -> None:
        if not self._organization:
            raise Unverified("set organization_id under [crms.salesforce] to take messages")
        try:
            told = read_message(body).organization
        except Unreadable:
            return  # it bears the secret, and nothing can be read of it: it is kept to be looked at
        told = long_form(told) if is_id(told) else ""
        if not hmac.compare_digest(told.encode(), self._organization.encode()):
            raise Unverified("the message is not of organization_id under [crms.salesforce]")


def _below(url: str, name: str) -> str:
    """What of the address stands below ``/in/<name>``."""
    path = url.partition("?")[0]
    return path.rpartition(f"/in/{name}/")[2] if f"/in/{name}/" in path else ""


def _is_message(body: bytes) -> bool:
    """Whether it is XML: what a sender calls it may be anything."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def _json(body: bytes) -> Json:
    value = read_json(body)
    if is_too_deep(value, body):
        raise Unreadable("the body is nested too deeply to be read")
    return value
