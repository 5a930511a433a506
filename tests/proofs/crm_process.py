"""A CRM in a process of its own, which now and then acts and does not answer, or does not act.

``python -m tests.proofs.crm_process CRM PEOPLE SEED``: it prints its address, and lives until its
standard input ends. ``/proof/calm`` makes it kind; ``/proof/state`` tells what stands in it.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import orjson

from tests.crms import hubspot_server, salesforce_server
from tests.crms.campaign import phone
from tests.crms.salesforce_state import Refused

ROOT = Path(__file__).parents[2]
UNKIND = 0.35  #: of all calls
MARK = re.compile(r"ref ([a-z2-7]{10})")
HUBSPOT = {"communications": "hs_communication_body", "notes": "hs_note_body"}
HUBSPOT_TASKS = {"tasks": "hs_task_body"}
LIMIT = {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING", "message": "too many"}
DOWN = {"status": "error", "message": "internal error"}


class HubSpot(hubspot_server.HubSpotServer):
    """A HubSpot with moods."""

    def __init__(self, people: int, seed: int) -> None:
        super().__init__()
        self.chance, self.calm = random.Random(seed), False
        known = self.defined["contacts"]
        for name in ("sms_consent", "sms_consent_source", "sms_last_status", "sms_last_reply"):
            known.setdefault(name, "string")
        for name in ("sms_consent_at", "sms_last_reply_at"):
            known.setdefault(name, "datetime")
        ids = [self.add("contacts", phone=phone(n), lifecyclestage="lead") for n in range(people)]
        self.people = [str(one) for one in ids]

    def respond(self, verb: str, target: str, token: str, data: bytes) -> Any:
        if target.startswith("/proof/"):
            return 200, {}, _proof(self, target)
        if not self.calm and self.chance.random() < UNKIND:
            mood: list[dict[str, Any]] = [
                {"acts": True, "cuts": True},
                {"acts": True, "cuts": True},
                {"acts": True, "status": 502, "body": DOWN},
                {"cuts": True},
                {"status": 503, "body": DOWN},
                {"status": 429, "body": LIMIT},
                {"acts": True, "status": 200, "body": b"<html>"},
            ]
            self.fail("", **self.chance.choice(mood))
        return super().respond(verb, target, token, data)

    def state(self) -> list[dict[str, str]]:
        """Everything that we made here: our reference, on whose record, and its words."""
        return [
            {
                "mark": _mark(str(held["properties"].get(body))),
                "kind": "task" if plural in HUBSPOT_TASKS else "activity",
                "record": ",".join(self.ties.get((plural, id), {}).get("contacts", [])),
                "body": str(held["properties"].get(body)),
            }
            for plural, body in {**HUBSPOT, **HUBSPOT_TASKS}.items()
            for id, held in self.records[plural].items()
        ]


class Org(salesforce_server.Org):
    """An org with moods."""

    def __init__(self, people: int, seed: int) -> None:
        super().__init__()
        self.chance, self.calm = random.Random(seed), False
        for name in ("Consent", "Consent_At", "Consent_Source", "Opt_Out", "Last_Sent_At"):
            self.state.fields["Contact"].add(f"SMS_{name}__c")
        for name in ("Last_Status", "Last_Reply", "Last_Reply_At"):
            self.state.fields["Contact"].add(f"SMS_{name}__c")
        numbers = [phone(n) for n in range(people)]
        self.people = [self.state.add("Contact", LastName="P", MobilePhone=n) for n in numbers]

    def answer(self, call: Any) -> Any:
        if call.path.startswith("/proof/"):
            return 200, _proof(self, call.path)
        self.state.refusing = {}
        if not self.calm and not call.is_login and self.chance.random() < UNKIND:
            self._be_unkind()
        return super().answer(call)

    def _be_unkind(self) -> None:
        locked = Refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
        half = {record: locked for record in self.chance.sample(self.people, len(self.people) // 2)}
        down = (503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "later"}])
        moods = (
            lambda: self.fails(salesforce_server.Fault(acts=True)),
            lambda: self.fails(salesforce_server.Fault()),
            lambda: self.fails(salesforce_server.Fault(answer=down)),
            lambda: self.fails(salesforce_server.Fault(raw=b"<html>", acts=True)),
            lambda: self.state.refusing.update(half),
        )
        self.chance.choice(moods)()

    def told(self) -> list[dict[str, str]]:
        """Everything that we made here."""
        return [
            {
                "mark": str(row.get("SMS_Id__c")),
                "kind": "activity" if row.get("Status") == "Completed" else "task",
                "record": str(row.get("WhoId")),
                "body": str(row.get("Description")),
            }
            for row in self.state.tables["Task"].values()
        ]


def _mark(body: str) -> str:
    found = MARK.search(body)
    return found[1] if found else ""


def _proof(server: Any, target: str) -> Any:
    if target == "/proof/calm":
        server.calm = True
    state = server.state() if isinstance(server, HubSpot) else server.told()
    return {"people": server.people, "state": state}


@dataclass(frozen=True)
class Told:
    """A CRM's process, from outside."""

    url: str

    def look(self, what: str = "state") -> dict[str, Any]:
        """Its people's records, and what stands in it."""
        with urllib.request.urlopen(f"{self.url}/proof/{what}", timeout=20) as answer:
            return dict(orjson.loads(answer.read()))


@contextmanager
def running(crm: str, people: int, seed: int) -> Iterator[Told]:
    """The CRM, in a process of its own, until the block ends.

    What it thinks of callers that are killed in the middle of a call is not told.
    """
    command = [sys.executable, "-m", "tests.proofs.crm_process", crm, str(people), str(seed)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield Told(process.stdout.readline().strip())
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def main(crm: str, people: int, seed: int) -> None:
    """Serve until nobody holds our standard input any more."""
    if crm == "hubspot":
        hubspot = HubSpot(people, seed)
        print(hubspot.url, flush=True)
        sys.stdin.read()
        hubspot.close()
    else:
        with salesforce_server.Server(Org(people, seed)) as server:
            print(server.url, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
