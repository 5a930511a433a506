"""WhatsApp beside SMS: one number, one STOP, and every text knows on which channel it went."""

from __future__ import annotations

from collections.abc import Callable

from connector.messages import Reply
from connector.model import Subject
from connector.rules.routing import Hop, Route
from connector.steps import outcome
from tests.steps.build import ORDER, PHONE, WELCOME, Carrier, Shop

Open = Callable[..., Shop]
WHATSAPP = "whatsapp:+18005550101"


def shop_of(open_shop: Open) -> Shop:
    """A shop whose welcome goes by WhatsApp and whose answers may."""
    carriers = {"twilio": Carrier("twilio")}
    routes = (Route("whatsapp", (Hop("twilio", (WHATSAPP,)),)),)
    shop = open_shop(WELCOME, ORDER, routes=routes, providers=carriers, provider="twilio")
    shop.carrier = carriers["twilio"]
    shop.consent()
    shop.consent("service")
    return shop


def tell(shop: Shop, name: str, key: str) -> None:
    shop.tell(name, Subject(user_id="user-1", phone=PHONE), key=key, facts={"order_id": "7"})


def texted_back(shop: Shop, text: str) -> None:
    """A person writes by WhatsApp, as the adapter reads it."""
    told = Reply("twilio", f"in-{text}", PHONE, WHATSAPP, text, shop.clock(), channel="whatsapp")
    with shop.store.write() as tx:
        outcome.reply(tx, shop.rt, told, shop.clock())


def test_a_text_keeps_the_channel_of_its_sender(open_shop: Open) -> None:
    shop = shop_of(open_shop)
    tell(shop, "signed_up", "1")
    assert shop.go() == 1
    [send] = shop.sends()
    assert (send["channel"], send["sender"], send["phone"]) == ("whatsapp", WHATSAPP, PHONE)
    assert [(message.to, message.sender) for message in shop.carrier.sent] == [(PHONE, WHATSAPP)]


def test_a_stop_by_whatsapp_stops_the_number_and_is_answered_there(open_shop: Open) -> None:
    shop = shop_of(open_shop)
    texted_back(shop, "STOP")
    shop.go()
    [answer] = shop.carrier.sent
    assert (answer.to, answer.sender) == (PHONE, WHATSAPP)
    shop.rt.routes = ()  # from here on everything is an SMS
    tell(shop, "order_completed", "2")
    shop.go()
    assert shop.carrier.sent == [answer]
    assert ("stop", "opted_out") in shop.decisions("plan")
