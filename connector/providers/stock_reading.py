"""Reading what a described provider writes: answers, receipts and replies."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import orjson

from connector import phone
from connector.errors import Deferred, ExpressionFailed, SendFailed, Uncertain, Unreadable
from connector.expressions import Expression
from connector.messages import Accepted, Receipt, Reply, bare, channel_of
from connector.model import Hook, Json, Status
from connector.phone import NotANumber
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
_FIELD = re.compile(r"[\w.:\[\]-]{1,100}")
_CURRENCY = re.compile(r"[A-Z]{3}")

Fields = Mapping[str, Expression]
T = TypeVar("T")

log = logging.getLogger("connector")


def accepted(terms: Terms, answer: Answer) -> Accepted:
    """What an answer to a send says: the text is taken, or the error that it comes to.

    What the file says of a code counts first, then what it says of the HTTP status. An answer of
    which neither it nor HTTP says anything leaves the text in doubt.
    """
    context = {"status": answer.status, "headers": _lower(answer), **said(answer.body)}
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
    return refusals.of_listing(refusals.failure(terms.name, answer, "", {}))


def _failure(terms: Terms, answer: Answer, code: str, means: refusals.Means) -> SendFailed:
    kind, why = means
    says = f"{terms.name} answered {answer.status}" + (f" with code {code}" if code else "")
    says = f"{says}: {refusals.advice(terms.name, why)}"
    if kind is Deferred:
        return Deferred(says, reason=why, code=code, retry_after=refusals.retry_after(answer))
    return kind(says, reason=why, code=code)


def _unlisted(terms: Terms, answer: Answer, code: str) -> SendFailed:
    """What an answer means of which the file says nothing.

    302 and 303 may lead to the page that says that all went well, so that the text is in doubt.
    """
    known = answer.status in refusals.STATUSES and answer.status not in (302, 303)
    if known or answer.status == 429 or answer.status >= 500:
        return refusals.failure(terms.name, answer, code, {})
    says = f"{terms.name} answered {answer.status}" + (f" with code {code}" if code else "")
    file = f"mappings/providers/{terms.name}.toml"
    return Uncertain(f"{says}; {file} does not say what that means: add it to [codes]", code=code)


def heard(terms: Terms, hook: Hook, region: str) -> Sequence[Receipt | Reply]:
    """What a verified callback says; raise ``Unreadable`` when it is neither receipt nor reply.

    ``region`` is the country of numbers that are written without theirs.
    """
    context = {
        **said(hook.body),
        "headers": dict(hook.headers),
        "query": {name: found[0] for name, found in query(hook.url).items()},
        "path": urlsplit(hook.url).path.rpartition(f"/providers/{terms.name}")[2].strip("/"),
    }
    ours = reference(hook) if terms.believes_address else ""
    if terms.receipts and _is_for(terms.receipts, context):
        return _each(terms.receipts, context, lambda told: receipt(terms, told, ours))
    if terms.replies and _is_for(terms.replies, context):
        return _each(terms.replies, context, lambda told: _reply(terms, told, region))
    raise Unreadable("neither receipt nor reply: no `when` of the provider's file is true of it")


def _each(
    hearing: Hearing, context: Mapping[str, Json], read: Callable[[Mapping[str, Json]], T]
) -> list[T]:
    """Every entry of a callback that can be read: a STOP does not wait for its neighbour.

    Raises ``Unreadable`` where none can be.
    """
    found, fault = list[T](), None
    for each in entries(hearing, context):
        try:
            found.append(read(values(hearing.fields, each)))
        except Unreadable as error:
            fault = error
    if fault is not None and not found:
        raise fault
    if fault is not None:
        log.warning("act=callback result=partly_unreadable %s", fault)
    return found


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


def _reply(terms: Terms, told: Mapping[str, Json], region: str) -> Reply:
    number, sender = identified(told.get("id")), identified(told.get("sender")).strip()
    if not number or not sender:
        raise Unreadable("a reply bears an id and a sender, and this one does not")
    answered = str(told.get("opt_out") or "").upper()
    return Reply(
        provider=terms.name,
        provider_id=number,
        sender=_person(bare(sender), region),
        to=e164(told.get("to")),
        text=str(told.get("text") or ""),
        occurred_at=instant(told.get("at")),
        opt_out_type=answered if answered in ("STOP", "START", "HELP") else "",
        channel=channel_of(sender),
    )


def _person(written: str, region: str) -> str:
    """Who wrote, in E.164 however the number is written: a STOP must count for the right one.

    As it was written where it is none (a name, a short code).
    """
    for number in (e164(written), e164(written.removeprefix("00")), written):
        with suppress(NotANumber):
            return phone.parse(number, region).e164
    return e164(written)


def said(body: bytes) -> dict[str, Json]:
    """What an expression may read of a body: ``body`` taken apart, and ``raw``, its beginning."""
    raw = body[: 4 * MAX_WORDS].decode(errors="replace")[:MAX_WORDS]
    return {"body": _parsed(body, raw), "raw": raw}


def _parsed(body: bytes, raw: str) -> Json:
    """JSON, else the first values of a form, else the words themselves.

    A number alone stays as it is written, since it may be an id of many digits.
    """
    try:
        found = orjson.loads(body)
    except ValueError:
        found = None
    if isinstance(found, (dict, list, str)):
        return found
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=MAX_FIELDS
        )
    except ValueError:
        return raw
    if not all(_FIELD.fullmatch(name) for name, _ in pairs):
        return raw  # XML, or a sentence with = in it
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
