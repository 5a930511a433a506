"""Each night providers are asked for the statuses that never came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from connector.errors import Deferred
from connector.ledger import unfinished
from connector.messages import Message, Receipt
from connector.model import Status, Subject
from connector.providers import Ability
from connector.steps.statuses import StatusSweep
from tests.steps.build import DAY, HOUR, MINUTE, WELCOME, Carrier, Shop

OpenShop = Callable[..., Shop]
NIGHT = 11 * HOUR  #: from the shop's noon in New York (17:00 UTC) to four in the morning, UTC


@dataclass
class Telling(Carrier):
    """A provider that is asked how texts stand."""

    does: frozenset[Ability] = frozenset({Ability.tells_status})
    says: Status | None = Status.delivered
    asked: list[str] = field(default_factory=list)
    fails: int = 0
    broken: str = ""  #: of this text it never tells
    senseless: str = ""  #: of this one it tells what no ledger takes

    def status(self, provider_id: str, message: Message) -> Receipt | None:
        self.asked.append(provider_id)
        if self.fails:
            self.fails -= 1
            raise Deferred("later", reason="unavailable")
        if provider_id == self.broken:
            raise ZeroDivisionError
        if provider_id == self.senseless:
            return Receipt(self.name, provider_id, Status.sent, None)  # type: ignore[arg-type]
        if self.says is None:
            return None
        return Receipt(self.name, provider_id, self.says, self.says.value)


class Night:
    """A shop with texts of which no end was heard."""

    def __init__(self, shop: Shop, texts: int = 1) -> None:
        self.shop, self.carrier = shop, Telling()
        shop.carrier = self.carrier
        shop.rt.providers = {"carrier": self.carrier}
        for person in range(texts):
            phone = f"+1212555{person:04}"
            shop.consent(phone=phone)
            shop.tell("signed_up", Subject(user_id=f"p{person}", phone=phone))
            assert shop.go() == 1
        self.sweep = StatusSweep(shop.rt)

    def comes(self) -> None:
        self.shop.tick(NIGHT)

    def works(self, rounds: int = 20) -> int:
        return sum(self.sweep.round() for _ in range(rounds))

    def counted(self, name: str) -> int:
        [row] = self.shop.rows(f"SELECT * FROM counters WHERE name = '{name}'")
        return int(row["value"])


@pytest.fixture
def night(open_shop: OpenShop) -> Night:
    return Night(open_shop(WELCOME))


def test_a_text_whose_end_was_never_told_is_asked_about_at_night(night: Night) -> None:
    assert night.works() == 0, "it is not night yet"
    night.comes()
    assert night.works() == 1
    assert night.shop.states() == ["delivered"]
    assert (night.counted("statuses_asked"), night.counted("statuses_told")) == (1, 1)
    assert night.works() == 0


def test_what_has_an_end_is_too_young_or_too_old_is_not_asked_about(open_shop: OpenShop) -> None:
    night = Night(open_shop(WELCOME))
    night.shop.receipt(Status.delivered)
    night.comes()
    assert night.works() == 0
    for span, asked in ((DAY, 1), (3 * DAY, 0)):
        other = Night(open_shop(WELCOME))
        other.comes()
        other.shop.tick(span)
        assert other.works() == asked


def test_a_text_of_this_hour_may_still_be_told_of(open_shop: OpenShop) -> None:
    shop = open_shop(WELCOME)
    shop.tick(NIGHT)
    night = Night(shop)
    shop.tick(59 * MINUTE)
    assert night.works() == 0


def test_they_are_asked_about_a_few_at_a_time(open_shop: OpenShop) -> None:
    night = Night(open_shop(WELCOME), texts=12)
    night.comes()
    assert [night.sweep.round() for _ in range(5)] == [5, 5, 2, 0, 0]


def test_a_sweep_goes_on_after_a_restart_where_it_was(open_shop: OpenShop) -> None:
    night = Night(open_shop(WELCOME), texts=7)
    night.carrier.says = Status.sent
    night.comes()
    night.sweep.round()
    night.sweep = StatusSweep(night.shop.rt)
    night.works()
    assert len(night.carrier.asked) == len(set(night.carrier.asked)) == 7
    night.shop.tick(DAY)
    night.works()
    assert len(night.carrier.asked) == 14, "the next night asks again"


def test_a_provider_that_cannot_tell_now_is_asked_later_and_not_for_ever(night: Night) -> None:
    night.carrier.fails = 1
    night.comes()
    assert night.works() == 0
    assert len(night.carrier.asked) == 1
    night.shop.tick(MINUTE)
    assert night.works() == 1
    assert night.shop.states() == ["delivered"]


def test_after_five_failures_it_is_left_alone_for_the_night(open_shop: OpenShop) -> None:
    night = Night(open_shop(WELCOME), texts=6)
    night.carrier.fails = 99
    night.comes()
    for _ in range(9):
        night.works()
        night.shop.tick(MINUTE)
    assert len(night.carrier.asked) == 5
    with night.shop.store.read() as tx:
        assert unfinished.read(tx).done


def test_a_text_that_it_can_never_tell_of_keeps_no_other_from_being_told(
    open_shop: OpenShop,
) -> None:
    night = Night(open_shop(WELCOME), texts=4)
    night.carrier.broken = "SM-snd_000002"
    night.comes()
    for _ in range(3):
        night.works()
        night.shop.tick(MINUTE)
    assert night.shop.states() == ["delivered", "accepted", "delivered", "delivered"]
    assert night.carrier.asked.count("SM-snd_000002") == 2


def test_a_status_that_cannot_be_kept_keeps_no_other_from_being_told(open_shop: OpenShop) -> None:
    night = Night(open_shop(WELCOME), texts=3)
    night.carrier.senseless = "SM-snd_000001"
    night.comes()
    night.works()
    assert night.shop.states() == ["accepted", "delivered", "delivered"]


def test_what_is_no_news_or_not_known_changes_nothing(open_shop: OpenShop) -> None:
    for says in (None, Status.accepted, Status.unknown):
        night = Night(open_shop(WELCOME))
        night.shop.receipt(Status.sent)
        night.carrier.says = says
        night.comes()
        night.works()
        assert night.shop.states() == ["accepted"]
        assert len(night.shop.rows("SELECT * FROM receipts")) == 1


def test_a_provider_that_tells_no_status_is_not_asked(night: Night) -> None:
    night.carrier.does = frozenset()
    night.comes()
    assert night.works() == 0
    assert night.carrier.asked == []
