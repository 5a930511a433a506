"""Anchors: the heads of the chains as they are told elsewhere, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

KIND: Final = "connector-anchor/1"

Heads = Mapping[str, tuple[int, str]]
"""Chain → the seq and hash of its newest row."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The heads of one ledger's chains at an instant."""

    at: str
    ledger: str  #: the ledger's own id
    heads: Heads


def told(anchor: Anchor) -> dict[str, Any]:
    """An anchor as plain values."""
    heads = {name: {"seq": seq, "hash": digest} for name, (seq, digest) in anchor.heads.items()}
    return {"kind": KIND, "at": anchor.at, "ledger": anchor.ledger, "chains": heads}


def line(anchor: Anchor) -> str:
    """An anchor in a line: always the same words for the same heads."""
    return json.dumps(told(anchor), sort_keys=True)


def read(text: str) -> list[Anchor]:
    """Every anchor in a text, such as a file of lines or a saved e-mail, in its order."""
    decoder = json.JSONDecoder()
    found, place = [], text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except ValueError:
            end = place + 1
        else:
            if (anchor := _anchor(value)) is not None:
                found.append(anchor)
        place = text.find("{", end)
    return found


def packed(heads: Heads) -> str:
    """Heads in one short text, as the ledger itself notes them; see ``heads_in``."""
    return " ".join(f"{name}:{seq}:{digest}" for name, (seq, digest) in sorted(heads.items()))


def heads_in(text: str) -> Heads:
    """The heads in a text of ``packed``; those that cannot be read are left out."""
    parts = (part.split(":") for part in text.split())
    return {part[0]: (int(part[1]), part[2]) for part in parts if len(part) == 3 and _is_seq(part)}


def heads_of(found: Iterable[Anchor], table: str) -> list[tuple[int, str]]:
    """What anchors know of one chain: seq and hash, the oldest first."""
    return sorted({anchor.heads[table] for anchor in found if table in anchor.heads})


def outside(found: Iterable[Anchor], gaps: Sequence[tuple[str, str]]) -> list[Anchor]:
    """Those that were not taken in a gap, after a backup and before it was restored.

    What was recorded then is lost, and what such an anchor knows cannot be had again.
    """
    return [each for each in found if not any(since < each.at <= until for since, until in gaps)]


def subject(brand: str, at: datetime) -> str:
    """What an e-mail with an anchor is headed."""
    return f"{brand}: anchor of the connector's ledger, {at:%Y-%m-%d}"


def letter(anchor: Anchor) -> str:
    """An e-mail with an anchor, which may be kept as it is and read again."""
    return (
        "Keep this message. It proves that the consents, decisions and acts recorded so far are\n"
        "not changed later: save it to a file, and run\n\n"
        f"    connector audit verify --anchor FILE\n\n{line(anchor)}\n"
    )


def _anchor(value: Any) -> Anchor | None:
    """An anchor, if this is one."""
    try:
        if value["kind"] != KIND:
            return None
        heads = {
            str(name): (int(head["seq"]), str(head["hash"]))
            for name, head in value["chains"].items()
        }
        return Anchor(str(value["at"]), str(value["ledger"]), heads)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _is_seq(part: list[str]) -> bool:
    return part[1].isascii() and part[1].isdigit()
