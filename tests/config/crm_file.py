"""A CRM's mapping file for a test: written, read, with its faults."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from connector.config import crms
from connector.config.supply import Supply
from connector.errors import Fault
from connector.rules.crm import CrmMapping

SHIPPED: Final = Path(__file__).parents[2] / "mappings" / "crms"
STAGES: Final = ("visitor", "lead", "qualified", "opportunity", "customer", "former_customer")
SUPPLY: Final = Supply(traits=frozenset({"plan"}), stages=STAGES)
CONTACT: Final = '[contact]\nphone = "phone"\n'


def shipped(name: str) -> CrmMapping:
    """A file that a new folder starts with, which must have no fault."""
    faults: list[Fault] = []
    found = crms.load(SHIPPED / f"{name}.toml", SUPPLY, faults)
    assert faults == []
    return found


def read(folder: Path, text: str, name: str = "hubspot") -> tuple[CrmMapping, list[Fault]]:
    """A file of this text, and its faults."""
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    faults: list[Fault] = []
    return crms.load(path, SUPPLY, faults), faults


def faultless(folder: Path, text: str, name: str = "hubspot") -> CrmMapping:
    """A file of this text that has no fault."""
    found, faults = read(folder, text, name)
    assert faults == []
    return found


def told(faults: list[Fault]) -> list[str]:
    """Line, field and message of each fault."""
    return [f"{fault.line}: {fault.field} {fault.message}" for fault in faults]
