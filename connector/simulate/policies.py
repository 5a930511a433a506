"""Policies: what another policy would have made of the past, decision by decision.

The recorded inputs are run under one policy and again under the other. Until ``since`` both sides
are under the policies that were in force then, so that both begin with the same caps, and with
the same texts waiting. The side that made more of the recorded decisions is held to the instants
at which they were made, and the other one to the same delays (see ``beside``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connector.config.loaded import Loaded
from connector.errors import ConnectorError
from connector.ledger import contacts, rulebooks
from connector.ledger.store import Store
from connector.rules.policy import Rulebook
from connector.simulate.altered import Altered, Change, altered
from connector.simulate.beside import Delays, bounds
from connector.simulate.compare import Comparison, compare
from connector.simulate.inputs import inputs
from connector.simulate.replay import EPOCH, Books, Ran, replayed, replayed_beside
from connector.simulate.scratch import ScratchTx
from connector.simulate.sides import Kept, Side, side
from connector.simulate.simulation import changes

Tell = Callable[[str, str, int], None]
"""Which side is run (a, b), how far it is, how many inputs it took."""
ALWAYS: Final = (
    "events, replies, clicks and receipts are those that came: what people would have done "
    "with other texts nobody knows"
)


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger keeps of the policies that decided."""

    kept: tuple[Kept, ...]
    decided: dict[str, int]  #: ``policy+hours`` → decisions in the span
    turns: tuple[tuple[str, str], ...]  #: which of them began to decide when, before the span
    forgotten: int
    oldest: str  #: the oldest event, where older ones were removed


@dataclass(slots=True)
class Diff:
    """What one policy would have altered beside another."""

    a: Side
    b: Side
    since: str
    first: str
    last: str
    altered: Altered
    held: str  #: the side that is held to what was recorded: a or b
    ours: dict[str, int]  #: side → recorded decisions of the span that its policy made
    recorded: int  #: all that were recorded in the span, beside those about starts
    compared: Comparison | None  #: the side held beside what was recorded, where all was its own
    unknown: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    phones: dict[str, str] = field(default_factory=dict)  #: of the people in the examples


def past(store: Store, kept: Sequence[Kept], since: str) -> Past:
    """Read what is needed before anything runs."""
    with store.read() as tx:
        return Past(
            kept=tuple(kept),
            decided={row["version"]: row["decisions"] for row in rulebooks.decided(tx, since)},
            turns=tuple(rulebooks.turns(tx, since)) if since else (),
            forgotten=rulebooks.forgotten(tx),
            oldest=rulebooks.oldest_event(tx),
        )


def diff(
    store: Store,
    folder: Path,
    own: Loaded,
    sides: tuple[Side, Side],
    known: Past,
    since: str = "",
    *,
    play: str = "",
    until: str = "",
    tell: Tell = lambda side, at, count: None,
    each: Callable[[Change], None] = lambda change: None,
) -> Diff:
    """Run the past under A and under B, and lay what came of it side by side.

    It goes on to ``until``, and at least to what was recorded last. ``play`` is the only one told
    of; each change is told to ``each``. Raises ``ConnectorError`` where there is no past.
    """
    before, unknown = _before(folder, own, known, sides[0])
    with _ran(store, sides, known, (since, until), before, tell) as (a, b, held):
        first = a if held == "a" else b
        purposes = {name: play.purpose.value for name, play in own.plays.items()}
        txs = a.world.store.tx, b.world.store.tx
        laid = altered(*txs, first.recorded.winner, purposes, since, play, each)
        ours = {
            name: known.decided.get(one.version, 0) for name, one in zip("ab", sides, strict=True)
        }
        recorded = sum(known.decided.values())
        is_whole = 0 < ours[held] == recorded
        return Diff(
            *sides,
            since,
            first.first,
            first.last,
            laid,
            held,
            ours,
            recorded,
            compare(first, since) if is_whole else None,
            [*unknown, *_unknown(own, first, known, sides)],
            [*dict.fromkeys((*a.faults, *b.faults))],
            _phones(txs, laid),
        )


@contextmanager
def _ran(
    store: Store,
    sides: tuple[Side, Side],
    known: Past,
    span: tuple[str, str],
    before: Books,
    tell: Tell,
) -> Iterator[tuple[Ran, Ran, str]]:
    """Both worlds, A's first, and the letter of the one that is held to what was recorded."""
    (a, b), (since, until) = sides, span
    made = known.decided.get
    held = "b" if made(b.version, 0) > made(a.version, 0) else "a"
    leads, follows = (a, b) if held == "a" else (b, a)
    other = "b" if held == "a" else "a"
    with Delays() as delays, ExitStack() as open_:
        noting, beside = bounds(delays)
        first = open_.enter_context(
            replayed(
                leads.loaded,
                lambda: inputs(store),
                lambda at, count: tell(held, at, count),
                bound=noting,
                books=_books(leads, before, since),
                until=until,
            )
        )
        second = open_.enter_context(
            replayed_beside(
                first,
                follows.loaded,
                lambda: inputs(store),
                beside,
                lambda at, count: tell(other, at, count),
                _books(follows, before, since),
            )
        )
        yield (first, second, held) if held == "a" else (second, first, held)


def _books(one: Side, before: Books, since: str) -> Books:
    return [*before, (since, one.book)] if since else ()


def _before(folder: Path, own: Loaded, known: Past, stand_in: Side) -> tuple[Books, list[str]]:
    """The policies in force before the span, from when on; A stands in for one that is lost."""
    found: list[tuple[str, Rulebook]] = []
    lost: list[str] = []
    for at, version in known.turns:
        try:
            book = side(folder, own, known.kept, version).book
        except ConnectorError:
            book = stand_in.book
            lost.append(
                f"the policy and hours {version}, in force before the span, cannot be read with "
                f"today's files; {stand_in.version} stands in for them"
            )
        found.append((at if found else EPOCH, book))
    return found, [*dict.fromkeys(lost)]


def _unknown(own: Loaded, ran: Ran, known: Past, sides: tuple[Side, Side]) -> Iterator[str]:
    """What the past does not tell, in sentences."""
    yield ALWAYS
    if known.forgotten:
        yield f"{known.forgotten} numbers and names were forgotten; what was theirs is not run"
    if known.oldest:
        yield f"what was heard before {known.oldest} is no longer kept ([retention])"
    for one in sides:
        yield from one.notes
    for line in changes(own, ran):
        if not line.startswith(("policy ", "hours ")):
            yield f"{line}: today's is run on both sides"


def _phones(txs: tuple[ScratchTx, ...], laid: Altered) -> dict[str, str]:
    """The numbers of the people in the examples."""
    found: dict[str, str] = {}
    for change in laid.examples:
        for tx in txs:
            names = contacts.phones(contacts.identities(tx, change.contact_id))
            if names:
                found.setdefault(change.contact_id, names[0])
    return found
