"""Steps of HubSpot's workflows that wait for a text are told what came of it, and go on.

https://developers.hubspot.com/docs/api-reference/legacy/automation/workflow-actions: completing a
callback twice does nothing the second time, so that one whose fate is unknown is told again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from connector.crms.hubspot.failures import RETRY, Refusal, refusal
from connector.crms.hubspot.wire import Wire, parts
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import Writeback, Written

KIND: Final = "callback"
PLACE: Final = "/automation/v4/actions/callbacks"
SCOPE: Final = f"give the app of access_token the scope automation in HubSpot, {RETRY}"
GOES_ON: Final = "nothing needs to be done: such a step goes on by itself after eight days"
LONGEST: Final = 500  #: characters of a reason


def complete(wire: Wire, changes: Sequence[Writeback], verdicts: dict[str, Written]) -> None:
    """Complete those changes that are callbacks; each has its verdict then.

    Raises ``CrmUnavailable`` where HubSpot could not be asked.
    """
    for some in parts([change for change in changes if change.kind == KIND]):
        if len(some) == 1 or not _all(wire, some, verdicts):
            for change in some:
                _one(wire, change, verdicts)


def _all(wire: Wire, some: Sequence[Writeback], verdicts: dict[str, Written]) -> bool:
    """Complete all in one call; False where one of them has it refused."""
    inputs = [{"callbackId": _id(change), "outputFields": _fields(change)} for change in some]
    if _asked(wire, f"{PLACE}/complete", {"inputs": inputs}, some) is not None:
        return False
    for change in some:
        verdicts[change.id] = Written(change.id, ok=True, record=_id(change))
    return True


def _one(wire: Wire, change: Writeback, verdicts: dict[str, Written]) -> None:
    at = f"{PLACE}/{quote(_id(change), safe='')}/complete"
    refused = _asked(wire, at, {"outputFields": _fields(change)}, [change])
    if refused is None or (change.in_doubt and refused.status in (404, 409)):
        verdicts[change.id] = Written(change.id, ok=True, record=_id(change))
    else:
        verdicts[change.id] = Written(
            change.id,
            ok=False,
            permanent=True,
            error=refused.words,
            code=refused.code or refused.category or str(refused.status),
            remedy=SCOPE if refused.status == 403 else GOES_ON,
        )


def _asked(wire: Wire, at: str, body: Json, some: Sequence[Writeback]) -> Refusal | None:
    """Why HubSpot refused the call; None where it took it. A missing scope stops no other call."""
    try:
        status, answer = wire.rest("POST", at, body, kind="callbacks")
    except CrmUnavailable as error:
        if error.code == "forbidden":
            return Refusal(403, words=str(error))
        error.in_doubt = frozenset(change.id for change in some) if error.in_doubt else frozenset()
        raise
    return None if 200 <= status < 300 else refusal(status, answer)


def _id(change: Writeback) -> str:
    return str(change.change["callback"])


def _fields(change: Writeback) -> dict[str, str]:
    """What the workflow can branch by; a step whose text did not go is one that failed."""
    told = change.change
    return {
        "hs_execution_state": "SUCCESS" if told["went"] else "FAIL_CONTINUE",
        "sms_result": str(told["result"]),
        "sms_reason": str(told["reason"])[:LONGEST],
    }
