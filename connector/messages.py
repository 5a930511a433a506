"""Texts on their way: what a provider is asked, and what it and people say back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.model import Purpose, Status, light

SMS = "sms"
CHANNELS = (SMS, "whatsapp", "rcs")
"""How a provider may carry a text; a sender written ``whatsapp:+1202…`` names its channel."""


def channel_of(sender: str) -> str:
    """The channel that a sender speaks on, which stands before its name; ``sms`` where none is."""
    channel, colon, _ = sender.partition(":")
    return channel if colon and channel in CHANNELS else SMS


def bare(address: str) -> str:
    """An address without the channel before it: the number, or the brand's own name."""
    return address if channel_of(address) == SMS else address.partition(":")[2]


@light
@dataclass(frozen=True, slots=True)
class Message:
    """One text as a provider is asked to send it."""

    send_id: str
    to: str  #: E.164
    text: str
    sender: str = ""  #: number or messaging service; "" lets the provider's settings choose
    callback_url: str = ""  #: where to report; an adapter adds our reference to it (``?s=``)
    valid_for: timedelta = timedelta(hours=4)
    purpose: str = Purpose.service


@dataclass(frozen=True, slots=True)
class Accepted:
    """A provider took the text."""

    provider_id: str
    segments: int | None = None
    cost_micros: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider tells us of a send, one row per callback."""

    provider: str
    provider_id: str
    status: Status
    raw_status: str
    error_code: str = ""
    reason: str = ""  #: our stable code for the error, as on SendFailed
    occurred_at: datetime | None = None  #: the provider's own time, where it gives one
    stamp: str = ""  #: the provider's own time as text, part of the natural key
    send_id: str = ""  #: our reference, where it came back
    segments: int | None = None
    cost_micros: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person texted to us."""

    provider: str
    provider_id: str  #: the provider's id of the inbound message
    sender: str  #: E.164 of the person
    to: str  #: our number
    text: str
    occurred_at: datetime | None = None
    opt_out_type: str = ""  #: STOP, START or HELP where the provider has answered already
    channel: str = SMS


@dataclass(frozen=True, slots=True)
class Carried:
    """A text that a provider lists among those it took, whoever still remembers handing it over."""

    provider: str
    provider_id: str
    to: str  #: E.164
    text: str
    at: datetime  #: when the provider took it, by its own clock
    send_id: str = ""  #: our reference, where the provider keeps one
    status: Status = Status.accepted
    raw_status: str = ""
    error_code: str = ""
    reason: str = ""  #: our stable code for the error
    segments: int | None = None
    cost_micros: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What looking up a doubtful send told us: taken (with its id), not taken, or cannot tell.

    ``by_reference`` says that our own reference was found, so that it can be no other's text.
    Without it number, words and time fit, which another's text may do too: whoever asked makes
    sure that the id is not another send's already. ``fits`` is everything that fits, where the
    provider lists it, also where one cannot be told from the other.
    """

    taken: bool | None
    provider_id: str = ""
    by_reference: bool = False
    fits: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a look-up told of a number itself."""

    type: str = ""  #: mobile, fixed_line, voip …, invalid; "" where it could not be told
    reassigned: bool | None = None  #: whether it has a new owner; None: not asked, or no telling
