"""Capturing: while a capture is open, what comes to ``/in/<name>`` is kept to be looked at.

That is all that becomes of it: a name that is no configured source proves nothing, so nothing is
read out of what comes under it, and its sender is only told that it was heard.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from connector import clock
from connector.errors import Unreadable
from connector.ledger import captures
from connector.model import Hook, Json
from connector.rules import redaction
from connector.sources.reading import is_too_deep, read_json
from connector.web.hooks import TRANSPORT, kept
from connector.web.wiring import WebRuntime

NOT_CONFIGURED: Final = "not configured, so nothing was proven"
VERIFIED: Final = "verified"
FORM: Final = "application/x-www-form-urlencoded"

log = logging.getLogger(__name__)


def is_captured(rt: WebRuntime, name: str) -> bool:
    """Whether what comes under a name is kept just now."""
    return _current(rt, name) is not None


def capture(rt: WebRuntime, name: str, hook: Hook, proof: str, signature_header: str = "") -> bool:
    """Keep a request where one of its name is being captured; whether it was kept.

    ``proof`` is ``VERIFIED``, or why it is not. Whatever goes wrong loses nothing but this.
    """
    found = _current(rt, name)
    if rt.ledger_folder is None or found is None:
        return False
    is_whole = found.whole and proof == VERIFIED
    try:
        told = _told(rt, hook, proof, signature_header, is_whole=is_whole)
        is_kept = captures.keep(rt.ledger_folder, found, told)
    except Exception as error:  # a door: what is only looked at must not cost the delivery
        log.warning("act=capture name=%s result=failed error=%s", name, type(error).__name__)
        return False
    log.info("act=capture name=%s result=%s", name, "kept" if is_kept else "full")
    return is_kept


def _current(rt: WebRuntime, name: str) -> captures.Capture | None:
    """The capture of a name that is open; None too where it is being removed just now."""
    with suppress(OSError):
        if rt.ledger_folder is not None:
            return captures.current(rt.ledger_folder, name, rt.clock())
    return None


def _told(
    rt: WebRuntime, hook: Hook, proof: str, signature_header: str, *, is_whole: bool
) -> dict[str, Any]:
    parts = urlsplit(hook.url)
    query = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=1_000)
    shown = kept(hook.headers, signature_header)
    return {
        "received_at": clock.text(rt.clock()),
        "proof": proof,
        "method": hook.method,
        "path": parts.path,
        "query": redaction.redacted(dict(query)),
        "headers": redaction.redacted_headers(_of_sender(hook.headers), shown),
        "bytes": len(hook.body),
        "redacted": not is_whole,
        **_body(hook, is_whole=is_whole),
    }


def _of_sender(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without those of the journey, which say nothing of what was sent."""
    return {
        name: value
        for name, value in headers.items()
        if name not in TRANSPORT and not name.startswith("x-forwarded-")
    }


def _body(hook: Hook, *, is_whole: bool) -> dict[str, Json]:
    """The body as JSON, as the fields of a form, or as text; of a large one nothing."""
    if len(hook.body) > captures.MOST_BODY:
        return {"left_out": f"the body is larger than {captures.MOST_BODY} bytes"}
    text = hook.body.decode(errors="replace")
    try:
        body = read_json(hook.body)
        if is_too_deep(body, hook.body):
            return {"left_out": "the body is nested too deeply"}
        return {"body": body if is_whole else redaction.redacted(body)}
    except Unreadable:
        pass
    if hook.headers.get("content-type", "").startswith(FORM):
        with suppress(ValueError):
            fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1_000))
            return {"form": fields if is_whole else redaction.redacted(fields)}
    return {"text": text if is_whole else redaction.redacted_text(text)}
