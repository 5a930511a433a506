"""Metadata as it travels: the zip of a deployment, and the folder that an administrator deploys.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/file_based_zip_file.htm
The Metadata API wants each object's parts in one file and a list of all there is; what is shipped
and what ``sf project deploy start`` takes is in source format, a file for each part.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from connector.crms.salesforce.metadata import (
    FOLDERS,
    PROJECT,
    ROOT,
    SOURCE,
    Metadata,
    shipped,
    tag,
)
from connector.records import FieldShape

TYPED: Final = (
    "sf project deploy start --source-dir force-app",
    "sf org assign permset --name SMS_Connector --on-behalf-of USERNAME",
)
"""What an administrator types in the folder that is written."""

_FIRST: Final = zipfile.ZipInfo().date_time  # the same files are the same zip


def zipped(metadata: Metadata, version: str) -> bytes:
    """The zip of a deployment, the same bytes for the same components."""
    room = io.BytesIO()
    with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, element in sorted(_files(metadata, version)):
            info = zipfile.ZipInfo(name, _FIRST)
            archive.writestr(info, _written(element), zipfile.ZIP_DEFLATED)
    return room.getvalue()


def write_files(folder: Path, shapes: Iterable[FieldShape]) -> int:
    """Write the project into a folder, for ``sf project deploy start``; how many files.

    Fields of these shapes stand beside what is shipped. Raises ``OSError``.
    """
    found = {PROJECT: (ROOT / PROJECT).read_bytes()}
    whole = shipped().with_fields(shapes)
    placed = {f"objects/{name}/{name}.object": item for name, item in whole.objects.items()}
    for kind, items in (("field", whole.fields), ("listView", whole.lists)):
        for full, item in items.items():
            owner, _, name = full.partition(".")
            placed[f"objects/{owner}/{kind}s/{name}.{kind}"] = item
    for (part, name), item in whole.others.items():
        placed[f"{part}/{name}.{part.removesuffix('s')}"] = item
    found |= {f"{SOURCE}/{name}-meta.xml": _written(item) for name, item in placed.items()}
    for name, body in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return len(found)


def _files(metadata: Metadata, version: str) -> Iterator[tuple[str, Element]]:
    yield "package.xml", _manifest(metadata, version)
    for name in sorted({key.split(".")[0] for key in (*metadata.fields, *metadata.objects)}):
        yield f"objects/{name}.object", _object(metadata, name)
    for (folder, name), element in metadata.others.items():
        yield f"{folder}/{name}.{folder.removesuffix('s')}", element


def _object(metadata: Metadata, name: str) -> Element:
    """An object's own settings, where it is ours, with all of its parts."""
    whole = Element(tag("CustomObject"))
    for part in metadata.objects.get(name, ()):
        whole.append(part)
    for kind, parts in (("fields", metadata.fields), ("listViews", metadata.lists)):
        for full, element in sorted(parts.items()):
            if full.startswith(f"{name}."):
                SubElement(whole, tag(kind)).extend(element)
    return whole


def _manifest(metadata: Metadata, version: str) -> Element:
    listed = {
        "CustomField": metadata.fields,
        "CustomObject": metadata.objects,
        "ListView": metadata.lists,
        **{
            kind: [name for place, name in metadata.others if place == folder]
            for folder, kind in FOLDERS.items()
        },
    }
    package = Element(tag("Package"))
    for kind, names in listed.items():
        if names:
            types = SubElement(package, tag("types"))
            for name in sorted(names):
                SubElement(types, tag("members")).text = name
            SubElement(types, tag("name")).text = kind
    SubElement(package, tag("version")).text = version
    return package


def _written(element: Element) -> bytes:
    written: bytes = ElementTree.tostring(element, "UTF-8", xml_declaration=True)
    return written
