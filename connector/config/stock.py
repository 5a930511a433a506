"""Described providers: ``mappings/providers/<name>.toml`` as values, every fault with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from connector.config import stock_proof, toml
from connector.config.sources import MAX_BODY
from connector.config.stock_proof import Prover
from connector.config.supply import nearest
from connector.config.toml import REQUIRED, Table
from connector.config.web import check_address
from connector.errors import Fault
from connector.expressions import Expression, compile_all, compile_expression
from connector.expressions.values import MAX_SIZE
from connector.messages import CHANNELS
from connector.model import Status
from connector.providers.refusals import Means
from connector.providers.stock_terms import (
    KINDS,
    USUAL,
    Asking,
    Auth,
    Hearing,
    Sending,
    Slot,
    Terms,
)
from connector.rules.mapping import Verify

FOLDER: Final = "mappings/providers"
AUTHS: Final = ("bearer", "basic", "header", "fields", "none")
FORMATS: Final = ("json", "form", "query")

#: What an expression may begin with.
MESSAGE: Final = frozenset(
    {"to", "text", "sender", "channel", "send_id", "callback_url", "valid_for", "purpose"}
)
ANSWER: Final = frozenset({"status", "body", "raw", "headers"})
CALLBACK: Final = frozenset({"body", "raw", "item", "headers", "query", "path"})
ASKED: Final = frozenset({"body", "raw", "item"})

#: What each table may tell, and of that what it must.
ANSWERS: Final = ("accepted", "id", "segments", "price", "currency", "code")
RECEIPTS: Final = ("id", "status", "code", "reference", "at", "segments", "price", "currency")
REPLIES: Final = ("id", "sender", "to", "text", "at", "opt_out")
PLACES: Final[Mapping[str, frozenset[str]]] = {
    "status": frozenset({"id", "reference", "to"}),
    "find": frozenset({"reference", "to"}),
}

TELL: Final = 'tell ours in [send.body] or [send.headers]: reference = "send_id"'

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
_PLACE = re.compile(r"\{([^{}]*)\}")


def load(folder: Path, faults: list[Fault], adapters: Collection[str]) -> dict[str, Terms | None]:
    """Every file of the folder by its name; None where it has faults, which are added.

    ``adapters`` are the names that are taken already.
    """
    found: dict[str, Terms | None] = {}
    for path in sorted(folder.glob("*.toml")):
        known = len(faults)
        if path.stem in adapters or not _NAME.fullmatch(path.stem):
            why = "bears the name of an adapter" if path.stem in adapters else "is no name here"
            remedy = "call it otherwise, in small letters, digits, - and _"
            faults.append(Fault(str(path), 0, "", why, remedy))
        top = toml.read(path, faults)
        terms = _Reader(path.stem, top).terms() if len(faults) == known else None
        found[path.stem] = terms if len(faults) == known else None
    return found


class _Reader:
    """Reads one file."""

    def __init__(self, name: str, top: Table) -> None:
        self.name = name
        self.top = top
        self.tells_reference = False  # whether a request bears our own reference

    def terms(self) -> Terms:
        """The whole file."""
        top = self.top
        about = top.table("provider")
        about.text("description", "")
        channels = about.words("channels", ("sms",), choices=CHANNELS)
        about.done()
        verify, auth = self.proof(), self.auth()
        receipts = self.hearing("receipts", RECEIPTS, ("id", "status"))
        replies = self.hearing("replies", REPLIES, ("id", "sender", "text"))
        self.told_apart(receipts, replies)
        terms = Terms(
            name=self.name,
            channels=frozenset(channels),
            auth=auth,
            sending=self.sending(auth),
            answer=self.fields(top.table("answer"), ANSWERS, ("id",), ANSWER),
            codes=self.meanings("codes", str),
            statuses=self.meanings("statuses", _http_status),
            words=self.words(receipts),
            receipts=receipts,
            replies=replies,
            status=self.asking("status", RECEIPTS, ("status",)),
            find=self.asking("find", ("id", "reference"), ("id", "reference")),
            prove=Prover(verify),
            believes_address=verify.scheme in stock_proof.TRUSTED,
            shown_in_address=verify.scheme == stock_proof.QUERY,
        )
        top.done()
        return terms

    def proof(self) -> Verify:
        """How callbacks are proven."""
        if "verify" not in self.top:
            self.top.fault("verify", "is missing", "add [verify], or anybody could send a STOP")
        return stock_proof.read(self.top.table("verify"))

    def auth(self) -> Auth:
        """How requests are proven."""
        table = self.top.table("auth")
        scheme = table.text("scheme", choices=AUTHS)
        header = table.text("header", REQUIRED if scheme == "header" else "Authorization")
        if header and not _HEADER.fullmatch(header):
            table.fault("header", f"is {header!r:.60}, no header's name", 'such as "X-Api-Key"')
        fields = table.words("fields") if scheme == "fields" else ()
        if "fields" in table and scheme == "fields" and not all(fields or [""]):
            table.fault("fields", "names no field", 'such as ["login", "password"]')
        auth = Auth(scheme, header, table.text("prefix", ""), fields)
        table.done()
        return auth

    def sending(self, auth: Auth) -> Sending:
        """Where a text is handed over, and how it is written."""
        table = self.top.table("send")
        url = table.text("url")
        check_address(table, "url", url)
        format_ = table.text("format", "json", choices=FORMATS)
        found: dict[str, Expression] = {}
        headers = table.table("headers")
        for name in headers.values:
            if not _HEADER.fullmatch(name):
                headers.fault(name, "is no header's name", "use letters, digits and -")
            found |= self.fields(headers, (name,), (), MESSAGE, "headers.")
        body = self.body(table.table("body"), found, format_ != "json")
        told = {path for each in found.values() for path in each.paths}
        for name in ("to", "text"):
            if name not in told:
                table.fault("body", f"never tells {name}", f'say where it is: {name} = "{name}"')
        for name in body.keys() & {*auth.fields}:
            table.fault(f"body.{name}", "is a field of [auth] too", "take it out of one of them")
        self.tells_reference = "send_id" in told
        sending = Sending(
            url=url,
            format=format_,
            body=body,
            headers=tuple(headers.values),
            values=compile_all(found, strict=False),
            repeats_safely=table.flag("repeats_safely", False),
        )
        if sending.repeats_safely and not self.tells_reference:
            table.fault("repeats_safely", "is set, and no text bears a key", TELL)
        table.done()
        return sending

    def body(self, table: Table, found: dict[str, Expression], is_form: bool) -> dict[str, Any]:
        """A table of expressions with slots in their places; the expressions go to ``found``."""
        return {key: self.part(table, key, found, is_form) for key in table.values}

    def part(self, table: Table, key: str, found: dict[str, Expression], is_form: bool) -> Any:
        """One value of a body: an expression, a constant, or a table or list of such."""
        value = table.values[key]
        if isinstance(value, dict):
            if is_form:
                table.fault(key, "is a table, and a form has none", "write each field by itself")
            return self.body(table.table(key), found, is_form)
        if isinstance(value, list):
            table.raw(key)
            lines = {f"{table.where(key)}.{n}": table.line(key) for n in range(len(value))}
            inner = Table(
                table.file,
                {str(place): each for place, each in enumerate(value)},
                table.faults,
                {**table.lines, **lines},
                table.where(key),
            )
            return list(self.body(inner, found, is_form).values())
        if not isinstance(value, str):
            table.raw(key)
            return value
        name = table.where(key)
        expression = self.expression(table, key, MESSAGE)
        if expression is None:
            return None
        found[name] = expression
        return Slot(name)

    def meanings(self, key: str, read: Callable[[str], Any]) -> dict[Any, Means]:
        """``[codes]`` or ``[statuses]``: what the provider writes → what it comes to."""
        table = self.top.table(key)
        found: dict[Any, Means] = {}
        for name in table.values:
            code = read(name)
            if code is None:
                table.fault(name, "is no HTTP status", "write one from 100 to 599, in quotes")
            elif isinstance(table.values[name], dict):
                inner = table.table(name)
                kind = inner.text("means", choices=KINDS)
                found[code] = (KINDS[kind], inner.text("reason", choices=USUAL))
                inner.done()
            else:
                found[code] = USUAL.get(table.text(name, choices=USUAL), USUAL["unknown"])
        return found

    def words(self, receipts: Hearing | None) -> dict[str, Status]:
        """``[words]``: the provider's own statuses of texts → ours."""
        table, known = self.top.table("words"), len(self.top.faults)
        found = {name: Status(table.text(name, choices=list(Status))) for name in table.values}
        is_whole = len(self.top.faults) == known
        if is_whole and receipts is not None and Status.delivered not in found.values():
            remedy = 'say which of its words means that: DELIVRD = "delivered"'
            self.top.fault("words", "names no status that means delivered", remedy)
        return found

    def hearing(self, key: str, names: Sequence[str], needed: Sequence[str]) -> Hearing | None:
        """``[receipts]`` or ``[replies]``; a provider that tells neither is of no use."""
        if key not in self.top:
            remedy = f"add [{key}]: without it no {'receipt' if key == 'receipts' else 'STOP'}"
            self.top.fault(key, "is missing", f"{remedy} would ever be heard")
            return None
        table = self.top.table(key)
        when = self.expression(table, "when", CALLBACK - {"item"})
        for_each = self.expression(table, "for_each", CALLBACK - {"item"}, MAX_BODY)
        hearing = Hearing(self.fields(table, names, needed, CALLBACK), when, for_each)
        table.done()
        return hearing

    def told_apart(self, receipts: Hearing | None, replies: Hearing | None) -> None:
        """Receipts are asked first, so that without a word of which they are all would be."""
        if receipts is not None and receipts.when is None and replies is not None:
            remedy = "say which callbacks are receipts: when = \"body.type == 'status'\""
            self.top.table("receipts").fault("when", "is missing", remedy)

    def asking(self, key: str, names: Sequence[str], needed: Sequence[str]) -> Asking | None:
        """``[status]`` or ``[find]``, where it is there."""
        if key not in self.top:
            return None
        table = self.top.table(key)
        if key == "find" and not self.tells_reference:
            table.fault("", "asks by a reference that no text bears", TELL)
        url = table.text("url")
        places = _PLACE.findall(url)
        check_address(table, "url", _PLACE.sub("x", url))
        for place in places:
            if place not in PLACES[key]:
                table.fault("url", f"holds {{{place}}}", nearest(place, PLACES[key]))
        if (url and not places) or "{" in url.partition("://")[2].partition("/")[0]:
            example = "{id}" if key == "status" else "{reference}"
            table.fault("url", "does not say of which text", f"put {example} behind the host")
        for_each = self.expression(table, "for_each", ASKED - {"item"}, MAX_BODY)
        asking = Asking(url, self.fields(table, names, needed, ASKED), for_each)
        table.done()
        return asking

    def fields(
        self,
        table: Table,
        names: Sequence[str],
        needed: Sequence[str],
        roots: frozenset[str],
        prefix: str = "",
    ) -> dict[str, Expression]:
        """The expressions under those names; ``needed`` ones must be there."""
        for name in needed:
            if name not in table:
                table.fault(name, "is missing", f'say where it stands: {name} = "body.{name}"')
        found = {f"{prefix}{name}": self.expression(table, name, roots) for name in names}
        return {name: each for name, each in found.items() if each is not None}

    def expression(
        self, table: Table, key: str, roots: frozenset[str], limit: int = MAX_SIZE
    ) -> Expression | None:
        """One expression; None where it is absent, empty or at fault."""
        source = table.text(key, "")
        if not source:
            return None
        try:
            found = compile_expression(source, strict=False, limit=limit)
        except ValueError as error:
            table.fault(key, f"cannot be understood: {error}", "mend the expression")
            return None
        for path in sorted(found.paths):
            root = path.partition(".")[0]
            if root not in roots:
                table.fault(key, f"reads {path}, which is not known here", nearest(root, roots))
        return found


def _http_status(written: str) -> int | None:
    return int(written) if re.fullmatch(r"[1-5][0-9]{2}", written) else None
