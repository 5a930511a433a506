"""A careful stand-in for a Salesforce org on loopback: its paths, its answers, and its faults.

Paths and bodies follow Salesforce's own request collection (``salesforce_requests.json``), its
answers the REST API's documentation. Nothing here is taken from the adapter under test.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.crms import salesforce_jobs as jobs
from tests.crms.salesforce_state import STATUSES, Refused, State

BASE = "/services/data/v66.0/"
KEY, SECRET = "consumer-key", "consumer-secret"
HOST = "acme.my.salesforce.com"
TYPES = {"SMS_Opt_Out__c": "boolean", "IsClosed": "boolean", "SystemModstamp": "datetime"}
SOAP = (
    '<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/'
    'envelope/"><soapenv:Body><loginResponse><result><serverUrl>https://{host}/services/Soap/u/'
    "64.0/00D</serverUrl><sessionId>{token}</sessionId></result></loginResponse></soapenv:Body>"
    "</soapenv:Envelope>"
)

Answer = tuple[int, Any]

NOTHING_HERE: Answer = (
    404,
    [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}],
)


@dataclass
class Call:
    """One request as it came."""

    method: str
    path: str  # without the query
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def is_login(self) -> bool:
        return self.path.startswith(("/services/oauth2/", "/services/Soap/"))


@dataclass
class Fault:
    """What goes wrong with the next calls that fit: an answer instead, or none at all."""

    answer: Answer | None = None  # None: the connection is closed without an answer
    acts: bool = False  # the call is carried out all the same
    seconds: float = 0.0  # to wait first, longer than the caller does
    times: int = 1
    skips: int = 0  # calls that fit and pass before it
    path: str = ""  # a part of the path; "" fits every call but logins
    raw: bytes | None = None  # the answer's body as it stands


@dataclass
class Org:
    """The org behind the server."""

    state: State = field(default_factory=State)
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    used: int = 18
    total: int = 100_000
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    cursors: dict[str, list[Any]] = field(default_factory=dict)
    refuses_tokens: bool = False  # every session is refused, also a new one
    refuses_login: tuple[str, str] | None = None
    job_looks: int = 1  # at a job before it is done

    def fails(self, *faults: Fault) -> None:
        self.faults += faults

    def sent(self, part: str = "") -> list[Call]:
        """The calls that came, but logins."""
        return [one for one in self.calls if part in one.path and not one.is_login]

    def logins(self) -> list[Call]:
        return [one for one in self.calls if one.is_login]

    def answer(self, call: Call) -> Answer | bytes | None:
        """What is answered to a call; None for nothing at all."""
        self.calls.append(call)
        if call.is_login:
            return self._fault(call, lambda: self._login(call))
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self.refuses_tokens or token not in self.tokens:
            return 401, [{"message": "Session expired", "errorCode": "INVALID_SESSION_ID"}]
        self.used += 1
        return self._fault(call, lambda: self._served(call))

    def _fault(self, call: Call, act: Callable[[], Answer | bytes]) -> Answer | bytes | None:
        for fault in self.faults:
            if fault.times > 0 and (fault.path in call.path if fault.path else not call.is_login):
                if fault.skips > 0:
                    fault.skips -= 1
                    continue
                fault.times -= 1
                if fault.acts:
                    act()
                time.sleep(fault.seconds)
                return fault.raw if fault.raw is not None else fault.answer
        return act()

    def _login(self, call: Call) -> Answer | bytes:
        if self.refuses_login:
            error, why = self.refuses_login
            return 400, {"error": error, "error_description": why}
        token = f"00D5g!token-{len(self.tokens) + 1}"
        if call.path.startswith("/services/Soap/u/"):
            self.tokens.add(token)
            return SOAP.format(host=HOST, token=token).encode()
        form = call.form
        if form["grant_type"] == "client_credentials":
            basic = base64.b64decode(call.headers["authorization"].removeprefix("Basic ")).decode()
            if basic != f"{KEY}:{SECRET}":
                return 400, {"error": "invalid_client", "error_description": "invalid client"}
        self.tokens.add(token)
        told = {"access_token": token, "instance_url": f"https://{HOST}", "token_type": "Bearer"}
        return 200, {**told, "issued_at": "1790000000000", "signature": "x"}

    def _served(self, call: Call) -> Answer | bytes:
        if not call.path.startswith(BASE):
            return NOTHING_HERE
        path = call.path.removeprefix(BASE).rstrip("/")
        for pattern, act in ROUTES:
            found = re.fullmatch(pattern, f"{call.method} {path}")
            if found:
                try:
                    return act(self, call, *found.groups())
                except Refused as error:
                    return 400, [{"errorCode": error.code, "message": error.message}]
        return NOTHING_HERE


def query(org: Org, call: Call, deleted: str) -> Answer:
    """GET query/?q=…, in pages; queryAll has the deleted too."""
    rows = org.state.query(call.query["q"], deleted == "All")
    return 200, _paged(org, rows)


def query_more(org: Org, call: Call, locator: str) -> Answer:
    return 200, _paged(org, org.cursors.pop(locator))


def _paged(org: Org, rows: list[Any]) -> dict[str, Any]:
    now, later = rows[: org.state.page], rows[org.state.page :]
    told: dict[str, Any] = {"totalSize": len(rows), "done": not later, "records": now}
    if later:
        locator = f"01g5g{len(org.calls):010d}-{len(now)}"
        org.cursors[locator] = later
        told["nextRecordsUrl"] = f"{BASE}query/{locator}"
    return told


def collection(org: Org, call: Call, object: str = "", external: str = "") -> Answer:
    """sObject Collections: create (POST), update (PATCH), upsert (PATCH …/object/field)."""
    body = call.json
    rows = body["records"]
    if len(rows) > 200:
        raise Refused("NUMBER_OUTSIDE_VALID_RANGE", "cannot submit more than 200 records")
    if object and external not in org.state.fields.get(object, ()):
        says = f"Provided external ID field does not exist or is not accessible: {external}"
        return 404, [{"errorCode": "NOT_FOUND", "message": says}]
    for row in rows:
        _readable(org, row)
    _few_chunks(rows)
    _nothing_twice(rows, external or "id")
    return 200, [jobs.put(org.state, row, external) for row in rows]


def _readable(org: Org, row: dict[str, Any]) -> None:
    if name := org.state.unknown(row):
        object = row["attributes"]["type"]
        raise Refused("INVALID_FIELD", f"No such column '{name}' on sobject of type {object}")
    born = row.get("Born__c")
    if born and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(born)):
        raise Refused("JSON_PARSER_ERROR", f"Cannot deserialize instance of date from {born}")


def _few_chunks(rows: list[dict[str, Any]]) -> None:
    kinds = [row["attributes"]["type"] for row in rows]
    chunks = 1 + sum(a != b for a, b in pairwise(kinds))
    if chunks > 10:
        raise Refused("LIMIT_EXCEEDED", "Cannot have more than 10 chunks in a single operation.")


def _nothing_twice(rows: list[dict[str, Any]], name: str) -> None:
    given = [row[name] for row in rows if name in row]
    if len(given) != len(set(given)):
        raise Refused("INVALID_INPUT", "duplicate id specified")


def describe(org: Org, call: Call, object: str) -> Answer:
    if object not in org.state.fields:
        return NOTHING_HERE
    return 200, {
        "name": object,
        "fields": [_described(object, name) for name in sorted(org.state.fields[object])],
    }


def _described(object: str, name: str) -> dict[str, Any]:
    is_status = (object, name) == ("Task", "Status")
    values = [{"value": one, "label": one, "active": True} for one in STATUSES] if is_status else []
    return {
        "name": name,
        "label": name.removesuffix("__c").replace("_", " "),
        "type": "picklist" if is_status else TYPES.get(name, "string"),
        "length": 255,
        "createable": not name.startswith(("Is", "Sys", "Id")),
        "updateable": not name.startswith(("Is", "Sys", "Id")),
        "picklistValues": values,
    }


ROUTES: list[tuple[str, Callable[..., Answer | bytes]]] = [
    (r"GET query(All|)", query),
    (r"GET query/(01g\w+-\d+)", query_more),
    (r"POST composite/sobjects", collection),
    (r"PATCH composite/sobjects", collection),
    (r"PATCH composite/sobjects/(\w+)/(\w+)", collection),
    (r"GET sobjects/(\w+)/describe", describe),
    (r"POST jobs/ingest", jobs.open_job),
    (r"PUT jobs/ingest/(\w+)/batches", jobs.fill_job),
    (r"PATCH jobs/ingest/(\w+)", jobs.close_job),
    (r"GET jobs/ingest/(\w+)", jobs.job),
    (r"GET jobs/ingest/(\w+)/(successfulResults|failedResults|unprocessedrecords)", jobs.results),
]


class Server(ThreadingHTTPServer):
    """An org behind a port of its own."""

    daemon_threads = True

    def __init__(self, org: Org | None = None, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.org, self._tls = org or Org(), tls
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """As usual, but over TLS where that was asked for."""
        if self._tls is not None:
            try:
                request = self._tls.wrap_socket(request, server_side=True)
            except OSError:
                return  # the caller does not trust us
        super().finish_request(request, client_address)
        if self._tls is not None:
            request.close()

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _any(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        call = Call(self.command, parts.path, query, headers, body)
        with self.server.lock:
            told = self.server.org.answer(call)
        if told is None:
            self.close_connection = True
            return
        status, content = (200, told) if isinstance(told, bytes) else told
        self._send(status, content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any

    def _send(self, status: int, content: Any) -> None:
        org = self.server.org
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        body = b"" if content is None else raw
        self.send_response_only(status)
        self.send_header("Date", format_datetime(org.state.now, usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        used = f"api-usage={org.used}/{org.total}; per-app-api-usage=17/250(appName=sms)"
        self.send_header("Sforce-Limit-Info", used)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
