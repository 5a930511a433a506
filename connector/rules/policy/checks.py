"""The list of checks: it is the policy's order, gravest first."""

from __future__ import annotations

from connector.rules.policy.ages import facts_old, number_unchecked
from connector.rules.policy.carts import cart_said, cart_too_old
from connector.rules.policy.clock import clock_off
from connector.rules.policy.consent import held, no_consent, opted_out, reassigned
from connector.rules.policy.eligibility import no_mobile, no_route, wrong_stage
from connector.rules.policy.fatigue import fatigue_slow, fatigue_stop, inactive
from connector.rules.policy.frequency import cap_full, last_place, too_soon
from connector.rules.policy.opening import quiet_hours
from connector.rules.policy.request import (
    provider_blocks,
    request_clock,
    request_hours,
    request_unheard,
)
from connector.rules.policy.spending import budget_spent, carrier_cap
from connector.rules.policy.suppression import list_unreadable, on_list, suppressed
from connector.rules.policy.turn import (
    in_another_play,
    in_conversation,
    paused,
    template_paused,
)
from connector.rules.policy.unheard import replies_unheard
from connector.rules.policy.values import Check
from connector.rules.policy.worth import (
    already_said,
    expired,
    no_longer_valid,
    too_long,
    value_missing,
)

CHECKS: tuple[Check, ...] = (
    opted_out,
    reassigned,
    no_consent,
    on_list,
    suppressed,
    no_mobile,
    no_route,
    wrong_stage,
    already_said,
    cart_said,
    cart_too_old,
    expired,
    value_missing,
    no_longer_valid,
    too_long,
    fatigue_stop,
    inactive,
    quiet_hours,
    cap_full,
    last_place,
    too_soon,
    fatigue_slow,
    list_unreadable,
    facts_old,
    number_unchecked,
    held,
    clock_off,
    replies_unheard,
    paused,
    template_paused,
    in_conversation,
    in_another_play,
    budget_spent,
    carrier_cap,
)
"""Gravest first; the order is the order in which objections are told."""

SYSTEM_CHECKS: tuple[Check, ...] = (no_mobile, no_route, expired, value_missing, paused)
"""Our own answer to a reply: only to the number that wrote, once, within five minutes."""

REQUEST_CHECKS: tuple[Check, ...] = (
    provider_blocks,
    on_list,
    no_mobile,
    no_route,
    expired,
    value_missing,
    request_hours,
    list_unreadable,
    request_clock,
    request_unheard,
    paused,
)
"""The request of a double opt-in: once in 30 days, at the hours of service texts."""
