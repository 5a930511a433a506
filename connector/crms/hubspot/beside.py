"""What stands beside a contact: how many of its tickets are open, and its deals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from connector.clock import Clock
from connector.crms.hubspot.links import tied
from connector.crms.hubspot.names import CONTACTS, OBJECTS, modified
from connector.crms.hubspot.reading import Item, Reader, batch_read, properties
from connector.crms.hubspot.shapes import FRESH, Known
from connector.crms.hubspot.values import instant
from connector.crms.hubspot.wire import Wire, parts
from connector.errors import CrmUnavailable
from connector.model import Json
from connector.records import Wanted

CLOSED_AT: Final = "closed_date"  #: of a ticket
TICKET_STAGE: Final = "hs_pipeline_stage"


class Beside:
    """Reads tickets and deals of contacts in batches, where the mapping wants them."""

    def __init__(
        self, wire: Wire, reader: Reader, known: Known, wanted: Wanted, clock: Clock
    ) -> None:
        self._wire, self._reader, self._known, self._wanted = wire, reader, known, wanted
        self._clock = clock
        self._closed: tuple[datetime, frozenset[str]] | None = None

    def of(self, ids: Sequence[str]) -> dict[str, dict[str, Json]]:
        """Contact → ``open_cases`` and ``deals``, as far as they are wanted."""
        found: dict[str, dict[str, Json]] = {id: {} for id in ids}
        if "cases" in self._wanted.beside:
            names = [TICKET_STAGE, CLOSED_AT]
            for id, tickets in self._tied("case", ids, names).items():
                found[id]["open_cases"] = sum(self._is_open(ticket) for ticket in tickets)
        if "deals" in self._wanted.beside:
            shapes = self._known.of("deal")
            for id, deals in self._tied("deal", ids, self._reader.names("deal")).items():
                deals.sort(key=_changed_at, reverse=True)
                found[id]["deals"] = [
                    {**self._reader.values("deal", deal, shapes), "id": str(deal.get("id"))}
                    for deal in deals
                ]
        return found

    def _tied(
        self, object: str, ids: Sequence[str], names: Sequence[str]
    ) -> dict[str, list[dict[str, Any]]]:
        plural = OBJECTS[object]
        things = tied(self._wire, CONTACTS, plural, ids)
        every = sorted({id for some in things.values() for id in some})
        items: dict[str, dict[str, Any]] = {}
        for some in parts(every):
            read = batch_read(self._wire, plural, some, names)
            items |= {str(item.get("id")): item for item in read}
        return {id: [items[each] for each in some if each in items] for id, some in things.items()}

    def _is_open(self, ticket: Item) -> bool:
        held, closed = properties(ticket), self._closed_stages()
        return held.get(TICKET_STAGE) not in closed if closed else not held.get(CLOSED_AT)

    def _closed_stages(self) -> frozenset[str]:
        """Ids of the ticket stages that close, asked for once a day; none where we may not."""
        now = self._clock()
        if self._closed is None or now - self._closed[0] >= FRESH:
            self._closed = (now, self._ask_stages())
        return self._closed[1]

    def _ask_stages(self) -> frozenset[str]:
        api = "pipelines.pipelines_api"
        try:
            found = self._wire.look("pipelines-read", api, "get_all", "tickets").items()
        except CrmUnavailable as error:
            if error.code != "forbidden":
                raise
            return frozenset()
        stages = (stage for pipeline in found for stage in pipeline.get("stages") or ())
        return frozenset(str(each.get("id")) for each in stages if _closes(each))


def _closes(stage: Mapping[str, Any]) -> bool:
    told = stage.get("metadata")
    held = told if isinstance(told, Mapping) else {}
    return held.get("ticketState") == "CLOSED" or str(held.get("isClosed")).lower() == "true"


def _changed_at(deal: Item) -> float:
    at = instant(properties(deal).get(modified("deal")) or deal.get("updatedAt"))
    return at.timestamp() if at else 0.0
