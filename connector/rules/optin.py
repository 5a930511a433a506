"""Double opt-in: whether a number may be asked for its yes, and until when its yes counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from connector.rules.policy import Policy

REQUEST: Final = "double_opt_in"  #: the step and the template of the text that asks
CONFIRMED: Final = "double_opt_in_confirmed"  #: the template of what a yes is answered with
ASK_AGAIN: Final = timedelta(days=30)  #: at most one request to a number in this time
ANSWER_WITHIN: Final = timedelta(hours=24)  #: of the request's leaving; a later yes grants nothing
LEAVES_WITHIN: Final = timedelta(hours=24)  #: of being wanted, else the request is dropped
A_MONTH: Final = timedelta(days=28)
A_DAY: Final = timedelta(hours=24)
MOST_A_DAY: Final = 500  #: numbers of one form's source that are asked in a day
PROPOSED_WITHIN: Final = timedelta(hours=48)  #: of filling in a form; later nobody expects a text

#: What a purpose is called in the text that asks; another scope stands as the operator named it.
WORDS: Final = {
    "en": ("offers", "cart reminders", "order updates", "and"),
    "es": ("ofertas", "avisos del carrito", "avisos de pedidos", "y"),
    "fr": ("nos offres", "rappels panier", "suivi de commande", "et"),
    "de": ("Angebote", "Warenkorb-Hinweise", "Infos zur Bestellung", "und"),
    "pt": ("ofertas", "lembretes do carrinho", "avisos de pedidos", "e"),
    "it": ("offerte", "avvisi carrello", "avvisi sugli ordini", "e"),
}
NAMED: Final = ("marketing", "cart_reminders", "service")


def may_ask(asked_at: datetime | None, now: datetime) -> bool:
    """Whether a number may be asked, by when it was asked last."""
    return asked_at is None or now >= asked_at + ASK_AGAIN


def is_open(left_at: datetime | None, at: datetime) -> bool:
    """Whether a yes of this instant answers a request that left then."""
    return left_at is not None and left_at <= at < left_at + ANSWER_WITHIN


def what(purposes: Iterable[str], language: str) -> str:
    """What is asked for, in the reader's language: ``offers and cart reminders``."""
    words = WORDS.get(language.partition("-")[0], WORDS["en"])
    known = dict(zip(NAMED, words, strict=False))
    told = [known.get(name, name.replace("_", " ")) for name in purposes]
    return f" {words[3]} ".join(told) if len(told) < 3 else _listed(told, words[3])


def per_month(policy: Policy) -> int:
    """The most marketing texts a month that the operator's caps allow; 0 where none says so."""
    counts = [
        cap.count
        for cap in policy.caps
        if cap.purpose.value == "marketing" and not cap.play and cap.per >= A_MONTH
    ]
    return min(counts, default=0)


def _listed(told: list[str], joined: str) -> str:
    return f"{', '.join(told[:-1])} {joined} {told[-1]}"
