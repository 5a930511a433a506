"""The contract's third part: what a vendor's books tell, where it lets them be looked into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.errors import Deferred, SendFailed, Uncertain
from connector.messages import Carried, Found, Receipt, Reply
from connector.model import Status
from connector.providers import Ability, TellsStatus
from tests.providers.contract import (
    COST_MICROS,
    ID,
    MESSAGE,
    NOW,
    OURS,
    SEGMENTS,
    TEXT,
    Contract,
    Kit,
    KitClass,
)

HOUR = timedelta(hours=1)
BROKEN = {
    "down": (500, b""),
    "too often": (429, b""),
    "wrong secret": (401, b""),
    "no JSON": (200, b"<html>"),
    "no list": (200, b"7"),
    "other things": (200, b'{"data": 1, "messages": {}, "objects": [7], "meta": []}'),
}


def ours(kit: Kit, **changes: object) -> Carried:
    """``MESSAGE`` as it stands in the vendor's books."""
    entry = Carried(
        provider=kit.provider.name,
        provider_id=ID,
        to=MESSAGE.to,
        text=TEXT,
        at=NOW,
        send_id=MESSAGE.send_id,
        status=Status.delivered,
        raw_status=next(word for word, s in kit.statuses.items() if s is Status.delivered),
        segments=SEGMENTS,
        cost_micros=COST_MICROS,
        currency=kit.currency,
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


class FindsContract(Contract):
    """A doubtful text can be looked up."""

    @pytest.mark.parametrize(("lost", "taken"), [("lost_taken", True), ("lost_untaken", False)])
    def test_a_text_whose_answer_was_lost_is_looked_up(
        self, kit: Kit, lost: str, taken: bool
    ) -> None:
        kit.arrange(lost)
        with pytest.raises(Uncertain):
            kit.provider.send(MESSAGE)
        found = kit.provider.find(MESSAGE, NOW)
        assert found.taken is taken
        assert bool(found.provider_id) is taken
        assert found.by_reference is (taken and Ability.finds_by_reference in kit.does)

    def test_the_one_that_fits_is_told_with_all_that_is_known_of_it(self, kit: Kit) -> None:
        kit.holds(ours(kit))
        found = kit.provider.find(MESSAGE, NOW)
        assert (found.taken, found.provider_id) == (True, ID)
        for each in found.fits:
            assert (each.provider_id, each.to, each.text) == (ID, MESSAGE.to, TEXT)

    def test_another_text_is_not_ours(self, kit: Kit) -> None:
        kit.holds(ours(kit, text="another", send_id="snd_other", provider_id="other"))
        assert kit.provider.find(MESSAGE, NOW).taken is not True


class FindsByReferenceContract(Contract):
    """Our own reference makes it certain."""

    def test_anothers_identical_text_is_not_taken_for_ours(self, kit: Kit) -> None:
        kit.holds(ours(kit, send_id="snd_other", provider_id="other"))
        assert kit.provider.find(MESSAGE, NOW).taken is not True

    def test_ours_is_found_beside_anothers_identical_text(self, kit: Kit) -> None:
        kit.holds(ours(kit, send_id="snd_other", provider_id="other"), ours(kit))
        found = kit.provider.find(MESSAGE, NOW)
        assert (found.taken, found.provider_id, found.by_reference) == (True, ID, True)


class FindsByWordsContract(Contract):
    """Number, words and time are all there is to go by."""

    def test_two_identical_texts_are_both_told_and_neither_is_chosen(self, kit: Kit) -> None:
        kit.holds(ours(kit), ours(kit, send_id="snd_other", provider_id="other"))
        found = kit.provider.find(MESSAGE, NOW)
        assert (found.taken, found.provider_id, found.by_reference) == (None, "", False)
        assert {each.provider_id for each in found.fits} == {ID, "other"}

    def test_the_same_words_at_another_time_are_not_ours(self, kit: Kit) -> None:
        kit.holds(ours(kit, at=NOW - HOUR))
        assert kit.provider.find(MESSAGE, NOW) == Found(False)


class FindsOverHttpContract(FindsContract):
    """A vendor that cannot be asked has told nothing."""

    @pytest.mark.parametrize(("status", "body"), BROKEN.values(), ids=BROKEN)
    def test_a_look_up_that_fails_cannot_tell(self, kit: Kit, status: int, body: bytes) -> None:
        kit.looks_up(status, body)
        assert kit.provider.find(MESSAGE, NOW).taken is None


class CannotFindContract(Contract):
    """Nothing can be looked up."""

    def test_it_cannot_tell_and_asks_nobody(self, kit: Kit) -> None:
        assert kit.provider.find(MESSAGE, NOW) == Found(None)
        assert not kit.over_http or kit.calls() == []


class TellsStatusContract(Contract):
    """A text's status can be asked for."""

    def test_a_text_tells_how_it_stands(self, kit: Kit) -> None:
        kit.holds(ours(kit))
        receipt = self.status(kit)
        assert receipt is not None
        assert receipt.provider_id == ID
        assert receipt.status is Status.delivered
        priced = (COST_MICROS, kit.currency) if "status" in kit.priced else (None, "")
        assert (receipt.cost_micros, receipt.currency) == priced
        assert receipt.segments == (SEGMENTS if "status" in kit.counted else None)

    def test_a_text_that_the_vendor_does_not_know_has_no_status(self, kit: Kit) -> None:
        kit.holds()
        assert self.status(kit) is None

    def status(self, kit: Kit) -> Receipt | None:
        assert isinstance(kit.provider, TellsStatus)
        return kit.provider.status(ID, MESSAGE)


class TellsStatusOverHttpContract(TellsStatusContract):
    """A vendor that cannot be asked says nothing of the text."""

    @pytest.mark.parametrize(("status", "body"), BROKEN.values(), ids=BROKEN)
    def test_a_status_that_cannot_be_had_now_is_no_status(
        self, kit: Kit, status: int, body: bytes
    ) -> None:
        kit.looks_up(status, body)
        with pytest.raises((Deferred, Uncertain)):
            self.status(kit)


class TellsNoStatusContract(Contract):
    """A text's status only ever comes by itself."""

    def test_it_has_no_way_to_ask(self, kit: Kit) -> None:
        assert not isinstance(kit.provider, TellsStatus)


class ListsTextsContract(Contract):
    """What it took is listed."""

    def test_it_lists_what_it_took_since_oldest_first(self, kit: Kit) -> None:
        old, new = (ours(kit, provider_id="a", at=NOW - HOUR), ours(kit))
        kit.holds(old, new, ours(kit, provider_id="b", at=NOW - 3 * HOUR))
        first, second = kit.provider.carried(NOW - HOUR)
        assert (first.provider_id, first.at) == ("a", NOW - HOUR)
        assert (second.provider_id, second.to, second.text) == (ID, MESSAGE.to, TEXT)
        priced = (COST_MICROS, kit.currency) if "carried" in kit.priced else (None, "")
        assert (second.cost_micros, second.currency) == priced
        assert second.segments == (SEGMENTS if "carried" in kit.counted else None)

    def test_it_lists_nothing_where_there_is_nothing(self, kit: Kit) -> None:
        kit.holds(ours(kit, at=NOW - HOUR))
        assert list(kit.provider.carried(NOW)) == []


class ListsTextsOverHttpContract(ListsTextsContract):
    """A list that cannot be had is no list."""

    @pytest.mark.parametrize(("status", "body"), BROKEN.values(), ids=BROKEN)
    def test_a_list_that_fails_is_not_an_empty_one(
        self, kit: Kit, status: int, body: bytes
    ) -> None:
        kit.looks_up(status, body)
        with pytest.raises((Deferred, Uncertain)):
            list(kit.provider.carried(NOW))


class ListsNoTextsContract(Contract):
    """What it took cannot be listed."""

    def test_it_does_not_tell_of_nothing_as_if_all_were_well(self, kit: Kit) -> None:
        with pytest.raises(Deferred):
            list(kit.provider.carried(NOW))


class ListsRepliesContract(Contract):
    """Replies that nobody heard are listed."""

    def test_it_lists_the_replies_since_oldest_first(self, kit: Kit) -> None:
        name = kit.provider.name
        kit.holds(
            Reply(name, "r2", MESSAGE.to, OURS, "START", NOW),
            Reply(name, "r1", MESSAGE.to, OURS, "STOP", NOW - HOUR),
            Reply(name, "r0", MESSAGE.to, OURS, "long ago", NOW - 3 * HOUR),
            ours(kit),
        )
        first, second = kit.provider.inbound(NOW - HOUR)
        assert (first.provider_id, first.text, first.occurred_at) == ("r1", "STOP", NOW - HOUR)
        assert (second.sender, second.to, second.text) == (MESSAGE.to, OURS, "START")


class ListsRepliesOverHttpContract(ListsRepliesContract):
    """A list that cannot be had is no list."""

    @pytest.mark.parametrize(("status", "body"), BROKEN.values(), ids=BROKEN)
    def test_replies_that_cannot_be_listed_are_not_none(
        self, kit: Kit, status: int, body: bytes
    ) -> None:
        kit.looks_up(status, body)
        with pytest.raises(SendFailed):
            list(kit.provider.inbound(NOW))


class ListsNoRepliesContract(Contract):
    """Replies cannot be listed."""

    def test_replies_that_are_not_listed_are_not_none(self, kit: Kit) -> None:
        with pytest.raises(Deferred):
            list(kit.provider.inbound(NOW))


def of_books(kit: KitClass) -> Iterator[type[Contract]]:
    """The parts that fit a vendor; for every ability one, and its opposite where it lacks it."""
    http, does = kit.over_http, kit.does
    if Ability.finds not in does:
        yield CannotFindContract
    else:
        yield FindsOverHttpContract if http else FindsContract
        by_reference = Ability.finds_by_reference in does
        yield FindsByReferenceContract if by_reference else FindsByWordsContract
    for ability, over_http, plain, without in (
        (
            Ability.tells_status,
            TellsStatusOverHttpContract,
            TellsStatusContract,
            TellsNoStatusContract,
        ),
        (Ability.lists_texts, ListsTextsOverHttpContract, ListsTextsContract, ListsNoTextsContract),
        (
            Ability.lists_replies,
            ListsRepliesOverHttpContract,
            ListsRepliesContract,
            ListsNoRepliesContract,
        ),
    ):
        able = over_http if http else plain
        yield able if ability in does else without
