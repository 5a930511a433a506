"""Carts: what carriers allow of reminders about a cart or a visit, whatever a play says.

One text about each cart, within 48 hours of its last change: the carriers' policy since May 2020,
by which numbers are still vetted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connector.model import Objection, Verdict
from connector.rules.policy.values import Facts, Rulebook

REMINDERS: Final = "cart_reminders"  #: the scope by which a play says that it is one of these
MOST: Final = 1  #: texts about one cart
LATEST: Final = timedelta(hours=48)  #: after what was heard of the cart last


def cart_said(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The one text that carriers allow about a cart has gone."""
    if REMINDERS not in facts.scopes or facts.texts_for_cart < MOST:
        return None
    about = facts.key or "this cart"
    says = f"A text about {about} went already; carriers allow one for each cart."
    return Objection("already_said", Verdict.stop, says)


def cart_too_old(facts: Facts, book: Rulebook, now: datetime) -> Objection | None:
    """The cart was last changed too long ago for a reminder."""
    if REMINDERS not in facts.scopes or facts.cart_at is None or now <= facts.cart_at + LATEST:
        return None
    last = f"{facts.cart_at:%Y-%m-%d %H:%M} UTC"
    says = f"The cart was last changed {last}; carriers allow a reminder within 48 hours."
    return Objection("cart_too_old", Verdict.stop, says)
