"""Short links: ``link(url)`` in a text becomes an address of our own, one for each text.

While a text is only planned, a link is as long as it will be and leads nowhere; at the gate it
gets its code, which a text that is tried again keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from connector import clock
from connector.ledger import links as ledger
from connector.ledger.store import Tx
from connector.model import Json
from connector.rules import links as rules
from connector.steps.setup import Setup

PATH: Final = "/l/"
PLACEHOLDER: Final = "a" * clock.CODE_LENGTH  #: no code has an a
TRIES: Final = 5  #: at a new code, which fails by chance once in a lifetime


@dataclass(slots=True)
class Links:
    """What ``link(url)`` asks in one text; ``made`` are the addresses it put there."""

    tx: Tx
    rt: Setup
    send_id: str
    contact_id: str
    minting: bool
    trusted: bool
    made: list[str] = field(default_factory=list)

    def link(self, url: Json) -> str:
        """The short address that leads to ``url``; ``url`` itself where we have no address.

        Raises ``ExpressionFailed`` where no text may lead there.
        """
        found = rules.leading(url, self.rt.says.link_hosts, trusted=self.trusted)
        base = self.rt.links_url.rstrip("/")
        if not base:
            return found
        code = self._code(found) if self.minting else PLACEHOLDER
        short = f"{base}{PATH}{code}"
        self.made.append(short)
        return short

    def own_taken_out(self, text: str) -> str:
        """The text without the links made here, to look for those of others."""
        for short in self.made:
            text = text.replace(short, "")
        return text

    def _code(self, url: str) -> str:
        for _ in range(TRIES):
            if kept := ledger.code_of(self.tx, self.send_id, url):
                return kept
            code = self.rt.new_code()
            ledger.add(self.tx, code, url, self.send_id, self.contact_id, self.rt.clock())
        raise RuntimeError("no new code for a link: new_code gives the same ones again")


def for_send(
    tx: Tx, rt: Setup, send_id: str, contact_id: str, minting: bool, *, trusted: bool = False
) -> Links:
    """The links of one text, for the context under ``links``.

    ``minting``: the text is about to leave, so that links are kept; otherwise they are only
    measured. ``trusted``: its facts came from a trusted source, so that any host may be led to.
    """
    return Links(tx, rt, send_id, contact_id, minting, trusted)
