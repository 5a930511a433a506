"""The stand-in's Bulk API 2.0: ingest jobs, which run when they are closed."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from connector.crms.salesforce.ids import record_id
from tests.crms.salesforce_state import Refused, State

if TYPE_CHECKING:
    from tests.crms.salesforce_server import Answer, Call, Org


def open_job(org: Org, call: Call) -> Answer:
    id = record_id(f"7505g{len(org.jobs):010d}")
    org.jobs[id] = {"id": id, "state": "Open", "looks": org.job_looks, "csv": "", **call.json}
    return 200, {"id": id, **call.json, "state": "Open"}


def fill_job(org: Org, call: Call, id: str) -> Answer:
    if not call.headers["content-type"].startswith("text/csv"):
        raise Refused("INVALIDJOB", "the data of a job is text/csv")
    org.jobs[id]["csv"] = call.body.decode()
    return 201, None


def close_job(org: Org, call: Call, id: str) -> Answer:
    org.jobs[id]["state"] = call.json["state"]
    if call.json["state"] == "UploadComplete":
        _run(org, org.jobs[id])
    return 200, {"id": id, "state": org.jobs[id]["state"]}


def job(org: Org, call: Call, id: str) -> Answer:
    found = org.jobs[id]
    found["looks"] -= 1
    is_done = found["looks"] <= 0 and found["state"] == "UploadComplete"
    return 200, {"id": id, "state": "JobComplete" if is_done else "InProgress"}


def results(org: Org, call: Call, id: str, which: str) -> bytes:
    out = io.StringIO()
    rows = org.jobs[id][which]
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _run(org: Org, found: dict[str, Any]) -> None:
    good, bad = [], []
    for row in csv.DictReader(io.StringIO(found["csv"])):
        values = {name: None if cell == "#N/A" else cell for name, cell in row.items() if cell}
        made = {"attributes": {"type": found["object"]}, **values}
        told = put(org.state, made, found.get("externalIdFieldName", ""))
        if told["success"]:
            good.append({"sf__Id": told["id"], "sf__Created": "true", **row})
        else:
            error = told["errors"][0]
            says = f"{error['statusCode']}:{error['message']}:{','.join(error['fields'])} --"
            bad.append({"sf__Id": "", "sf__Error": says, **row})
    found.update({"successfulResults": good, "failedResults": bad, "unprocessedrecords": []})


def put(state: State, row: dict[str, Any], external: str) -> dict[str, Any]:
    try:
        id, created = state.put(row, external)
    except Refused as error:
        fault = {"statusCode": error.code, "message": error.message, "fields": error.fields}
        return {"success": False, "errors": [fault]}
    told: dict[str, Any] = {"id": id, "success": True, "errors": []}
    return {**told, "created": created} if external else told
