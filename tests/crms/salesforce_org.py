"""A Salesforce org that can be prepared: it describes, deploys, assigns, and upserts tasks.

As the Metadata API's documentation has it: deployments are asked for as multipart, run for a
while, undo themselves where a component fails, and fields that nobody granted are not described.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from connector.crms.salesforce.metadata import tag

BASE = "/services/data/v66.0/"
USER = "0055g00000AbCdEAAV"
SET_ID = "0PS5g00000AbCdEGAV"
DESCRIBED = {
    "Text": "string",
    "LongTextArea": "textarea",
    "Number": "double",
    "Checkbox": "boolean",
    "Date": "date",
    "DateTime": "datetime",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Lookup": "reference",
}
Answer = tuple[int, Any]


class Org:
    """One org; ``calls`` are the requests it had, as (method, path)."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, dict[str, Any]]] = {
            name: {"Id": {"name": "Id", "type": "id"}} for name in ("Contact", "Lead", "Task")
        }
        self.granted: dict[str, set[str]] = {}  # permission set → fields
        self.assigned: set[str] = set()
        self.hidden_still: set[str] = set()  # fields that stay hidden whatever is granted
        self.refuses: dict[str, str] = {}  # component → why
        self.forbidden: set[str] = set()  # parts of paths
        self.deployments: list[dict[str, Any]] = []
        self.slow = 1  # looks at a deployment before it is done
        self.unique = True  # whether our external id is one
        self.tasks: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the org answers to a request."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(BASE)
        self.calls.append((method, path))
        if any(part in path for part in self.forbidden):
            return 403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "insufficient access"}]
        if path == "":
            return 200, {"identity": f"https://login.salesforce.com/id/00D000000000062EAA/{USER}"}
        if found := re.fullmatch(r"sobjects/(\w+)/describe", path):
            return self._describe(found[1])
        if path == "metadata/deployRequest":
            return self._begin(headers, body)
        if path.startswith("metadata/deployRequest/"):
            return self._look(parse_qs(parts.query))
        if path.startswith("query"):
            return self._query(parse_qs(parts.query)["q"][0])
        if path == "sobjects/PermissionSetAssignment":
            return self._assign(json.loads(body))
        if path.startswith("sobjects/Task/"):
            return self._task(method, path.split("/")[2:], body)
        return 404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]

    def describes(self, name: str) -> set[str]:
        """Fields that the connector's user sees."""
        return {item["name"] for item in self._describe(name)[1]["fields"]}

    def _describe(self, name: str) -> Answer:
        if name not in self.fields:
            words = "The requested resource does not exist"
            return 404, [{"errorCode": "NOT_FOUND", "message": words}]
        seen = [item for item in self.fields[name].values() if self._is_seen(name, item["name"])]
        return 200, {"name": name, "fields": seen}

    def _is_seen(self, name: str, field: str) -> bool:
        full = f"{name}.{field}"
        if not field.endswith("__c") or full in self.hidden_still:
            return not field.endswith("__c")
        return any(full in self.granted[each] for each in self.assigned)

    def _begin(self, headers: Mapping[str, str], body: bytes) -> Answer:
        kind = next(value for name, value in headers.items() if name.lower() == "content-type")
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        form = {
            str(part.get_param("name", header="content-disposition")): part
            for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
        }
        assert form["json"].get_content_type() == "application/json"
        assert form["file"].get_content_type() == "application/zip"
        options = json.loads(_bytes(form["json"]))["deployOptions"]
        assert options["singlePackage"] is True and options["rollbackOnError"] is True
        assert "testLevel" not in options, "without Apex no tests are run"
        files = _unzipped(_bytes(form["file"]))
        self.deployments.append({"looks": 0, "options": options, "files": files})
        return 201, {"id": "0Af5g00000AbCdEAAV", "deployOptions": options}

    def _look(self, query: Mapping[str, list[str]]) -> Answer:
        assert query["includeDetails"] == ["true"]
        last = self.deployments[-1]
        last["looks"] += 1
        told = {"numberComponentsTotal": "40", "numberComponentsDeployed": "3"}
        if last["looks"] <= self.slow:
            return 200, {"deployResult": {"done": False, "status": "InProgress", **told}}
        last["result"] = last.get("result") or self._run(last)
        return 200, {"deployResult": {"done": True, **told, **last["result"]}}

    def _run(self, deployment: Mapping[str, Any]) -> dict[str, Any]:
        """Deploy, or only try it; nothing is kept where a component fails."""
        fields, sets = _components(deployment["files"])
        failures = [
            {"fullName": full, "problem": problem, "problemType": "Error", "success": "false"}
            for full, element in fields.items()
            if (problem := self._problem(full, element))
        ]
        if failures:
            return {"status": "Failed", "details": {"componentFailures": failures}}
        successes = [
            {"fullName": full, "created": str(not self._stands(full)).lower(), "success": True}
            for full in fields
        ]
        if not deployment["options"]["checkOnly"]:
            self._keep(fields, sets)
        return {"status": "Succeeded", "details": {"componentSuccesses": successes}}

    def _problem(self, full: str, element: Element) -> str:
        if full in self.refuses:
            return self.refuses[full]
        owner, _, name = full.partition(".")
        stands = self.fields.get(_real(owner), {}).get(name)
        kind = DESCRIBED[element.findtext(tag("type")) or ""]
        return f"Cannot change type to {kind}" if stands and stands["type"] != kind else ""

    def _stands(self, full: str) -> bool:
        owner, _, name = full.partition(".")
        return name in self.fields.get(_real(owner), {})

    def _keep(self, fields: Mapping[str, Element], sets: Mapping[str, set[str]]) -> None:
        for full, element in fields.items():
            owner, _, name = full.partition(".")
            key = element.findtext(tag("externalId")) == "true"
            kind = DESCRIBED[element.findtext(tag("type")) or ""]
            self.fields.setdefault(_real(owner), {})[name] = {
                "name": name,
                "type": kind,
                "externalId": key,
                "unique": key,
            }
        for name, granted in sets.items():
            for full in granted:
                owner, _, field = full.partition(".")
                known = owner == "Event" or field in self.fields.get(owner, {})
                assert known, f"{name} grants {full}, which is not there"
            self.granted[name] = granted

    def _query(self, soql: str) -> Answer:
        found = ""
        if " FROM PermissionSet WHERE " in soql:
            found = SET_ID if "SMS_Connector" in self.granted else ""
        elif " FROM PermissionSetAssignment WHERE " in soql:
            assert USER in soql and SET_ID in soql
            found = "0Pa5g00000AbCdECAV" if self.assigned else ""
        rows = [{"Id": found}] if found else []
        if " FROM Task WHERE " in soql:
            rows = [{"Id": id} for id, task in self.tasks.items() if task["SMS_Id__c"] in soql]
        return 200, {"totalSize": len(rows), "done": True, "records": rows}

    def _assign(self, body: Mapping[str, str]) -> Answer:
        assert body == {"AssigneeId": USER, "PermissionSetId": SET_ID}
        self.assigned.add("SMS_Connector")
        return 201, {"id": "0Pa5g00000AbCdECAV", "success": True, "errors": []}

    def _task(self, method: str, path: list[str], body: bytes) -> Answer:
        if method == "DELETE":
            self.tasks.pop(path[0])
            return 204, None
        _, key = path
        found = [task for task in self.tasks.values() if task["SMS_Id__c"] == key]
        if found and self.unique:
            found[0].update(json.loads(body))
            return 200, {"id": found[0]["Id"], "success": True, "created": False}
        task = {"Id": f"00T5g00000AbCd{len(self.tasks)}EAV"[:18], "SMS_Id__c": key}
        self.tasks[task["Id"]] = {**task, **json.loads(body)}
        return 201, {"id": task["Id"], "success": True, "created": True}


def _real(owner: str) -> str:
    return "Task" if owner == "Activity" else owner


def _bytes(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


def _unzipped(archive: bytes) -> dict[str, Element]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: ElementTree.fromstring(opened.read(name)) for name in opened.namelist()}


def _components(files: Mapping[str, Element]) -> tuple[dict[str, Element], dict[str, set[str]]]:
    """The fields of a deployment by full name, and what each permission set grants."""
    listed = {each.text for each in files["package.xml"].iter(tag("members"))}
    fields, sets = {}, {}
    for name, element in files.items():
        own = name.rpartition("/")[2].partition(".")[0]
        for field in element.iterfind(tag("fields")):
            full = f"{own}.{field.findtext(tag('fullName'))}"
            assert full in listed, f"{full} is in no manifest"
            fields[full] = field
        if name.startswith("permissionsets/"):
            assert own in listed
            sets[own] = {each.text or "" for each in element.iter(tag("field"))}
    return fields, sets
