"""Traffic that is no customer's: robots, the operator's own people, and what senders mark as tests.

Its events are kept with the reason, and nothing comes of them: no signal, no contact, no play.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from connector.model import Event, Json, Signal, Trust
from connector.rules import mapping
from connector.rules.clicks import named
from connector.rules.mapping import DELETED, MERGED, SourceMapping

ROBOT: Final = "robot"
STAFF: Final = "staff"
TEST: Final = "test"
REASONS: Final = (ROBOT, STAFF, TEST)
"""Why an event is kept apart, as its row says."""

NETWORK: Final = "network"
"""Of an event's context: what the web found of the address it came from, which is never kept."""

OURS: Final = frozenset({"preview", "search", "scanner", "monitor", "browser", "robot"})
"""Programs that open pages by themselves. A library is none: apps on telephones name theirs."""

MAX_AGENT: Final = 500
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Traffic:
    """The ``[traffic]`` table. Of e-mail addresses, ``@shop.example`` names all of a domain."""

    robots: bool = True  #: whether a browser that says it is a robot is taken for one
    tests: bool = True  #: whether a sender's own mark of a test is believed
    staff_emails: frozenset[str] = frozenset()  #: in small letters
    staff_numbers: frozenset[str] = frozenset()  #: E.164
    staff_users: frozenset[str] = frozenset()  #: user ids, as events say them
    staff_networks: tuple[Network, ...] = ()
    test_emails: frozenset[str] = frozenset()
    test_numbers: frozenset[str] = frozenset()

    @property
    def names_staff(self) -> bool:
        """Whether anybody of the operator's own is named."""
        return bool(self.staff_emails or self.staff_numbers or self.staff_users)

    @property
    def names_people(self) -> bool:
        """Whether it depends on whom an event speaks of."""
        return bool(self.names_staff or self.test_emails or self.test_numbers)

    def staff(self, *names: str) -> str:
        """The entry by which one of some names (e-mail, number or user id) is the operator's own
        people's; "" where none is."""
        for name in filter(None, names):
            if name in self.staff_users or name in self.staff_numbers:
                return name
            if entry := _listed(name, self.staff_emails):
                return entry
        return ""

    def still(self, entry: str) -> bool:
        """Whether an entry is listed among the operator's own people now."""
        return entry in self.staff_emails | self.staff_numbers | self.staff_users

    def inside(self, address: str) -> bool:
        """Whether an IP address is in one of the operator's networks; false for what is none."""
        if not self.staff_networks or not address:
            return False
        try:
            found = ip_address(address.strip())
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found.version == each.version and found in each for each in self.staff_networks)


def told(traffic: Traffic, source: SourceMapping, event: Event, trust: Trust) -> str:
    """Why an event is no customer's by what it says of itself: robot, staff, test, or "".

    A robot is known by its user agent, and only where a browser speaks; a test by what the
    mapping's ``test`` says, or else by the marks that senders use. Raises ``ExpressionFailed``
    where ``test`` cannot be evaluated.
    """
    if event.type in (MERGED, DELETED):
        return ""
    context = event.payload.get("context")
    context = context if isinstance(context, dict) else {}
    if traffic.robots and trust is not Trust.trusted and _is_robot(context):
        return ROBOT
    if traffic.tests and _is_test(source, event, context):
        return TEST
    if traffic.staff_networks and (
        context.get(NETWORK) == STAFF or traffic.inside(_text(context.get("ip")))
    ):
        return STAFF
    return ""


def of_people(traffic: Traffic, signal: Signal) -> str:
    """Why an event is no customer's by whom it speaks of: staff, test, or "".

    What must be heard whoever it is of (:func:`is_due_to_all`) is no less a customer's.
    """
    if not traffic.names_people or is_due_to_all(signal):
        return ""
    subject = signal.subject
    numbers = (subject.phone, *(given.phone for given in signal.consents))
    if traffic.staff(subject.user_id, subject.email, *numbers):
        return STAFF
    if _listed(subject.email, traffic.test_emails) or traffic.test_numbers.intersection(numbers):
        return TEST
    return ""


def is_due_to_all(signal: Signal) -> bool:
    """Whether a signal ends a consent or asks for a person's right: a list in a file may change,
    a no stands."""
    return bool(signal.privacy) or any(not given.granted for given in signal.consents)


@lru_cache(maxsize=4_096)
def is_robot(agent: str) -> bool:
    """Whether a user agent is that of a program that opens pages by itself."""
    return named(agent) in OURS


def _is_robot(context: Mapping[str, Json]) -> bool:
    agent = context.get("userAgent")
    is_said = isinstance(agent, str) and bool(agent)
    return context.get("automated") is True or (is_said and is_robot(str(agent)[:MAX_AGENT]))


def _is_test(source: SourceMapping, event: Event, context: Mapping[str, Json]) -> bool:
    if source.test is not None:
        return mapping.is_test(source, event)
    payload = event.payload
    if source.adapter != "standard":
        return context.get("test") is True or _marked(payload.get("properties"))
    headers = payload.get("headers")
    is_shopify = isinstance(headers, dict) and headers.get("x-shopify-test") == "true"
    return is_shopify or _marked(payload.get("item"))


def _marked(value: Json) -> bool:
    """Whether a body bears the mark of a test: ``test`` (Shopify), ``livemode`` false (Stripe)."""
    if not isinstance(value, dict):
        return False
    return value.get("test") is True or value.get("livemode") is False


def _listed(email: str, listed: frozenset[str]) -> str:
    """The entry that names an e-mail address, or "" for none."""
    if not listed or "@" not in email:
        return ""
    return next((entry for entry in _entries(email.lower()) if entry in listed), "")


def _entries(email: str) -> Iterator[str]:
    """What may stand in a list for an address: itself, its domain, those above it."""
    yield email
    domain = email.rpartition("@")[2]
    while "." in domain:
        yield f"@{domain}"
        domain = domain.partition(".")[2]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
