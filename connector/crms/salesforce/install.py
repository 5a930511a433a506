"""Salesforce prepared: fields, the object SMS_Message__c and permission sets, by one deployment.

What is there is found out twice: by describing the objects, and, since fields that no permission
set grants are hidden from that, by a deployment that is only tried. What stands under a name
already is left out of the real one, so that nothing of the org's own is ever changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

from connector.crms.salesforce import ids
from connector.crms.salesforce.archive import zipped
from connector.crms.salesforce.deploy import Deployed, Failure, Watch, deploy, unentitled
from connector.crms.salesforce.errors import Rejected
from connector.crms.salesforce.metadata import (
    OURS,
    PEOPLE,
    PERMISSION_SET,
    READER,
    Metadata,
    is_key,
    kind_of,
    shipped,
)
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import FieldShape, Part, PartState

ACTIVITY: Final = "Activity"  #: whose fields are those of tasks and events
ASSIGN: Final = (
    f"assign the permission set {PERMISSION_SET} by hand: Setup, Permission Sets, "
    f"{PERMISSION_SET}, Manage Assignments, the user that the connector logs in as"
)
DESCRIBED: Final[Mapping[str, frozenset[str]]] = {
    "Text": frozenset({"string"}),
    "LongTextArea": frozenset({"textarea", "string"}),
    "Number": frozenset({"double", "int"}),
    "Checkbox": frozenset({"boolean"}),
    "Date": frozenset({"date"}),
    "DateTime": frozenset({"datetime"}),
    "Picklist": frozenset({"picklist"}),
    "MultiselectPicklist": frozenset({"multipicklist"}),
    "Lookup": frozenset({"reference"}),
}
"""A field's type in its metadata → how describing the object may call it."""


@dataclass(frozen=True, slots=True)
class Install:
    """Preparing one org; ``wait`` sleeps for some seconds, ``watch`` is told of progress."""

    line: Line
    version: str  #: of the API, such as ``66.0``
    wait: Callable[[float], None]
    watch: Watch

    def run(
        self, creates: Sequence[FieldShape], written: Iterable[str], *, dry_run: bool
    ) -> Iterator[Part]:
        """Make what is missing and tell of each part; in a dry run it is only tried.

        ``creates`` are fields that the mapping file describes, ``written`` all that it writes.
        Raises ``CrmUnavailable`` where Salesforce cannot be asked, or lets us not deploy.
        """
        fit = [shape for shape in creates if shape.name.endswith(OURS)]
        yield from (_misnamed(shape) for shape in creates if shape not in fit)
        whole = shipped().with_fields(fit)
        stands = self._standing(whole)
        yield from stands.values()
        yield from self._undescribed(written, whole)
        rest = whole.without(stands)
        if not (rest.fields or rest.objects) and self._set_id():
            yield Part("permission set", PERMISSION_SET, PartState.there)
        else:
            tried = self._deploy(rest, check_only=True)
            if not tried.ok:
                yield from (_failed(item) for item in tried.failures)
                return
            new = rest.without(tried.stood)
            done = tried if dry_run else self._deploy(new, check_only=False)
            yield from _told(rest, new, done, dry_run=dry_run)
            if not done.ok:
                return
        if not dry_run:
            assigned = self._assigned()
            yield assigned
            if assigned.state is not PartState.failed:
                yield from self._unseen(rest)

    def _deploy(self, metadata: Metadata, *, check_only: bool) -> Deployed:
        archive = zipped(metadata, self.version)
        return deploy(self.line, archive, check_only=check_only, wait=self.wait, watch=self.watch)

    def _standing(self, whole: Metadata) -> dict[str, Part]:
        """What of the metadata is there already, by its full name."""
        found: dict[str, Part] = {}
        for name in sorted({full.split(".")[0] for full in (*whole.fields, *whole.objects)}):
            there = self._described("Task" if name == ACTIVITY else name)
            if there is not None and name in whole.objects:
                found[name] = Part("object", name, PartState.there)
            for full, element in whole.fields.items():
                owner, _, field = full.partition(".")
                if owner == name and there is not None and field in there:
                    found[full] = compared(full, element, there[field])
        return found

    def _described(self, name: str) -> dict[str, Mapping[str, Any]] | None:
        """The fields of an object by name; None where there is no such object for us."""
        try:
            said = self.line.rest("describe", f"sobjects/{name}/describe")
        except Rejected as error:
            if any(found.code == "NOT_FOUND" for found in error.refusals):
                return None
            raise
        fields = said.get("fields") if isinstance(said, Mapping) else None
        if not isinstance(fields, list):
            raise CrmUnavailable(f"Salesforce describes {name} in no way we know", code="malformed")
        return {str(item["name"]): item for item in fields if isinstance(item, dict)}

    def _undescribed(self, written: Iterable[str], whole: Metadata) -> Iterator[Part]:
        """What is written, stands nowhere and is described nowhere."""
        unknown = [
            name
            for name in dict.fromkeys(written)
            if not any(f"{person}.{name}" in whole.fields for person in PEOPLE)
        ]
        if not unknown:
            return
        there = {field for person in PEOPLE for field in self._described(person) or ()}
        for name in unknown:
            if name not in there:
                says = "is not in Salesforce, and nothing says what it is"
                remedy = f'add [create.{name}] with type = "text" to the mapping file'
                yield Part("field", name, PartState.failed, says, remedy)

    def _unseen(self, made: Metadata) -> Iterator[Part]:
        """What was deployed and granted, and still cannot be seen."""
        seen = self._standing(made)
        remedy = "wait a minute and run this again; if it stays, see who has the permission set"
        for full in (*made.objects, *made.fields):
            if full not in seen:
                says = "was deployed and granted, and the connector's user does not see it"
                yield Part("field", full, PartState.failed, says, remedy)

    def _assigned(self) -> Part:
        """Give the user that we are logged in as the permission set."""
        user, permissions = self._user_id(), self._set_id()
        if not user or not permissions:
            says = "it could not be found out who we are" if permissions else "it was not found"
            return Part("assignment", PERMISSION_SET, PartState.failed, says, ASSIGN)
        where = f"AssigneeId = '{user}' AND PermissionSetId = '{permissions}'"
        if self._first("PermissionSetAssignment", where):
            return Part("assignment", PERMISSION_SET, PartState.there, f"to the user {user}")
        body: Json = {"AssigneeId": user, "PermissionSetId": permissions}
        try:
            self.line.rest("assign", "sobjects/PermissionSetAssignment", method="POST", body=body)
        except CrmUnavailable as error:
            if "DUPLICATE_VALUE" not in str(error):
                return Part("assignment", PERMISSION_SET, PartState.failed, str(error), ASSIGN)
        return Part("assignment", PERMISSION_SET, PartState.made, f"to the user {user}")

    def _user_id(self) -> str:
        """The user we are logged in as, from the address of its identity."""
        said = self.line.rest("identity", "")
        identity = said.get("identity") if isinstance(said, Mapping) else ""
        found = ids.known_id(str(identity or "").rpartition("/")[2])
        return found if ids.object_of(found) == "user" else ""

    def _set_id(self) -> str:
        return self._first("PermissionSet", f"Name = '{PERMISSION_SET}' AND NamespacePrefix = null")

    def _first(self, name: str, where: str) -> str:
        """The id of the first row; ``where`` holds only words and ids of our own."""
        try:
            rows = self.line.query("identity", f"SELECT Id FROM {name} WHERE {where}")  # noqa: S608
        except CrmUnavailable as error:
            raise unentitled(error) from None
        return ids.known_id(rows[0].get("Id")) if rows else ""


def _told(rest: Metadata, new: Metadata, done: Deployed, *, dry_run: bool) -> Iterator[Part]:
    """What became of each component of a deployment."""
    if not done.ok:
        yield from (_failed(item) for item in done.failures)
        return
    state = PartState.missing if dry_run else PartState.made
    for full in sorted({*rest.fields, *rest.objects} - {*new.fields, *new.objects}):
        says = "is there, hidden until the permission set grants it"
        yield Part("field", full, PartState.there, says)
    yield from (Part("object", name, state) for name in new.objects)
    for full, element in new.fields.items():
        yield Part("field", full, state, kind_of(element))
    yield from (Part("permission set", name, state) for name in (PERMISSION_SET, READER))


def compared(full: str, element: Element, stands: Mapping[str, Any]) -> Part:
    """What stands under a field's name beside what would be made."""
    wanted, is_a = kind_of(element), str(stands.get("type"))
    remedy = "name another field in the mapping file, or rename this one in Setup"
    if is_a not in DESCRIBED.get(wanted, frozenset()):
        says = f"is of type {is_a}, and {wanted} is needed; it is left as it is"
        return Part("field", full, PartState.differs, says, remedy)
    if is_key(element) and not (stands.get("externalId") and stands.get("unique")):
        says = "is not an external id with unique values; it is left as it is"
        remedy = "tick External ID and Unique on it in Setup, or rename it there"
        return Part("field", full, PartState.differs, says, remedy)
    return Part("field", full, PartState.there, wanted)


def _misnamed(shape: FieldShape) -> Part:
    says = f"is not there, and no field of that name can be made: names of an org end in {OURS}"
    remedy = f"call it {shape.name}{OURS} in the mapping file"
    return Part("field", shape.name, PartState.failed, says, remedy)


def _failed(item: Failure) -> Part:
    return Part("component", item.name or "deployment", PartState.failed, item.problem, item.remedy)
