"""A proof that our external id on activities makes one task of two calls, in the customer's org.

Public trees hold such a field; that an upsert by it runs nobody could try for us, so each org can.
"""

from __future__ import annotations

from typing import Final

from connector.crms.salesforce import ids
from connector.crms.salesforce.rows import SMS_ID
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import Part, PartState

PROOF: Final = "prove-connector"  #: the external id of the task
SUBJECT: Final = "SMS connector: a proof"
SOQL: Final = f"SELECT Id FROM Task WHERE {SMS_ID} = '{PROOF}'"  # noqa: S608 - words of our own
UNPROVEN: Final = (
    "check that Activity.SMS_Id__c is an external id and unique, and that the permission set is "
    'assigned; else set task_field = "CallObject" in [crms.salesforce]'
)
LEFT: Final = f'delete the task "{SUBJECT}" by hand'


def prove(line: Line, task_field: str = SMS_ID) -> Part:
    """Write one task by its external id, twice, look that there is one, and delete it.

    Raises ``CrmUnavailable`` where Salesforce cannot be reached at all.
    """
    if task_field != SMS_ID:
        says = f"tasks bear our id in {task_field}, which is no external id: there is none to prove"
        return Part("proof", f"Task.{task_field}", PartState.there, says)
    body: Json = {"Subject": SUBJECT, "Status": "Completed"}
    try:
        for _ in range(2):
            line.rest("prove", f"sobjects/Task/{SMS_ID}/{PROOF}", method="PATCH", body=body)
        tasks = _tasks(line)
    except CrmUnavailable as error:
        _delete(line)
        return _failed(str(error), error.remedy or UNPROVEN)
    if not _delete(line):
        return _failed("the task that was written cannot be deleted", LEFT)
    if len(tasks) != 1:
        return _failed(f"the same external id made {len(tasks)} tasks", UNPROVEN)
    says = "a task was written twice by its external id, stood there once, and is deleted"
    return Part("proof", f"Task.{SMS_ID}", PartState.there, says)


def _tasks(line: Line) -> list[str]:
    return [ids.known_id(row.get("Id")) for row in line.query("prove", SOQL)]


def _delete(line: Line) -> bool:
    """Delete what stands there of a proof, also of an earlier one; whether nothing is left."""
    try:
        for task in filter(None, _tasks(line)):
            line.rest("prove", f"sobjects/Task/{task}", method="DELETE")
    except CrmUnavailable:
        return False
    return True


def _failed(says: str, remedy: str) -> Part:
    return Part("proof", f"Task.{SMS_ID}", PartState.failed, says, remedy)
