"""Reading what a described provider writes: answers, receipts and replies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import orjson

from connector.errors import Deferred, ExpressionFailed, SendFailed, Uncertain, Unreadable
from connector.expressions import Expression
from connector.messages import Accepted, Receipt, Reply
from connector.model import Hook, Json, Status
from connector.providers import refusals
from connector.providers.reading import (
    e164,
    http_date,
    identifier,
    iso_date,
    micros,
    query,
    reference,
    whole,
)
from connector.providers.stock_terms import Hearing, Terms

if TYPE_CHECKING:
    from connector.providers.wire import Answer

MAX_FIELDS: Final = 500
MAX_WORDS: Final = 4_000  #: characters of an answer that is neither JSON nor a form

_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,60}")
_CURRENCY = re.compile(r"[A-Z]{3}")

Fields = Mapping[str, Expression]


def accepted(terms: Terms, answer: Answer) -> Accepted:
    """What an answer to a send says: the text is taken, or the error that it comes to.

    What the file says of a code counts first, then what it says of the HTTP status. An answer of
    which neither it nor HTTP says anything leaves the text in doubt.
    """
    context = {"status": answer.status, "body": parsed(answer.body), "headers": _lower(answer)}
    told = values(terms.answer, context)
    code = coded(told.get("code"))
    means = terms.codes.get(code) or terms.statuses.get(answer.status)
    if means is not None:
        raise _failure(terms, answer, code, means)
    number = identified(told.get("id"))
    took = told.get("accepted", True) if "accepted" in terms.answer else True
    if 200 <= answer.status < 300 and took and number:
        cost = micros(told.get("price"))
        currency = _currency(told.get("currency")) if cost is not None else ""
        return Accepted(number, whole(told.get("segments")), cost, currency)
    raise _unlisted(terms, answer, code)


def failure(terms: Terms, answer: Answer) -> SendFailed:
    """Why a list or a status cannot be had; it may be asked for again."""
    error = refusals.failure(terms.name, answer, "", {})
    return error if isinstance(error, (Deferred, Uncertain)) else Uncertain(str(error))


def _failure(terms: Terms, answer: Answer, code: str, means: refusals.Means) -> SendFailed:
    kind, why = means
    says = f"{terms.name} answered {answer.status}" + (f" with code {code}" if code else "")
    says = f"{says}: {refusals.advice(terms.name, why)}"
    if kind is Deferred:
        return Deferred(says, reason=why, code=code, retry_after=refusals.retry_after(answer))
    return kind(says, reason=why, code=code)


def _unlisted(terms: Terms, answer: Answer, code: str) -> SendFailed:
    if answer.status in (408, 429) or answer.status >= 500 or answer.status in refusals.STATUSES:
        return refusals.failure(terms.name, answer, code, {})
    says = f"{terms.name} answered {answer.status}" + (f" with code {code}" if code else "")
    file = f"mappings/providers/{terms.name}.toml"
    return Uncertain(f"{says}; {file} does not say what that means: add it to [codes]", code=code)


def heard(terms: Terms, hook: Hook) -> Sequence[Receipt | Reply]:
    """What a verified callback says; raise ``Unreadable`` when it is neither receipt nor reply."""
    context = {
        "body": parsed(hook.body),
        "headers": dict(hook.headers),
        "query": {name: found[0] for name, found in query(hook.url).items()},
        "path": urlsplit(hook.url).path.rpartition(f"/providers/{terms.name}")[2].strip("/"),
    }
    ours = reference(hook) if terms.believes_address else ""
    if terms.receipts and _is_for(terms.receipts, context):
        read = (values(terms.receipts.fields, each) for each in entries(terms.receipts, context))
        return [receipt(terms, told, ours) for told in read]
    if terms.replies and _is_for(terms.replies, context):
        read = (values(terms.replies.fields, each) for each in entries(terms.replies, context))
        return [_reply(terms, told) for told in read]
    raise Unreadable("neither receipt nor reply: no `when` of the provider's file is true of it")


def receipt(terms: Terms, told: Mapping[str, Json], ours: str, number: str = "") -> Receipt:
    """One receipt; raise ``Unreadable`` where its id or status is missing."""
    found, raw = identified(told.get("id")) or number, str(told.get("status") or "")[:60]
    if not found or not raw:
        raise Unreadable("a receipt bears an id and a status, and this one does not")
    code, cost = coded(told.get("code")), micros(told.get("price"))
    means = terms.codes.get(code)
    return Receipt(
        provider=terms.name,
        provider_id=found,
        status=terms.words.get(raw, Status.unknown),
        raw_status=raw,
        error_code=code,
        reason=means[1] if means else "unknown" if code else "",
        occurred_at=instant(told.get("at")),
        stamp=str(told.get("at") or "")[:60],
        send_id=identified(told.get("reference")) or ours,
        segments=whole(told.get("segments")),
        cost_micros=cost,
        currency=_currency(told.get("currency")) if cost is not None else "",
    )


def _reply(terms: Terms, told: Mapping[str, Json]) -> Reply:
    number, sender = identified(told.get("id")), e164(told.get("sender"))
    if not number or not sender:
        raise Unreadable("a reply bears an id and a sender, and this one does not")
    answered = str(told.get("opt_out") or "").upper()
    return Reply(
        provider=terms.name,
        provider_id=number,
        sender=sender,
        to=e164(told.get("to")),
        text=str(told.get("text") or ""),
        occurred_at=instant(told.get("at")),
        opt_out_type=answered if answered in ("STOP", "START", "HELP") else "",
    )


def parsed(body: bytes) -> Json:
    """JSON, else the first values of a form, else the words themselves."""
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    words = body.decode(errors="replace")[:MAX_WORDS]
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=MAX_FIELDS
        )
    except ValueError:
        return words
    form: dict[str, Json] = {}
    for name, value in pairs:
        form.setdefault(name, value)
    return form


def values(fields: Fields, context: Mapping[str, Json]) -> dict[str, Json]:
    """Each field's value; none where its expression cannot be asked of what came."""
    return {name: _value(expression, context) for name, expression in fields.items()}


def entries(asked: Hearing | None, context: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """The contexts of a callback's entries, one where it is but one."""
    if asked is None or asked.for_each is None:
        yield {**context, "item": context.get("body")}
        return
    listed = _value(asked.for_each, context)
    if not isinstance(listed, list):
        raise Unreadable("`for_each` leads to no list in what came")
    for each in listed:
        yield {**context, "item": each}


def identified(value: Json) -> str:
    """An id, which some write as a number."""
    return str(value) if type(value) is int and abs(value) < 10**30 else identifier(value)


def coded(value: Json) -> str:
    """An error code that is one; "" else, and where it is nought or none."""
    written = str(value) if type(value) in (str, int) else ""
    return written if _CODE.fullmatch(written) and written != "0" else ""


def instant(value: Json) -> datetime | None:
    """An instant in ISO 8601, in RFC 2822, or in seconds or milliseconds since 1970."""
    written = str(value) if type(value) is int else value
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) < 14:
        seconds = int(written) / (1000 if len(written) > 11 else 1)
        return datetime.fromtimestamp(seconds, UTC)
    return iso_date(written) or http_date(written)


def _is_for(hearing: Hearing, context: Mapping[str, Json]) -> bool:
    return hearing.when is None or bool(_value(hearing.when, context))


def _value(expression: Expression, context: Mapping[str, Json]) -> Json:
    try:
        return expression(context)
    except ExpressionFailed:
        return None


def _currency(value: Json) -> str:
    written = str(value or "").upper()
    return written if _CURRENCY.fullmatch(written) else ""


def _lower(answer: Answer) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
