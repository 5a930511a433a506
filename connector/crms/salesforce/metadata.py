"""The metadata in ``connector/plugins/salesforce`` as components, and fields beside what it ships.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from connector.records import FieldShape

NAMESPACE: Final = "http://soap.sforce.com/2006/04/metadata"
ROOT: Final = files("connector") / "plugins/salesforce"
PROJECT: Final = "sfdx-project.json"
SOURCE: Final = "force-app/main/default"
PERMISSION_SET: Final = "SMS_Connector"
READER: Final = "SMS_Reader"  #: of the people who work on the records
PEOPLE: Final = ("Contact", "Lead")
OURS: Final = "__c"  #: how names end that an org may make
TEXT_LENGTH: Final = (
    255  #: of a text field; a longer one is a long text area, which is not filtered
)
FOLDERS: Final = {"permissionsets": "PermissionSet", "tabs": "CustomTab"}  #: folder → type


@dataclass(frozen=True, slots=True)
class Metadata:
    """Components by their full names: ``Contact.SMS_Opt_Out__c``, ``SMS_Message__c``."""

    fields: Mapping[str, Element]
    objects: Mapping[str, Element]
    lists: Mapping[str, Element]  #: list views
    others: Mapping[tuple[str, str], Element]  #: (folder, name) → permission set, tab

    def with_fields(self, shapes: Iterable[FieldShape]) -> Metadata:
        """These and a field of each shape for contacts and leads, granted by both sets."""
        added = {f"{who}.{shape.name}": field(shape) for shape in shapes for who in PEOPLE}
        others = {
            key: _granting(element, added, key[1] == PERMISSION_SET)
            if key[0] == "permissionsets"
            else element
            for key, element in self.others.items()
        }
        return replace(self, fields={**added, **self.fields}, others=others)

    def without(self, names: Iterable[str]) -> Metadata:
        """These without some fields and objects, which the permission sets still grant."""
        out = frozenset(names)
        return replace(
            self,
            fields={name: item for name, item in self.fields.items() if name not in out},
            objects={name: item for name, item in self.objects.items() if name not in out},
            lists={
                name: item for name, item in self.lists.items() if name.split(".")[0] not in out
            },
            others={
                key: item
                for key, item in self.others.items()
                if not (key[0] == "tabs" and key[1] in out)
            },
        )


@cache
def shipped() -> Metadata:
    """What the package ships."""
    ElementTree.register_namespace("", NAMESPACE)
    fields, objects, lists = {}, {}, {}
    for place in sorted((ROOT / SOURCE / "objects").iterdir(), key=lambda item: item.name):
        for file, name in _parts(place):
            objects[name] = _read(file)
        for file, name in _parts(place / "fields"):
            fields[f"{place.name}.{name}"] = _read(file)
        for file, name in _parts(place / "listViews"):
            lists[f"{place.name}.{name}"] = _read(file)
    others = {
        (folder, name): _read(file)
        for folder in FOLDERS
        for file, name in _parts(ROOT / SOURCE / folder)
    }
    return Metadata(fields, objects, lists, others)


def field(shape: FieldShape) -> Element:
    """A custom field of contacts or leads, of a shape that a mapping file describes."""
    whole = Element(tag("CustomField"))
    label = shape.label or shape.name.removesuffix(OURS).replace("_", " ")
    facts = {"fullName": shape.name, "label": label, **_typed(shape)}
    for name, value in facts.items():
        SubElement(whole, tag(name)).text = value
    if shape.choices:
        whole.append(_value_set(shape.choices))
    return whole


def kind_of(element: Element) -> str:
    """A field's type, as its metadata names it."""
    return element.findtext(tag("type")) or ""


def is_key(element: Element) -> bool:
    """Whether a field is an external id."""
    return element.findtext(tag("externalId")) == "true"


def _typed(shape: FieldShape) -> dict[str, str]:
    long = {"length": str(shape.length), "type": "LongTextArea", "visibleLines": "3"}
    short = {"length": str(shape.length or TEXT_LENGTH), "type": "Text"}
    types = {
        "text": long if shape.length > TEXT_LENGTH else short,
        "number": {"precision": "18", "scale": "2", "type": "Number"},
        "flag": {"defaultValue": "false", "type": "Checkbox"},
        "date": {"type": "Date"},
        "instant": {"type": "DateTime"},
        "choice": {"type": "Picklist"},
        "choices": {"type": "MultiselectPicklist", "visibleLines": "4"},
    }
    return types[shape.type]


def _value_set(choices: Iterable[str]) -> Element:
    values = Element(tag("valueSet"))
    SubElement(values, tag("restricted")).text = "true"
    definition = SubElement(values, tag("valueSetDefinition"))
    SubElement(definition, tag("sorted")).text = "false"
    for choice in choices:
        value = SubElement(definition, tag("value"))
        for name, text in (("fullName", choice), ("default", "false"), ("label", choice)):
            SubElement(value, tag(name)).text = text
    return values


def _granting(permissions: Element, fields: Iterable[str], editable: bool) -> Element:
    """A permission set that grants these fields too; those of one tag must stand together."""
    whole = Element(permissions.tag)
    granted = [_grant(name, editable) for name in fields]
    for place, part in enumerate(permissions):
        after = permissions[place + 1].tag if place + 1 < len(permissions) else ""
        whole.append(part)
        if part.tag == tag("fieldPermissions") != after:
            whole.extend(granted)
    return whole


def _grant(name: str, editable: bool) -> Element:
    grant = Element(tag("fieldPermissions"))
    SubElement(grant, tag("editable")).text = str(editable).lower()
    SubElement(grant, tag("field")).text = name
    SubElement(grant, tag("readable")).text = "true"
    return grant


def _parts(place: Traversable) -> Iterator[tuple[Traversable, str]]:
    """The metadata files in a folder, each with the name of its component."""
    if place.is_dir():
        for file in sorted(place.iterdir(), key=lambda item: item.name):
            if file.name.endswith("-meta.xml"):
                yield file, file.name.split(".")[0]


def _read(file: Traversable) -> Element:
    return ElementTree.fromstring(file.read_bytes())  # noqa: S314 - files of our own


def tag(name: str) -> str:
    """A tag's name with the namespace of metadata."""
    return f"{{{NAMESPACE}}}{name}"
