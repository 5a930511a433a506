"""What a form says: read from a browser's body with bounds, and written for the inbox."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import orjson
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from connector.config.forms import Form
from connector.errors import ConnectorError, Unreadable
from connector.ledger.inbox import Delivery
from connector.sources.reading import read_instant, read_json
from connector.web.attempts import group
from connector.web.bodies import read_body

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_BYTES: Final = 64 * 1024
MAX_PARTS: Final = 100
MAX_VALUE: Final = 2_000
URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
NO: Final = frozenset({"", "0", "false", "off", "no", "n", "none", "null", "undefined"})
"""What a box is sent as that nobody ticked, by pages and by scripts."""

_PHONE: Final = re.compile(r"[+(]?\d[\d\s().\-/]{4,30}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


class Faulty(ConnectorError):
    """What was sent cannot be taken; whoever filled in the form can mend it."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.field = field  #: by our name; "" for the form as a whole


@dataclass(frozen=True, slots=True)
class Sent:
    """One form as it was sent."""

    fields: Mapping[str, str]  #: our name → what was typed
    consent: bool  #: the box was ticked
    trap: str  #: what stands in the field that people do not see
    seconds: float | None  #: how long the page was open; None where it does not say
    ip: str
    url: str
    user_agent: str


def read(form: Form, environ: WSGIEnvironment, mimetype: str, now: datetime) -> Sent:
    """The form in a request's body; raises ``Faulty``, and what ``read_body`` raises."""
    told = _values(read_body(environ, MAX_BYTES), mimetype, environ.get("CONTENT_TYPE", ""))
    fields = {ours: told[theirs].strip() for ours, theirs in form.fields.items() if theirs in told}
    fields = {name: value for name, value in fields.items() if value}
    _check(form, fields)
    consent = form.consent
    return Sent(
        fields=fields,
        consent=bool(consent and told.get(consent.field, "").strip().lower() not in NO),
        trap=told.get(form.trap, "").strip() if form.trap else "",
        seconds=_seconds(told.get(form.opened, "") if form.opened else "", now),
        ip=environ.get("REMOTE_ADDR") or "",
        url=_page(form, environ),
        user_agent=environ.get("HTTP_USER_AGENT", "")[:500],
    )


def is_program(form: Form, sent: Sent) -> bool:
    """Whether no person sent it: the trap is filled in, or it was typed faster than anybody can."""
    too_quick = sent.seconds is not None and sent.seconds < form.min_fill.total_seconds()
    return bool(sent.trap) or too_quick


def delivery(form: Form, sent: Sent, now: datetime) -> Delivery:
    """The form as it goes to disk. The same, sent again on the same day from the same address, is
    the same event."""
    fields = dict(sent.fields)
    consent = None
    if form.consent and sent.consent:
        purposes = dict.fromkeys(form.consent.purposes, True)
        wording, version = form.consent.wording, form.consent.version
        consent = {"purposes": purposes, "wording": wording, "version": version}
    said = [form.name, sorted(fields.items()), consent, group(sent.ip), now.date().isoformat()]
    told: dict[str, Any] = {
        "form": form.name,
        "messageId": hashlib.sha256(orjson.dumps(said)).hexdigest()[:32],
        "anonymousId": fields.pop("anonymous_id", ""),
        "fields": fields,
        "consent": consent,
        "context": {"ip": sent.ip, "userAgent": sent.user_agent, "page": {"url": sent.url}},
    }
    return Delivery("events", form.source, now, orjson.dumps(told), f"/forms/{form.name}")


def _values(body: bytes, mimetype: str, content_type: str) -> dict[str, str]:
    """Name → what stands there first, of whichever of three kinds the body is."""
    if mimetype == "application/json":
        return _of_json(body)
    if mimetype == MULTIPART:
        return _of_parts(body, content_type)
    if mimetype not in ("", URLENCODED):
        raise Faulty(415, "form_unknown", f"send {URLENCODED}, {MULTIPART} or application/json")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_PARTS)
    except ValueError as error:
        raise Unreadable(f"the form cannot be read: {error}") from None
    return _first((_decoded(name), _decoded(value)) for name, value in pairs)


def _of_json(body: bytes) -> dict[str, str]:
    read = read_json(body)
    if not isinstance(read, dict) or len(read) > MAX_PARTS:
        raise Unreadable(f"the body is no object of at most {MAX_PARTS} fields")
    plain = {True: "on", False: "", None: ""}
    return {
        str(name): plain[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in read.items()
        if value is None or isinstance(value, str | int | float | bool)
    }


def _of_parts(body: bytes, content_type: str) -> dict[str, str]:
    mimetype, options = parse_options_header(content_type)
    parser = FormDataParser(
        max_form_memory_size=MAX_BYTES,
        max_form_parts=MAX_PARTS,
        stream_factory=lambda *_, **__: io.BytesIO(),
        silent=False,
    )
    try:
        _, fields, files = parser.parse(io.BytesIO(body), mimetype, len(body), options)
    except (HTTPException, ValueError) as error:
        raise Unreadable(f"the form cannot be read: {type(error).__name__}") from None
    if any(file.filename for file in files.values()):
        raise Faulty(400, "files_sent", "this form takes no files")
    return _first(fields.items(multi=True))


def _first(pairs: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _check(form: Form, fields: Mapping[str, str]) -> None:
    """Tell a person at once what they can mend; raises ``Faulty`` for the first of it."""
    for name in form.required:
        if name not in fields:
            raise Faulty(422, "field_missing", f"{form.fields[name]} is empty", name)
    for name, value in fields.items():
        if len(value) > MAX_VALUE:
            raise Faulty(422, "field_too_long", f"at most {MAX_VALUE} letters", name)
    if "phone" in fields and not _PHONE.fullmatch(fields["phone"]):
        raise Faulty(422, "phone_unusable", "this is no telephone number", "phone")
    if "email" in fields and not _EMAIL.fullmatch(fields["email"]):
        raise Faulty(422, "email_unusable", "this is no e-mail address", "email")


def _seconds(opened: str, now: datetime) -> float | None:
    """How long the page was open, by what it says; None where that is nothing we can read, or by
    a clock that goes before ours."""
    try:
        at = read_instant(float(opened) if re.fullmatch(r"\d{9,16}(\.\d+)?", opened) else opened)
    except ValueError:
        return None
    return (now - at).total_seconds() if at and at <= now else None


def _page(form: Form, environ: WSGIEnvironment) -> str:
    """Where the form stood: what the browser tells, if it is a page of the operator's; else what
    the operator says."""
    told = environ.get("HTTP_REFERER", "")[:2_000]
    try:
        parts = urlsplit(told)
    except ValueError:
        return form.page
    is_ours = f"{parts.scheme}://{parts.netloc}" in form.origins
    is_whole = is_ours and parts.path not in ("", "/")
    return told if is_whole or (is_ours and not form.page) else form.page
