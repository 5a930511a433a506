"""``connector capacity``: what may still leave, what waits, and when that will have left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from connector.adapters import clock_of
from connector.cli import output
from connector.config.loaded import load
from connector.ledger import pauses, queue
from connector.runtime import opened
from connector.simulate.carrier import Carrier
from connector.simulate.opening import Ids, open_world
from connector.steps import capacity as steps

COLUMNS: Final = {
    "provider": "provider",
    "sender": "sender",
    "rate": "segments/s",
    "left": "left today",
    "calls": "in flight",
    "service": "service",
    "marketing": "marketing",
    "empty": "empty",
    "expiring": "expire",
}


@click.command()
@output.json_option
@click.pass_obj
def capacity(folder: Path, /, as_json: bool) -> None:
    """Tell what each sender may still send, what waits for it, and when that will have left.

    From the ledger alone, also while the connector runs. "service" and "marketing" are texts that
    wait for their sender (texts/segments; segments are estimated where a text is not written yet),
    "expire" those of them whose time is over before it is their turn.

    \b
    Examples:
      connector capacity
      connector capacity --json
    """
    loaded = load(folder, secrets=False)
    now = clock_of(loaded.settings)
    with opened(loaded) as store, store.read() as tx:
        rt = open_world(loaded, store, now, Ids(), Carrier())
        rt.in_flight = loaded.settings.provider.in_flight
        rt.accounts = loaded.settings.provider.accounts
        found = steps.capacity(tx, rt, now())
        later = queue.later(tx, now())
        held = pauses.of_marketing(tx)
    if as_json:
        output.rows(found, (), as_json=True)
        return
    output.rows((_row(each, now()) for each in found), COLUMNS)
    for each in {each["provider"]: each for each in found if each["rests_until"]}.values():
        says = f"{each['provider']} failed again and again and is left alone until about "
        output.say(f"{says}{each['rests_until']:%H:%M:%S} UTC; see `connector alerts list`.")
    for code, why in held.items():
        output.say(f"Marketing waits ({code}): {why}")
    says = f"{later} more texts are planned for later. " if later else ""
    output.say(f"{says}Lawful hours, caps and pauses, which may hold a text longer, are left out.")


def _row(each: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    rates = [each["segments_a_second"], each["account_segments_a_second"]]
    rate = min((rate for rate in rates if rate), default=None)
    day = each["day_segments"]
    return {
        "provider": each["provider"],
        "sender": each["sender"] or "its own",
        "rate": f"{rate:g}" if rate else "no limit",
        "left": f"{each['left_today']} of {day}" if day else "no limit",
        "calls": f"{each['in_flight']} of {each['in_flight_limit']}",
        "service": f"{each['service_texts']}/{each['service_segments']}",
        "marketing": f"{each['marketing_texts']}/{each['marketing_segments']}",
        "empty": _when(each, now),
        "expiring": each["expiring"] or None,
    }


def _when(each: Mapping[str, Any], now: datetime) -> str:
    at = each["empty_at"]
    if at is None:
        return "not within a year"
    if not each["service_texts"] + each["marketing_texts"]:
        return "now"
    if at - now < timedelta(hours=24):
        return f"{at:%H:%M:%S}Z"
    return f"{at:%Y-%m-%d %H:%M}Z"
