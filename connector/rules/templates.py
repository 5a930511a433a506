"""Templates: whether so many left on account of one that it should be looked at, or wait."""

from __future__ import annotations

from connector.rules.policy.limits import TemplateAlarm

FINE, ALARM, PAUSE = "", "alarm", "pause"


def judge(delivered: int, opted_out: int, limits: TemplateAlarm) -> str:
    """ "", "alarm" or "pause": opt-outs as a share of deliveries, once there are enough of them."""
    if delivered < max(limits.deliveries, 1):
        return FINE
    share = opted_out / delivered
    if share > limits.pause:
        return PAUSE
    return ALARM if share > limits.alarm else FINE
