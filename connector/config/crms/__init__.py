"""CRM mappings: ``mappings/crms/<crm>.toml``, both halves, every fault with its line.

What a record there means is read first, since the rest of a folder may name its signals; what is
written goes by the facts and traits that all of the folder gives.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from connector.config import toml
from connector.config.crms import known, written
from connector.config.crms.meanings import ITEM, ROOTS, events
from connector.config.crms.people import PeopleReader
from connector.config.crms.uses import Uses
from connector.config.events import EventReader
from connector.config.supply import Supply
from connector.errors import Fault
from connector.records import Wanted
from connector.rules.crm import ALWAYS_TOLD, CrmMapping
from connector.rules.mapping import SourceMapping
from connector.rules.render import version
from connector.rules.writeback import standard_fields

LOCAL: Final = "local"  #: the CRM that takes any field, and needs no file


class Reader:
    """Reads one file in two goes: ``source`` at once, all of it when the folder's names are known.

    Without a file every fact goes to a field of its own name, in the local CRM alone.
    """

    def __init__(self, path: Path, stages: Collection[str] | None, faults: list[Fault]) -> None:
        self.path = path
        self.name = path.stem
        self.is_there = path.exists()
        self.faults = faults
        known_faults = len(faults)
        if self.is_there:
            self.top = toml.read(path, faults)
        elif self.name != LOCAL:
            remedy = f"copy it from a new folder (connector init), or write [crm] use = {LOCAL!r}"
            faults.append(Fault(str(path), 0, "", "is not there", remedy))
        self.is_read = self.is_there and len(faults) == known_faults
        self.uses = Uses()
        self.source = self._source(stages) if self.is_read else None

    @property
    def is_whole(self) -> bool:
        """Whether all that the file should say could be read."""
        return self.is_read or (not self.is_there and self.name == LOCAL)

    @property
    def sources(self) -> dict[str, SourceMapping]:
        """What the rest of the folder may name of it; one without events is one with faults."""
        if not self.is_whole:
            return {self.name: SourceMapping(self.name, "", "standard")}
        return {f"crm:{self.name}": self.source} if self.source else {}

    def _source(self, stages: Collection[str] | None) -> SourceMapping | None:
        steps = {"item": ITEM}
        reader = EventReader(ROOTS, stages, steps=steps, activity=False)
        self.people = PeopleReader(self.top, self.name, reader, self.uses).people()
        rules = events(self.top, self.name, self.people, reader, self.uses)
        self.content = self.path.read_text("utf-8")
        if not rules:
            return None
        return SourceMapping(
            name=self.name,
            version=version(self.content),
            adapter="standard",
            events=rules,
            content=self.content,
        )

    def mapping(self, supply: Supply) -> CrmMapping:
        """The whole file."""
        if not self.is_read:
            names = frozenset(field.name for field in standard_fields())
            return CrmMapping(self.name, fields=standard_fields(), plain=names)
        top, people, uses = self.top, self.people, self.uses
        is_elsewhere = bool(people.values)
        facts = known.facts(top, people.objects, uses)
        plain = known.reads(top, people.objects, uses)
        known.read(top, uses)
        table = top.table("fields")
        fields = written.fields(table, supply, people.objects, uses)
        opt_out = written.opt_out(top, table, people.objects, uses)
        creates = written.creates(top, table)
        top.done()
        own = {opt_out, people.stage.field} if is_elsewhere else {field.name for field in fields}
        told = ALWAYS_TOLD if is_elsewhere else frozenset({"id"})
        return CrmMapping(
            name=self.name,
            version=version(self.content),
            content=self.content,
            people=people.objects,
            wanted=Wanted(
                fields=uses.fields(),
                history=uses.past(),
                phone=people.phone,
                email=people.email,
                opt_out=opt_out,
                stage=people.stage.field,
                beside=known.beside(facts),
            ),
            source=self.source,
            facts=facts if is_elsewhere or facts.expressions else None,
            plain=frozenset(plain | own | told) - {""},
            fields=fields,
            opt_out=opt_out,
            stages=people.stage.values,
            stage_objects=people.stage.objects,
            writes_stage=people.stage.is_written,
            creates=creates,
            uses=tuple(uses.found),
        )


def load(path: Path, supply: Supply, faults: list[Fault]) -> CrmMapping:
    """A CRM's mapping file on its own; faults are added to ``faults``."""
    return Reader(path, supply.stages or None, faults).mapping(supply)
