"""Changes refused because what they name has gone: once more, with what took its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.crms.salesforce.batch import Answer
from connector.crms.salesforce.errors import GONE_CODES, is_not_installed
from connector.crms.salesforce.ids import known_id
from connector.crms.salesforce.rows import SMS_ID
from connector.records import Writeback

BESIDE: Final = ("WhatId", "OwnerId")
"""What an activity names beside its person, and can do without."""
OWNER_CODES: Final = frozenset({"INACTIVE_OWNER_OR_USER", "OP_WITH_INVALID_USER_TYPE_EXCEPTION"})

Became = Callable[[Iterable[str]], Mapping[str, str]]
"""People's ids → the ids of those that took their place; the others are left out."""


class Mender:
    """Follows merges and conversions that Salesforce knows of and we do not yet."""

    def __init__(self, became: Became) -> None:
        self._became = became

    def mended(self, answers: Sequence[Answer]) -> list[Writeback]:
        """The refused changes that are worth a second call, as they should read."""
        lost = [one for one in answers if _is_lost(one)]
        if not lost:
            return []
        became = self._became({known_id(one.item.change.record) for one in lost})
        found = []
        for one in lost:
            change = one.item.change
            if who := became.get(known_id(change.record)):
                found.append(replace(change, record=who))
            elif any(name in one.item.row for name in BESIDE):
                found.append(replace(change, related={}, owner=""))
        return found


def _is_lost(one: Answer) -> bool:
    if one.refusal is None or is_not_installed(one.refusal, SMS_ID):
        return False
    named = any(name in one.refusal.fields for name in BESIDE)
    return named or one.refusal.code in GONE_CODES | OWNER_CODES
