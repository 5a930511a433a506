"""What an event tells, value by value: cleaned, bounded, believed only as far as its source is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from connector import phone
from connector.errors import ExpressionFailed
from connector.model import Capture, ConsentGiven, Json, Subject, Trust
from connector.rules import links

PHONES: Final = "subject.phones"  #: several fields of a CRM's record that may hold the number
MAX_ID: Final = 256
MAX_EMAIL: Final = 254
MAX_KEY: Final = 200
MAX_VISIT: Final = 500
MAX_WORDING: Final = 2_000
MAX_CAPTURE: Final = {"wording_version": 100, "ip": 64, "url": 2_000, "user_agent": 500}
"""The longest that is kept of what proves a consent beside its words."""
MAX_AMOUNT: Final = Decimal(10**12)
EXACT: Final = 2**53  #: up to here a floating number is exactly the whole number it shows
#: What broken trackers write where they know no id; as an id it would join strangers.
NOBODY: Final = frozenset({"null", "none", "nil", "undefined", "nan", "(null)", "[object object]"})


Tables = Mapping[str, tuple[tuple[str, str], ...]]
"""facts, traits and visit: of each value its name and its whole name (``facts.total``)."""


def tables(names: Iterable[str]) -> Tables:
    """Which of a rule's values are facts, traits and visit."""
    found: dict[str, tuple[tuple[str, str], ...]] = {"facts": (), "traits": (), "visit": ()}
    for full in names:
        table, _, name = full.partition(".")
        if name and table in found:
            found[table] = (*found[table], (name, full))
    return found


def folded(name: str) -> str:
    """An event's name without its spelling: ``Order Completed`` is ``order_completed``."""
    return "_".join(name[:MAX_ID].casefold().replace("_", " ").split())


class Told:
    """The values of one event's rule, read one after the other.

    What is not believed or cannot be used is left out, and ``dropped`` says why, without the
    value itself.
    """

    def __init__(
        self,
        values: Mapping[str, Json],
        tables: Tables,
        trust: Trust,
        default_region: str,
        proven: str | None = None,
    ) -> None:
        self.trust = trust
        self.proven = proven  #: the one user spoken for; "" for none, None where nothing is asked
        self.dropped: list[str] = []
        self._values = values
        self._tables = {
            table: {name: values[full] for name, full in pairs if values[full] is not None}
            for table, pairs in tables.items()
        }
        self._region = self._country() or default_region

    def subject(self) -> Subject:
        """Whom the event speaks of."""
        anonymous_id = self.identity(
            "subject.anonymous_id", self._values.get("subject.anonymous_id")
        )
        if self.trust is Trust.form:
            return self._proposing(anonymous_id)
        user_id = self.identity("subject.user_id", self._values.get("subject.user_id"))
        if self.proven is not None and (not self.proven or user_id != self.proven):
            return self._unproven(user_id, anonymous_id)
        crm_id = self.identity("subject.crm_id", self._values.get("subject.crm_id"))
        return Subject(
            user_id=user_id,
            anonymous_id=anonymous_id,
            phone=self.own_phone(),
            email=self._email(),
            crm=self.identity("subject.crm", self._values.get("subject.crm")) if crm_id else "",
            crm_id=crm_id,
        )

    def _proposing(self, anonymous_id: str) -> Subject:
        """Whom a form speaks of. Anybody may type anybody's number and address, so it names no
        user and no record, and a number never: that is only proposed. Nor the e-mail typed beside
        a number: whoever proves the number would be taken for the bearer of that address.
        """
        if self.own_phone():
            self._drop("subject.phone", "a form only proposes a number, which is asked by text")
            return Subject(anonymous_id=anonymous_id)
        return Subject(anonymous_id=anonymous_id, email=self._email())

    def _unproven(self, user_id: str, anonymous_id: str) -> Subject:
        """Whom a page speaks of that must prove users and does not: who bears the page's own id.

        An e-mail address or a CRM's id would lead to a known person as a user id does.
        """
        if user_id:
            self._drop("subject.user_id", "its signature is missing or wrong")
        for field in ("subject.email", "subject.crm_id"):
            if self._values.get(field):
                self._drop(field, "only a signed user id leads to a known person here")
        return Subject(anonymous_id=anonymous_id)

    def identity(self, field: str, value: Json) -> str:
        """An id as text; "" for none, junk, control characters or more than 256 characters."""
        if value is None or value == "":
            return ""
        text = _plain(value).strip()
        if not text or text.casefold() in NOBODY or not text.isprintable() or len(text) > MAX_ID:
            return self._drop(field, "is no usable id")
        return text

    def phone(self, field: str) -> str:
        """A number in E.164; "" where there is none or it cannot be one."""
        value = self._values.get(field)
        if value is None or value == "":
            return ""
        if self.trust is Trust.browser:
            return self._drop(field, "a browser source gives no phone number")
        text = _plain(value)
        if not text:
            return self._drop(field, "is neither a text nor a number")
        try:
            return phone.parse(text, self._region).e164
        except phone.NotANumber as error:
            return self._drop(field, str(error))

    def own_phone(self) -> str:
        """The subject's number; of several fields the first number that texts can reach.

        Where they can reach none it is the first that is a number at all.
        """
        fields = self._values.get(PHONES)
        if not isinstance(fields, list) or self.trust is Trust.browser:
            return self.phone("subject.phone")
        found, why = [], ""
        for text in map(_plain, fields):
            try:
                found += [phone.parse(text, self._region)] if text else []
            except phone.NotANumber as error:
                why = why or str(error)
        if not found:
            return self._drop("subject.phone", why) if why else ""
        return next((one for one in found if phone.reachable(one.type)), found[0]).e164

    def stage(self, stages: Mapping[str, str]) -> str:
        """Our stage for the one that the event itself tells; "" where it means none of ours, or
        a stranger typed it."""
        if self.trust is Trust.form:
            return ""
        return stages.get(_plain(self._values.get("stage")).strip(), "") if stages else ""

    def facts(self) -> dict[str, Json]:
        """The facts that have a value."""
        return {name: self._safe("facts", name) for name in self._tables["facts"]}

    def traits(self) -> dict[str, Json]:
        """The traits that have a value; from a stranger, no clock to go by."""
        traits = {name: self._safe("traits", name) for name in self._tables["traits"]}
        if "timezone" in traits and self.trust is not Trust.trusted:
            self._drop("traits.timezone", f"a {self.trust} source states no timezone")
            del traits["timezone"]
        if "country" in traits:
            traits["country"] = self._country() or self._drop(
                "traits.country", "is no two-letter country code"
            )
        return {name: value for name, value in traits.items() if value != ""}

    def visit(self) -> dict[str, str]:
        """Where the person came from, as short texts."""
        visit = {}
        for name, value in self._tables["visit"].items():
            text = _plain(value)
            if self.trust is not Trust.trusted:
                is_link = "://" in text
                text = links.safe_link(text) if is_link else links.cleaned(text)
            if text := text[:MAX_VISIT].strip():
                visit[name] = text
        return visit

    def key(self) -> str:
        """The occurrence key; a long one, or a stranger's odd one, stands as its hash."""
        value = self._values.get("key")
        if value is None:
            return ""
        key = _plain(value).strip()
        if not key:
            return self._drop("key", "is neither a text nor a number")
        odd = self.trust is not Trust.trusted and links.cleaned(key) != key
        if odd or len(key) > MAX_KEY or not key.isprintable():
            return f"sha256:{hashlib.sha256(key.encode(errors='replace')).hexdigest()[:32]}"
        return key

    def micros(self) -> int | None:
        """The amount in millionths, exactly as written; None where there is none."""
        value = self._values.get("value")
        if value is None:
            return None
        try:
            amount = Decimal(_plain(value).strip())
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or abs(amount) > MAX_AMOUNT:
            self._drop("value", "is no amount")
            return None
        return int((amount * 1_000_000).to_integral_value())

    def currency(self) -> str:
        """Three capital letters, or ""."""
        value = self._values.get("currency")
        code = _plain(value).strip().upper()
        if len(code) == 3 and code.isascii() and code.isalpha():
            return code
        return "" if value is None or value == "" else self._drop("currency", "is no currency code")

    def consent(
        self,
        place: str,
        purpose: str,
        method: str,
        evidence: Mapping[str, str],
        seen: Mapping[str, Json],
    ) -> ConsentGiven | None:
        """A consent or its end; None where the event says nothing, or may not.

        One that ends without a number (``phone`` is "") is meant for all the person's numbers.
        ``seen`` (ip, url, user_agent) is where the event itself comes from; the mapping's own
        word goes before it.
        Raises ``ExpressionFailed`` where ``granted`` is neither true, false nor none.
        """
        granted = self._values.get(f"{place}.granted")
        if granted is None:
            return None
        if not isinstance(granted, bool):
            raise ExpressionFailed(f"{place}.granted: gives neither true, false nor none")
        if self.trust is Trust.browser:
            self._drop(place, "a browser source gives no consent")
            return None
        if self.trust is Trust.form and not granted:
            return None  # a box that was left empty ends nothing that was agreed to elsewhere
        number = self._number_of(place)
        if granted and not number:
            self._drop(place, "a consent needs a valid phone number")
            return None
        wording = self._values.get(f"{place}.wording")
        words = "" if wording is None else _plain(wording)[:MAX_WORDING]
        capture = Capture(
            **{
                name: self._short(f"{place}.{name}", most, seen.get(name))
                for name, most in MAX_CAPTURE.items()
            }
        )
        return ConsentGiven(
            number, purpose, granted, method, words, evidence, capture, self._at(place)
        )

    def _short(self, field: str, most: int, default: Json) -> str:
        """A text in one line, no longer than it is kept."""
        value = self._values.get(field)
        text = _plain(default if value is None or value == "" else value)
        return "".join(letter for letter in text if letter.isprintable())[:most].strip()

    def _at(self, place: str) -> datetime | None:
        """When the consent was given, where the mapping says so; None takes the event's time."""
        value = self._values.get(f"{place}.occurred_at")
        if value is None or value == "":
            return None
        try:
            at = datetime.fromisoformat(_plain(value))
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            self._drop(f"{place}.occurred_at", "is no instant with its zone")
            return None
        return at

    def _number_of(self, place: str) -> str:
        """The number a consent names; where it names none, the subject's (noted once only)."""
        if self._values.get(f"{place}.phone"):
            return self.phone(f"{place}.phone")
        noted = len(self.dropped)
        number = self.own_phone()
        del self.dropped[noted:]
        return number

    def _email(self) -> str:
        value = self._values.get("subject.email")
        if value is None or value == "":
            return ""
        text = _plain(value).strip().lower()
        name, _, domain = text.rpartition("@")
        usable = name and domain and len(text) <= MAX_EMAIL and text.isprintable()
        if not usable or " " in text or "@" in name:
            return self._drop("subject.email", "is no e-mail address")
        return text

    def _country(self) -> str:
        value = self._tables["traits"].get("country")
        code = value.strip().upper() if isinstance(value, str) else ""
        return code if len(code) == 2 and code.isascii() and code.isalpha() else ""

    def _safe(self, table: str, name: str) -> Json:
        value = self._tables[table][name]
        if self.trust is Trust.trusted:
            return value
        safe = links.untrusted(name, value)
        if safe != value:
            self._drop(f"{table}.{name}", "links, control characters or length taken off")
        return safe

    def _drop(self, field: str, why: str) -> str:
        self.dropped.append(f"{field}: {why}")
        return ""


def _plain(value: Json) -> str:
    """A text, or a number written out (7.0 as 7, as most senders write it); "" for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < EXACT
    return str(int(value) if whole else value)
