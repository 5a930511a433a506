"""The metadata that is shipped: well-formed, granted, and the same as what is deployed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from connector.crms.salesforce import metadata
from connector.crms.salesforce.archive import write_files, zipped
from connector.crms.salesforce.metadata import NAMESPACE, PERMISSION_SET, READER, shipped
from connector.records import FieldShape

PROJECT = Path(str(files("connector") / "plugins/salesforce"))
SOURCE = PROJECT / "force-app/main/default"
FILES = sorted(SOURCE.rglob("*.xml"))
ROOTS = {
    "field": "CustomField",
    "object": "CustomObject",
    "listView": "ListView",
    "permissionset": "PermissionSet",
    "tab": "CustomTab",
}
INTEREST = FieldShape("SMS_Interest__c", "choice", "SMS interest", ("mugs", "plates & cups"))


def tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def parts(archive: bytes) -> dict[str, Element]:
    """Every file of a zip, parsed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: ElementTree.fromstring(opened.read(name)) for name in opened.namelist()}


def texts(element: Element, path: str) -> list[str]:
    return [found.text or "" for found in element.iterfind(path)]


def granted(permissions: Element) -> dict[str, bool]:
    """Field → whether it may be edited, of a permission set."""
    return {
        grant.findtext(tag("field")) or "": grant.findtext(tag("editable")) == "true"
        for grant in permissions.iterfind(tag("fieldPermissions"))
    }


def grants_for(name: str) -> set[str]:
    """How the permission sets name a field; those of activities are tasks' and events'."""
    owner, _, field = name.partition(".")
    return {f"Task.{field}", f"Event.{field}"} if owner == "Activity" else {name}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_is_metadata_of_its_kind(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    kind = path.name.removesuffix("-meta.xml").rsplit(".", 1)[1]
    assert root.tag == tag(ROOTS[kind])
    assert all(each.tag.startswith(f"{{{NAMESPACE}}}") for each in root.iter())
    if kind in ("field", "listView"):
        assert root.findtext(tag("fullName")) == path.name.split(".")[0]


def test_parts_of_one_kind_stand_together() -> None:
    for path in FILES:
        tags = [child.tag for child in ElementTree.parse(path).getroot()]
        runs = [name for place, name in enumerate(tags) if not place or tags[place - 1] != name]
        assert len(runs) == len(set(runs)), path.name


def test_the_project_can_be_deployed_by_the_salesforce_command_line() -> None:
    project = json.loads((PROJECT / "sfdx-project.json").read_text())
    assert (PROJECT / project["packageDirectories"][0]["path"]).is_dir()
    assert re.fullmatch(r"\d\d\.0", project["sourceApiVersion"])
    assert not list(SOURCE.rglob("*.cls")), "Apex would bring tests and coverage with it"


def test_both_permission_sets_grant_every_field() -> None:
    wanted = set().union(*(grants_for(name) for name in shipped().fields))
    for name in (PERMISSION_SET, READER):
        assert set(granted(shipped().others["permissionsets", name])) == wanted


def test_the_connector_may_edit_every_field_and_a_reader_only_the_opt_out() -> None:
    assert all(granted(shipped().others["permissionsets", PERMISSION_SET]).values())
    edits = granted(shipped().others["permissionsets", READER])
    assert {name for name, may in edits.items() if may} == {
        "Contact.SMS_Opt_Out__c",
        "Lead.SMS_Opt_Out__c",
    }


def test_nobody_is_granted_to_delete_or_to_see_all() -> None:
    for (folder, _), permissions in shipped().others.items():
        if folder == "permissionsets":
            for rights in permissions.iterfind(tag("objectPermissions")):
                for right in ("allowDelete", "modifyAllRecords", "viewAllRecords"):
                    assert rights.findtext(tag(right)) == "false"


@pytest.mark.parametrize("name", ["Activity.SMS_Id__c", "SMS_Message__c.SMS_Id__c"])
def test_our_id_is_an_external_id_that_is_unique_and_minds_case(name: str) -> None:
    field = shipped().fields[name]
    for right in ("externalId", "unique", "caseSensitive"):
        assert field.findtext(tag(right)) == "true"
    assert int(field.findtext(tag("length")) or 0) >= 64


def test_no_field_is_required_since_that_could_not_be_granted() -> None:
    for name, field in shipped().fields.items():
        assert field.findtext(tag("required")) in (None, "false"), name


def test_contacts_and_leads_have_the_same_fields() -> None:
    def of(owner: str) -> dict[str, bytes]:
        own = {k.split(".")[1]: v for k, v in shipped().fields.items() if k.startswith(owner)}
        return {name: ElementTree.tostring(element) for name, element in own.items()}

    assert of("Contact.") == of("Lead.") != {}


def test_the_zip_holds_each_component_that_its_manifest_lists() -> None:
    found = parts(zipped(shipped(), "66.0"))
    manifest = found.pop("package.xml")
    listed = {
        types.findtext(tag("name")): set(texts(types, tag("members")))
        for types in manifest.iterfind(tag("types"))
    }
    assert manifest.findtext(tag("version")) == "66.0"
    held: dict[str, set[str]] = {}
    for name, element in found.items():
        owner = name.split("/")[1].split(".")[0]
        for part, kind in (("fields", "CustomField"), ("listViews", "ListView")):
            full = {f"{owner}.{each}" for each in texts(element, f"{tag(part)}/{tag('fullName')}")}
            held[kind] = held.get(kind, set()) | full
    assert held["CustomField"] == listed["CustomField"] == set(shipped().fields)
    assert held["ListView"] == listed["ListView"]
    assert listed["CustomObject"] == {"SMS_Message__c"}
    assert found["objects/SMS_Message__c.object"].findtext(tag("label")) == "SMS Message"
    assert f"permissionsets/{PERMISSION_SET}.permissionset" in found
    assert listed["PermissionSet"] == {PERMISSION_SET, READER}
    assert listed["CustomTab"] == {"SMS_Message__c"} and "tabs/SMS_Message__c.tab" in found


def test_the_zip_is_the_same_for_the_same_components() -> None:
    assert zipped(shipped(), "66.0") == zipped(shipped(), "66.0")


def test_what_is_there_is_left_out_and_granted_all_the_same() -> None:
    rest = shipped().without({"Contact.SMS_Opt_Out__c", "SMS_Message__c"})
    found = parts(zipped(rest, "66.0"))
    names = texts(found["objects/Contact.object"], f"{tag('fields')}/{tag('fullName')}")
    assert "SMS_Opt_Out__c" not in names and "SMS_Consent__c" in names
    assert "tabs/SMS_Message__c.tab" not in found
    assert found["objects/SMS_Message__c.object"].findtext(tag("label")) is None
    connector = found[f"permissionsets/{PERMISSION_SET}.permissionset"]
    assert "Contact.SMS_Opt_Out__c" in granted(connector)


def test_a_field_of_the_mapping_is_made_for_contacts_and_leads_and_granted() -> None:
    more = shipped().with_fields([INTEREST])
    found = parts(zipped(more, "66.0"))
    for person in ("Contact", "Lead"):
        made = {
            each.findtext(tag("fullName")): each
            for each in found[f"objects/{person}.object"].iterfind(tag("fields"))
        }["SMS_Interest__c"]
        assert made.findtext(tag("type")) == "Picklist"
        values = f"{tag('valueSet')}/{tag('valueSetDefinition')}/{tag('value')}/{tag('fullName')}"
        assert texts(made, values) == ["mugs", "plates & cups"]
        for name, editable in ((PERMISSION_SET, True), (READER, False)):
            permissions = found[f"permissionsets/{name}.permissionset"]
            assert granted(permissions)[f"{person}.SMS_Interest__c"] is editable
            tags = [child.tag for child in permissions]
            assert tags.count(tags[0]) == 1 and sorted(tags, key=tags.index) == tags


@pytest.mark.parametrize(
    ("shape", "kind", "facts"),
    [
        (FieldShape("A__c", "text"), "Text", {"length": "255"}),
        (FieldShape("A__c", "text", length=40), "Text", {"length": "40"}),
        (FieldShape("A__c", "text", length=900), "LongTextArea", {"length": "900"}),
        (FieldShape("A__c", "number"), "Number", {"precision": "18"}),
        (FieldShape("A__c", "flag"), "Checkbox", {"defaultValue": "false"}),
        (FieldShape("A__c", "date"), "Date", {}),
        (FieldShape("A__c", "instant"), "DateTime", {}),
        (FieldShape("A__c", "choices", choices=("a",)), "MultiselectPicklist", {}),
    ],
)
def test_each_of_our_types_has_its_own_there(
    shape: FieldShape, kind: str, facts: dict[str, str]
) -> None:
    made = metadata.field(shape)
    assert metadata.kind_of(made) == kind
    assert {name: made.findtext(tag(name)) for name in facts} == facts


def test_without_a_label_people_see_the_name_without_its_ending() -> None:
    made = metadata.field(FieldShape("Favourite_Store__c", "text"))
    assert made.findtext(tag("label")) == "Favourite Store"


def test_the_files_for_an_administrator_hold_the_fields_of_the_mapping_too(tmp_path: Path) -> None:
    count = write_files(tmp_path, [INTEREST])
    written = sorted(tmp_path.rglob("*.xml"))
    assert len(written) + 1 == count == len(FILES) + 3
    place = tmp_path / "force-app/main/default"
    field = place / "objects/Lead/fields/SMS_Interest__c.field-meta.xml"
    assert ElementTree.parse(field).getroot().findtext(tag("label")) == "SMS interest"
    permissions = ElementTree.parse(place / f"permissionsets/{READER}.permissionset-meta.xml")
    assert "Lead.SMS_Interest__c" in granted(permissions.getroot())
    assert json.loads((tmp_path / "sfdx-project.json").read_text())["packageDirectories"]
