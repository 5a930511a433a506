"""What HubSpot tells us: webhook subscriptions, workflows' webhooks, the action "Send SMS".

Documents: developers.hubspot.com, webhooks and custom workflow actions. A subscription is
answered 200 whatever it says, since HubSpot sends anything else again for a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

import orjson

from connector.errors import Unreadable, Unverified
from connector.model import Hook, Json, Parsed
from connector.sources import Said, hubspot_workflows
from connector.sources.hubspot_events import Account, read
from connector.sources.hubspot_signatures import V1, V2, raw, verify
from connector.sources.reading import EARLIEST, event_of, is_too_deep, read_json
from connector.sources.signatures import is_any

WORKFLOW: Final = "workflow"
ACTION: Final = "action"
KEY_HEADER: Final = "x-connector-key"
PATIENCE: Final = "P8D"  #: longer than an errand is let run (steps/errands)
HEARD: Final = Said(b'{"success": true}')
NO_TEXT: Final = "neither a play nor a template was chosen"


class HubSpot:
    """The doors at ``/in/hubspot``, ``/in/hubspot/workflow`` and ``/in/hubspot/action``.

    ``client_secrets`` are the app's, several for rotation; ``workflow_keys`` what a workflow's
    webhook may bear in ``X-Connector-Key`` where there is no app.
    """

    def __init__(
        self,
        *,
        source: str,
        client_secrets: Sequence[str] = (),
        workflow_keys: Sequence[str] = (),
        portal_id: str = "",
        app_id: str = "",
    ) -> None:
        self._crm = source
        self._secrets = tuple(client_secrets)
        self._keys = tuple(key.encode() for key in workflow_keys)
        self._account = Account(source, str(portal_id), str(app_id))

    def takes(self, below: str) -> bool:
        """The two addresses for workflows, and the one for all else."""
        return below in ("", WORKFLOW, ACTION)

    def verify(self, hook: Hook, now: datetime) -> None:
        """Return if HubSpot signed the request, or it bears a workflow's key."""
        door = _door(hook)
        if KEY_HEADER in hook.headers and _is_webhook(door, hook):
            if not is_any(raw(hook.headers[KEY_HEADER].strip()), self._keys):
                raise Unverified("X-Connector-Key is none of workflow_keys under [crms.hubspot]")
            return
        verify(self._secrets, hook, now, (V1, V2) if door == "" else (V2,))

    def kept(self, hook: Hook) -> Hook:
        """The body, and of the address the door and the event it names."""
        event = event_of(hook.url)
        base = hook.url.partition("?")[0]
        url = f"{base}?event={quote(event)}" if event else base
        return replace(hook, url=url, headers={})

    def answer(self, hook: Hook) -> Said:
        """That it was heard; a step of a workflow is told to wait until it is told more."""
        door = _door(hook)
        if door == WORKFLOW:
            self.parse(hook, EARLIEST)
        if door != ACTION:
            return HEARD
        body = _body(hook)
        (errand,) = hubspot_workflows.read_action(self._crm, body, EARLIEST).errands
        if self._is_elsewhere(body):
            return _failed("this account is not the one under [crms.hubspot] portal_id")
        return _waits() if errand.play or errand.template else _failed(NO_TEXT)

    def parse(self, hook: Hook, received_at: datetime) -> Parsed:
        """Hints of what may have changed, and what workflows ask; raises ``Unreadable``."""
        door, body = _door(hook), _body(hook)
        if door == ACTION:
            found = hubspot_workflows.read_action(self._crm, body, received_at)
            (errand,) = found.errands
            if self._is_elsewhere(body) or not (errand.play or errand.template):
                return Parsed(ignored=("action_without_text",))
            return found
        if door == WORKFLOW or isinstance(body, dict):
            return hubspot_workflows.read_webhook(self._crm, body, hook.url, hook.body, received_at)
        return read(self._account, body, received_at)

    def _is_elsewhere(self, body: Json) -> bool:
        portal = hubspot_workflows.portal_of(body)
        return bool(self._account.portal_id) and portal != self._account.portal_id


def _door(hook: Hook) -> str:
    last = hook.url.partition("?")[0].rpartition("/")[2]
    return last if last in (WORKFLOW, ACTION) else ""


def _is_webhook(door: str, hook: Hook) -> bool:
    """Whether it is a workflow's webhook, which is one object: a key proves no subscription."""
    return door == WORKFLOW or (door == "" and hook.body.lstrip()[:1] == b"{")


def _body(hook: Hook) -> Json:
    body = read_json(hook.body)
    if is_too_deep(body, hook.body):
        raise Unreadable("the body is nested too deeply to be read")
    return body


def _waits() -> Said:
    return _told({"hs_execution_state": "BLOCK", "hs_expiration_duration": PATIENCE})


def _failed(reason: str) -> Said:
    return _told(
        {"hs_execution_state": "FAIL_CONTINUE", "sms_result": "not_sent", "sms_reason": reason}
    )


def _told(fields: dict[str, str]) -> Said:
    return Said(orjson.dumps({"outputFields": fields}))
