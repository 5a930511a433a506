"""HubSpot as the contract's place: the adapter, the server that it calls, and what that holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

from connector.crms.hubspot.adapter import HubSpotCrm
from connector.model import Json, Subject
from connector.records import (
    NOTHING_WANTED,
    Page,
    Record,
    Schema,
    Wanted,
    Writeback,
    Written,
    reference,
)
from tests.crms.hubspot_server import TOKEN, HubSpotServer

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RECORDS = {"con_1": "901", "con_2": "902"}
WANTED = Wanted(
    fields={"contact": ("firstname", "stage", "plan", "touches", "sms_opt_out")},
    phone=("mobilephone", "phone"),
    email=("email",),
)
_BODY = re.compile(r"<p>([^:<]*)(?:: (.*?))?</p><p>(.*?)</p><p>ref ([a-z2-7]{10})</p>", re.DOTALL)


def hubspot(server: HubSpotServer, wanted: Wanted = NOTHING_WANTED, **settings: Any) -> HubSpotCrm:
    """An adapter for the server, which never sleeps; what it would have slept is in ``slept``."""
    given = {"access_token": TOKEN, "base_url": server.url, "clock": lambda: NOW, **settings}
    crm = HubSpotCrm(wanted=wanted, **given)
    crm.slept = []  # type: ignore[attr-defined]
    crm.wire.pace.sleep = crm.slept.append  # type: ignore[attr-defined]
    return crm


class Remembering:
    """The adapter, handed what the ledger would have: the record, and what was made before."""

    def __init__(self, crm: HubSpotCrm, records: Mapping[str, str]) -> None:
        self.crm, self.records = crm, dict(records)
        self.made: dict[str, str] = {}
        self.name, self.batch = crm.name, crm.batch
        self.objects, self.echoes = crm.objects, crm.echoes

    def write(self, changes: Sequence[Writeback]) -> list[Written]:
        known = [self.known(change) for change in changes]
        answers = self.crm.write(known)
        self.learn(changes, answers)
        return answers

    def known(self, change: Writeback) -> Writeback:
        record = change.record or self.records.get(change.contact_id, "")
        return replace(change, record=record, made=change.made or self.made.get(change.key, ""))

    def learn(self, changes: Sequence[Writeback], answers: Iterable[Written]) -> None:
        keys = {change.id: change.key for change in changes if change.kind != "fields"}
        for answer in answers:
            if answer.ok and answer.id in keys:
                self.made[keys[answer.id]] = answer.record

    def route(self, kind: str, made: bool) -> str:
        return self.crm.route(kind, made)

    def fetch(self, subjects: Sequence[Subject]) -> list[Mapping[str, Json] | None]:
        return self.crm.fetch(subjects)

    def read(self, object: str, ids: Sequence[str]) -> list[Record]:
        return self.crm.read(object, ids)

    def changes(self, object: str, cursor: str | None) -> Page:
        return self.crm.changes(object, cursor)

    def history(self, object: str, cursor: str | None) -> Page:
        return self.crm.history(object, cursor)

    def schema(self) -> Schema:
        return self.crm.schema()


class HubSpotPlace:
    """Two contacts, and a look at them that does not go through the adapter."""

    def __init__(self, wanted: Wanted = WANTED, **settings: Any) -> None:
        self.server = HubSpotServer()
        for id in RECORDS.values():
            self.server.add("contacts", id)
        self.adapter = hubspot(self.server, wanted, **settings)
        self.crm = Remembering(self.adapter, RECORDS)

    def activities(self, contact_id: str) -> dict[str, dict[str, Any]]:
        """What is tied to the contact, by the key that its reference stands for."""
        found = {}
        keys = {reference(key): key for key in KEYS}
        ties = self.server.ties.get(("contacts", RECORDS[contact_id]), {})
        for plural, ids in ties.items():
            for id in ids:
                held = self.server.records[plural][id]["properties"]
                body = next(text for name, text in held.items() if name.endswith("_body"))
                read = _BODY.fullmatch(body)
                assert read, body
                status, words, subject, mark = (unescape(part or "") for part in read.groups())
                key = keys.get(mark, mark)
                assert key not in found, f"{key} stands there twice"
                found[key] = {"id": id, "object": plural, "subject": subject}
                found[key] |= {"status": status, "body": words, "held": held}
        return found

    def fields(self, contact_id: str) -> dict[str, Json]:
        """The contact's properties, numbers as numbers."""
        held = self.server.records["contacts"][RECORDS[contact_id]]["properties"]
        return {name: _number(value) for name, value in held.items()}


KEYS = (
    *(
        f"{kind}:{kind[:3]}_{n}"
        for kind in ("send", "reply", "outcome", "note")
        for n in range(400)
    ),
    *("send:snd_1", "send:snd_2", "send:snd_3", "reply:rpl_1", "outcome:out_1", "note:n_1"),
    *("task:enr_1:call", "task:reply:rpl_1"),
)


def _number(value: Any) -> Json:
    return float(value) if isinstance(value, str) and value.replace(".", "").isdigit() else value
