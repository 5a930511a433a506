"""An unclear reply that nobody decides in 72 hours counts as an opt-out of marketing."""

from __future__ import annotations

from datetime import timedelta

from connector.ledger import consents
from connector.rules.consent import standing
from connector.steps.tidy import tidy
from tests.steps.build import PHONE
from tests.steps.way import AB, OpenShop, begun, play


def test_an_unclear_reply_holds_for_72_hours_and_is_an_opt_out_of_marketing_then(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(AB[0]))
    shop.reply("who is this?")
    for hours, held, stopped in ((71, True, ""), (1, False, "marketing")):
        shop.clock.at += timedelta(hours=hours, seconds=1)
        tidy(shop.rt)
        with shop.store.read() as tx:
            number = consents.number(tx, PHONE)
            assert number is not None and (number["held_at"] is not None) is held
            assert standing(consents.history(tx, PHONE)).stopped == stopped
