"""What stands beside a person: how many open cases, and the deals that they have a part in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.crms.salesforce import soql
from connector.crms.salesforce.ids import known_id, object_of
from connector.crms.salesforce.limits import in_chunks
from connector.crms.salesforce.session import Line
from connector.model import Json
from connector.records import Wanted

ROLE_OF = "Opportunity"


class Beside:
    """Cases and deals of many people in one query each, where the mapping asks for them."""

    def __init__(self, line: Line, wanted: Wanted) -> None:
        self._line, self._wanted = line, wanted

    def of(self, people: Sequence[str]) -> dict[str, dict[str, Json]]:
        """Person → ``open_cases`` and ``deals``, as far as they are wanted; leads have neither."""
        found: dict[str, dict[str, Json]] = {id: {} for id in people}
        contacts = [id for id in found if object_of(id) == "contact"]
        if "cases" in self._wanted.beside:
            cases = self._cases(contacts)
            for id, told in found.items():
                told["open_cases"] = cases.get(id, 0)
        if "deals" in self._wanted.beside:
            deals = self._deals(contacts)
            for id, told in found.items():
                told["deals"] = deals.get(id, [])
        return found

    def _cases(self, contacts: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for some in in_chunks(contacts, soql.IN_ONE):
            where = f"IsClosed = false AND {soql.ids_in('ContactId', some)}"
            query = soql.counted("ContactId", "Case", where)
            for row in self._line.query("fetch", query):
                found[known_id(row.get("ContactId"))] = int(row.get("counted") or 0)
        return found

    def _deals(self, contacts: Sequence[str]) -> dict[str, list[Json]]:
        """Each person's deals, the one changed last first."""
        wanted = self._wanted.fields.get("deal", ())
        names = soql.unique(("ContactId", "OpportunityId", "Opportunity.SystemModstamp"))
        fields = (*names, *(f"{ROLE_OF}.{name}" for name in wanted))
        rows: list[dict[str, Any]] = []
        for some in in_chunks(contacts, soql.ids_in_one(fields)):
            order = "ORDER BY Opportunity.SystemModstamp DESC, OpportunityId"
            query = soql.select(
                fields, "OpportunityContactRole", soql.ids_in("ContactId", some), order
            )
            rows += self._line.query("fetch", query)
        found: dict[str, dict[str, Json]] = {}
        for row in rows:
            deal = known_id(row.get("OpportunityId"))
            values = {**soql.values(row.get(ROLE_OF) or {}, wanted), "id": deal}
            found.setdefault(known_id(row.get("ContactId")), {}).setdefault(deal, values)
        return {person: list(deals.values()) for person, deals in found.items()}
