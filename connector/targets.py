"""Targets: where alarms are told, made of the ``[alerts]`` table."""

from __future__ import annotations

import logging
from contextlib import suppress

from connector import clock, notices
from connector.adapters import clock_of
from connector.config.settings import Settings
from connector.errors import ConnectorError
from connector.ledger import alarms
from connector.rules.alerts import Notice, body
from connector.runtime import open_ledger
from connector.steps.alerting import Target, Told, tell

log = logging.getLogger("connector")

BRIEFLY = 2.0  #: seconds that the ledger is waited for by who has other things to do


def told(settings: Settings) -> Told:
    """Where the operator's people are told of alarms, and how often."""
    alerts = settings.alerts
    return Told(targets(settings), alerts.group, alerts.hourly, settings.brand)


def targets(settings: Settings) -> dict[str, Target]:
    """Every target that is configured, by name."""
    alerts, mail = settings.alerts, settings.mail
    found: dict[str, Target] = {}
    if alerts.webhook is not None:
        url = alerts.webhook.reveal()
        found["webhook"] = lambda notice: notices.send_webhook(url, body(notice))
    if alerts.emails and mail is not None:

        def by_mail(notice: Notice) -> None:
            text = f"{notice.text}\n\nSee `connector alerts list`."
            notices.send_email(mail, alerts.emails, notice.subject, text, at=clock.now())

        found["email"] = by_mail
    if alerts.command:

        def by_command(notice: Notice) -> None:
            text = f"{notice.subject}\n{notice.text}\n"
            notices.run_command(alerts.command, text, folder=settings.folder)

        found["command"] = by_command
    return found


def note(settings: Settings, kind: str, about: str, says: str, *, is_told: bool = False) -> None:
    """Raise an alarm from outside the steps, where the ledger takes it; it never fails."""
    with suppress(ConnectorError, OSError):
        store = open_ledger(settings)
        try:
            now = clock_of(settings)()
            with store.write(BRIEFLY) as tx:
                alarm_id = clock.new_id("alm")
                alarms.add(tx, kind, about, says, now, alarm_id=alarm_id)
                if is_told:
                    alarms.told(tx, alarm_id, now)
        finally:
            store.close()


def cry(settings: Settings, kind: str, says: str) -> None:
    """Tell every target at once, where no worker is left to do it; and raise the alarm."""
    at = clock.text(clock_of(settings)())
    row = {"id": "", "kind": kind, "about": "", "says": says, "count": 1, "at": at}
    alarm = {**row, "last_at": at, "cleared_at": None}
    notice = Notice(f"[{settings.brand}] {kind}", says, (alarm,))
    heard = False
    for name, target in targets(settings).items():
        error = tell(target, notice)
        heard = heard or not error
        if error:
            log.warning("act=alert target=%s result=failed %s", name, error)
    note(settings, kind, "", says, is_told=heard)
