"""What every provider must do alike: one suite, run by each adapter through a kit of its own.

A kit (``kit_<name>.py``) is one adapter and the other side of it. It makes that side behave, makes
callbacks in the vendor's own tongue, and declares what the vendor can: so the tests that fit are
put together by ``contract_of``, and none is skipped. The suite itself knows no provider.

To add one: write a ``Kit``, add a line to ``KITS`` in ``test_contract.py``. ``HttpSide`` of
``http_side.py`` is the other side of whoever is spoken to through ``Wire``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest
from hypothesis import HealthCheck, settings

from connector.errors import Deferred, Refused, SendFailed, Uncertain
from connector.messages import Carried, Message, Reply
from connector.model import Hook, Json, Status
from connector.providers import Ability, Provider

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
SETTLED = NOW + timedelta(minutes=2)  #: when a look-up may be sure; the other side's clock
TEXT = "Corner Shop: your basket is waiting. Reply STOP to opt out"
MESSAGE = Message(
    send_id="snd_01k5abc",
    to="+14155552671",
    text=TEXT,
    callback_url="https://sms.example.test/providers/any",
)
OURS = "+15005550006"  #: the number that replies come to
ID = "3c4b9a6e-0f2d-4d1b-9a53-8c2f0d7e1a10"  #: what the vendor calls ``MESSAGE``
SECRET = "0123456789secret0123456789secret"
COST_MICROS = 7_500  #: what ``MESSAGE`` cost, where the vendor tells
SEGMENTS = 2  #: and of how many segments it was

anything = settings(
    max_examples=60,
    deadline=None,
    # One kit serves all examples, and the same test is run by the class of each adapter.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
    ],
)

Meets = tuple[type[SendFailed], str]

#: error class → what ``send`` raises where the vendor tells it at once, with which reason
CLASSES: dict[str, Meets] = {
    "invalid_number": (Refused, "invalid_number"),
    "not_mobile": (Refused, "not_mobile"),
    "opted_out": (Refused, "opted_out"),
    "blocked": (Refused, "blocked"),
    "content": (Refused, "content"),
}
#: what any vendor may do → what ``send`` raises
MISHAPS: dict[str, Meets] = {
    "unheard_of": (Refused, "unknown"),  # 400 with a code nobody has told us of
    "configuration": (Deferred, "configuration"),  # the secret is wrong
    "rate_limited": (Deferred, "rate_limited"),
    "unreachable": (Deferred, "timeout"),  # no connection comes about
    "server_error": (Uncertain, "unavailable"),
    "malformed": (Uncertain, "unknown"),  # 2xx, but not a word of it to be read
    "lost_untaken": (Uncertain, "timeout"),  # no answer, and the text was not taken
    "lost_taken": (Uncertain, "timeout"),  # no answer, and the text was taken
}
FAILURES = {**CLASSES, **MISHAPS}


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the other side."""

    path: str
    timeouts: tuple[float, float]  #: seconds to connect and to wait for the answer
    body: bytes = b""
    key: str = ""  #: what the vendor would tell a repetition by, where it does


class Kit(Protocol):
    """One adapter and the other side of it; made anew for each test."""

    does: ClassVar[frozenset[Ability]]  #: the abilities, as the adapter must declare them
    over_http: ClassVar[bool]  #: whether ``calls``, ``answers`` and ``acceptance`` make sense
    at_send: ClassVar[frozenset[str]]  #: of ``CLASSES``: what the vendor tells when it is asked
    codes: ClassVar[Mapping[str, str]]  #: of ``CLASSES``: its code for them in a receipt
    statuses: ClassVar[Mapping[str, Status]]  #: every status it writes in receipts → our word
    proof: ClassVar[frozenset[str]]  #: headers that prove a callback, in lower case
    fresh_for: ClassVar[timedelta | None]  #: how old a callback may be; None: it bears no time
    opt_out_types: ClassVar[bool]  #: whether a reply says that the vendor answered a STOP
    currency: ClassVar[str]
    priced: ClassVar[frozenset[str]]  #: of receipt, status, carried: where the price is told
    counted: ClassVar[frozenset[str]]  #: of accepted, receipt, status, carried: the segments

    provider: Provider
    settings: Mapping[str, Any]  #: what ``provider`` was made with; can be pickled

    def __init__(self, folder: Path) -> None: ...

    def close(self) -> None:
        """Let go of the other side."""

    def arrange(self, fate: str) -> None:
        """Let every text from now on be ``accepted`` or meet a fate of ``FAILURES``.

        ``opted_out`` and the like are arranged only where ``at_send`` names them. Where the vendor
        repeats the number, the text or the secret in an error, the kit does so too.
        """

    def answers(self, status: int, body: bytes) -> None:
        """Let every text from now on be answered with this."""

    def acceptance(self) -> Mapping[str, Json]:
        """What the vendor writes when it accepts ``MESSAGE``."""

    def calls(self) -> list[Call]:
        """What reached the other side."""

    def receipt(self, status: str, code: str = "") -> Hook:
        """A signed receipt of ``MESSAGE`` (under ``ID``) at ``NOW``, in the vendor's own words.

        It tells ``COST_MICROS`` and ``SEGMENTS`` where the vendor's receipts do.
        """

    def reply(self, text: str, opt_out: str = "") -> Hook:
        """A signed text from ``MESSAGE.to`` to ``OURS``, at ``NOW``."""

    def sign(self, body: bytes) -> Hook:
        """A callback with any body, signed at ``NOW`` as the vendor would."""

    def holds(self, *entries: Carried | Reply) -> None:
        """Let look-ups and lists tell of these, as of ``SETTLED``."""

    def looks_up(self, status: int, body: bytes) -> None:
        """Let look-ups and lists be answered with this (only ``over_http``)."""


KitClass = Any  # of ``Kit``; mypy holds no class's own attributes against a protocol


class Contract:
    """What all parts of the suite share; ``contract_of`` supplies the kit."""

    kit_class: ClassVar[KitClass]

    @pytest.fixture
    def kit(self, tmp_path: Path) -> Iterator[Kit]:
        kit: Kit = self.kit_class(tmp_path)
        yield kit
        kit.close()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Ask each kit about the fates, codes and statuses there are with its vendor."""
        kit = self.kit_class
        chosen = {
            "fate": [*sorted(kit.at_send), *MISHAPS],
            "error_class": sorted(kit.codes),
            "word": sorted(kit.statuses),
        }
        for name, values in chosen.items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values)


def contract_of(kit: KitClass) -> type[Contract]:
    """The tests that an adapter must pass, chosen by what its kit says that it does.

    A kit may have ``untold``, the error classes that its vendor has no word for, and ``amends``,
    parts that stand before ours where the vendor's books are kept in another way.
    """
    from tests.providers.contract_books import of_books
    from tests.providers.contract_callbacks import CallbackContract
    from tests.providers.contract_sending import of_sending

    name = f"Test{kit.__name__.removesuffix('Kit')}"
    amends: tuple[type[Contract], ...] = getattr(kit, "amends", ())
    parts = (*amends, *of_sending(kit), CallbackContract, *of_books(kit))
    return type(name, parts, {"kit_class": kit})
