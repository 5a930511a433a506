"""A shop whose CRM is in memory, with a mapping file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connector.expressions import compile_all, compile_expression
from connector.ledger import crm_facts, crm_hints, crm_records
from connector.model import Hint, Json, Trust
from connector.records import Wanted
from connector.rules.crm import CrmMapping
from connector.rules.mapping import EventRule, SourceMapping
from connector.rules.writeback import Field, fact
from connector.sources.segment import Segment
from connector.steps import crmread
from connector.steps.setup import OpenSource
from connector.steps.writeback import writeback
from tests.crms.memory import MemoryCrm
from tests.steps.build import MINUTE, SECOND, Shop

OpenShop = Callable[..., Shop]
FIELD = "sms_opt_out"
PERSON = {
    "subject.crm": "'desk'",
    "subject.crm_id": "item.person",
}
FIELDS = ("phone", "email", "plan", "stage", FIELD)


def rule(
    place: int, name: str, values: Mapping[str, str], when: str = "", **more: Any
) -> EventRule:
    """A rule of the mapping file."""
    condition = compile_expression(when, strict=False) if when else None
    bundle = compile_all({**PERSON, **values}, strict=False)
    signal = more.pop("signal", name)
    told = frozenset({name})
    return EventRule(place, told, "", signal, bundle, condition, activity=False, **more)


NAMES = {
    "subject.phone": "item.now.phone",
    "subject.email": "item.now.email",
    "traits.plan": "item.now.plan",
    "stage": "item.now.stage",
}
STAGES = {"Lead": "lead", "Customer": "customer"}
SOURCE = SourceMapping(
    "desk",
    "d1",
    "standard",
    (
        rule(0, "contact", NAMES, signal="crm_contact", stages=STAGES),
        rule(1, "lead", NAMES, signal="crm_contact", stages=STAGES),
    ),
)
MAPPING = CrmMapping(
    "desk",
    people=("contact", "lead"),
    wanted=Wanted(
        fields={"contact": FIELDS, "lead": FIELDS, "case": ("open",)},
        opt_out=FIELD,
        stage="stage",
        beside=frozenset({"cases"}),
    ),
    source=SOURCE,
    facts=compile_all({"plan": "plan", "has_open_case": "open_cases > 0"}, strict=False),
    plain=frozenset({"id", FIELD}),
    fields=(Field(FIELD, fact("opted_out")),),
    opt_out=FIELD,
)


class Desk(Shop):
    """A shop with that CRM."""

    crm: MemoryCrm

    def reads(self) -> int:
        """All that is due is read."""
        done = 0
        while more := crmread.round(self.rt):
            done += more
        return done

    def polls(self) -> int:
        """A minute passes, and the CRM is asked what changed."""
        self.tick(MINUTE)
        return self.reads()

    def hears(self, *hints: Hint) -> None:
        """Webhooks came in."""
        with self.store.write() as tx:
            for hint in hints:
                crm_hints.note(tx, hint, self.clock())

    def writes(self) -> None:
        """What is owed is written back."""
        self.tick(SECOND)
        writeback(self.rt)

    def facts(self, contact_id: str = "con_000001") -> dict[str, Json]:
        """What plays read as ``crm.…``."""
        with self.store.read() as tx:
            return crm_facts.of(tx, "desk", contact_id)

    def events(self) -> list[dict[str, Any]]:
        """What was heard of the CRM."""
        return self.rows("SELECT * FROM events WHERE source = 'desk' ORDER BY id")

    def record(self, id: str, object: str = "contact") -> dict[str, Any]:
        """A record as it was read last."""
        with self.store.read() as tx:
            row = crm_records.get(tx, "desk", object, id)
        return dict(row) if row is not None else {}

    def history(self) -> list[tuple[str, str, str]]:
        """(field, before, after) of every change that was kept."""
        found = self.rows("SELECT * FROM crm_history ORDER BY occurred_at, record, field, after")
        return [(row["field"], row["before"], row["after"]) for row in found]

    def waiting(self) -> list[tuple[str, str]]:
        """(object, record) of every hint that waits."""
        found = self.rows("SELECT * FROM crm_hints ORDER BY object, record")
        return [(row["object"], row["record"]) for row in found]


def open_desk(open_shop: OpenShop, *plays: Any, tells: tuple[str, ...] = (), **more: Any) -> Desk:
    """A shop with that CRM, which was not read yet."""
    shop = open_shop(*plays, **more)
    return furnish(shop, MemoryCrm(shop.clock, tells))


def furnish(shop: Shop, crm: MemoryCrm) -> Desk:
    """Give a shop that CRM."""
    shop.__class__ = Desk
    assert isinstance(shop, Desk)
    shop.crm = crm
    shop.rt.crm, shop.rt.crms = "desk", {"desk": crm}
    shop.rt.crm_mappings, shop.rt.crm_fields = {"desk": MAPPING}, {"desk": MAPPING.fields}
    shop.rt.opt_out_fields = {"desk": FIELD}
    told = Segment(source="desk", trust=Trust.trusted, keys=[b"key"])
    shop.rt.sources = {
        **shop.rt.sources,
        "desk": OpenSource("desk", Trust.trusted, told, SOURCE),
    }
    return shop
