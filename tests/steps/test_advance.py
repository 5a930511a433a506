"""From the inbox into the ledger: once, in order, all or nothing, and one bad piece sinks alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import StorageRefused
from connector.expressions import Bundle, compile_all
from connector.ledger import cursors, events
from connector.ledger.inbox import Delivery, InboxReader
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Tx
from connector.model import Subject, Trust
from connector.steps import advance
from connector.steps.advance import Advancer
from tests.steps.build import CART, DAY, HOUR, MAPPING, NOW, OTHER, PHONE, Shop, said

OpenShop = Callable[..., Shop]


def body(
    number: int, event: str = "signed_up", user: str = "ann", **properties: Any
) -> dict[str, Any]:
    """A /v1/track body."""
    return {
        "messageId": f"m-{number}",
        "event": event,
        "userId": user,
        "properties": {"number": 1, "zero": 1, **properties},
    }


def batch(*bodies: dict[str, Any]) -> bytes:
    return orjson.dumps({"batch": [{"type": "track", **each} for each in bodies]})


def deliver_batch(shop: Shop, *bodies: dict[str, Any]) -> None:
    url = "https://x.example/v1/batch"
    shop.inbox.append(Delivery("events", "backend", shop.clock(), batch(*bodies), url))


def cursor(shop: Shop) -> int:
    with shop.store.read() as tx:
        return int(cursors.get(tx, advance.INBOX, "0"))


def kept(shop: Shop) -> list[tuple[str, str]]:
    """(source event id, state) of every event, in the order in which they were kept."""
    found = shop.rows("SELECT source_event_id, state FROM events ORDER BY rowid")
    return [(row["source_event_id"], row["state"]) for row in found]


def unreadable(shop: Shop) -> list[str]:
    return [row["reason"] for row in shop.rows("SELECT reason FROM unreadable ORDER BY rowid")]


# -- the way in --------------------------------------------------------------------------------


def test_an_event_goes_from_the_inbox_to_an_enrolment(shop: Shop) -> None:
    shop.put(body(1, "cart_updated", phone=PHONE, key="c-1", value=42.5))
    assert advance.advance(shop.rt) == 1
    assert kept(shop) == [("m-1", "done")]
    [event] = shop.rows("SELECT * FROM events")
    assert (event["contact_id"], event["mapping"], event["reason"]) == (
        "con_000001",
        "segment@m1",
        "",
    )
    [enrolment] = shop.enrolments()
    assert (enrolment["play"], enrolment["key"]) == ("cart", "c-1")
    assert cursor(shop) == 1
    assert advance.advance(shop.rt) == 0


def test_there_is_nothing_to_do_before_the_web_has_begun(tmp_path: Path, shop: Shop) -> None:
    shop.rt.inbox = InboxReader(tmp_path / "none.db")
    assert advance.advance(shop.rt) == 0


def test_a_repeated_delivery_has_no_second_effect(shop: Shop) -> None:
    for _ in range(3):
        shop.put(body(1, key="k"))
    shop.walk()
    assert kept(shop) == [("m-1", "done")]
    assert len(shop.enrolments()) == 1
    assert len(shop.rows("SELECT * FROM signals")) == 1
    assert shop.rows("SELECT repeats FROM events") == [{"repeats": 2}]
    assert cursor(shop) == 3


def test_events_are_taken_in_the_order_in_which_they_came(shop: Shop) -> None:
    for number in range(200):
        shop.put(body(number, user=f"u-{number % 7}"))
    shop.walk()
    assert [key for key, _ in kept(shop)] == [f"m-{number}" for number in range(200)]


def test_a_batch_is_taken_event_by_event(shop: Shop) -> None:
    deliver_batch(shop, *(body(number) for number in range(5)))
    shop.walk()
    assert len(kept(shop)) == 5
    assert cursor(shop) == 1


# -- what cannot be taken ----------------------------------------------------------------------


def test_an_event_that_means_nothing_here_is_kept_as_unmapped(shop: Shop) -> None:
    shop.put(body(1, "page_scrolled"), body(2, user=""))
    shop.walk()
    reasons = [row["reason"] for row in shop.rows("SELECT reason FROM events ORDER BY rowid")]
    assert kept(shop) == [("m-1", "unmapped"), ("m-2", "unmapped")]
    assert reasons[0] == "unknown_event"
    assert reasons[1].startswith("no_subject")


def test_an_event_its_mapping_fails_on_sinks_alone_with_its_reason(shop: Shop) -> None:
    shop.put(body(1), body(2, zero=0), body(3))
    shop.walk()
    assert kept(shop) == [("m-1", "done"), ("m-2", "failed"), ("m-3", "done")]
    [failed] = shop.rows("SELECT reason FROM events WHERE state = 'failed'")
    assert failed["reason"].startswith("mapping_error: facts.broken")


def test_a_mended_mapping_takes_a_failed_event_after_all(shop: Shop) -> None:
    shop.put(body(1, zero=0, key="k"))
    shop.walk()
    rules = (replace(rule, values=without(rule.values, "facts.broken")) for rule in MAPPING.events)
    mended = replace(MAPPING, events=tuple(rules))
    shop.rt.sources = {
        **shop.rt.sources,
        "backend": replace(shop.rt.sources["backend"], mapping=mended),
    }
    [row] = shop.rows("SELECT id FROM events")
    with shop.store.write() as tx:
        event = events.get(tx, row["id"])
        assert event is not None
        assert advance.again(tx, shop.rt, event, shop.clock()) == "done"
    assert kept(shop) == [("m-1", "done")]
    assert len(shop.enrolments()) == 1


def without(values: Bundle, name: str) -> Bundle:
    """A rule's values but one."""
    left = {key: each for key, each in values.expressions.items() if key != name}
    return compile_all(left, strict=False)


def test_an_event_that_we_fail_on_sinks_alone_and_leaves_no_trace_but_its_reason(
    shop: Shop,
) -> None:
    fault_for(shop, "eve")
    shop.put(body(1), body(2, user="eve"), body(3))
    shop.walk()
    assert kept(shop) == [("m-1", "done"), ("m-2", "failed"), ("m-3", "done")]
    [failed] = shop.rows("SELECT reason, contact_id FROM events WHERE state = 'failed'")
    assert failed["reason"].startswith("internal: IntegrityError")
    assert failed["contact_id"] is None
    assert shop.bearers("user_id", "eve") == set()
    assert len(shop.rows("SELECT * FROM contacts")) == 1


def fault_for(shop: Shop, user: str) -> None:
    """Linking one user fails, for a fault of ours."""
    with shop.store.write() as tx:
        tx.run(
            f"""CREATE TRIGGER fault BEFORE INSERT ON identity_links WHEN NEW.value = '{user}'
            BEGIN SELECT RAISE(ABORT, 'a fault of ours'); END"""
        )


def test_a_body_that_cannot_be_read_is_kept_aside_with_its_reason(shop: Shop) -> None:
    shop.deliver(b"{")
    shop.put(body(1))
    shop.walk()
    assert kept(shop) == [("m-1", "done")]
    [reason] = unreadable(shop)
    assert "not JSON" in reason
    assert cursor(shop) == 2


def test_what_the_web_could_not_read_is_kept_with_the_webs_reason(shop: Shop) -> None:
    told = Delivery(
        "unreadable", "backend", NOW, b"{", "https://x.example/v1/track", {}, "too deep"
    )
    shop.inbox.append(told)
    shop.walk()
    assert unreadable(shop) == ["too deep"]


@pytest.mark.parametrize("kind", ["events", "callback"])
def test_a_delivery_of_a_source_that_is_no_longer_configured_is_kept_aside(
    shop: Shop, kind: str
) -> None:
    shop.deliver(b"{}", source="gone", kind=kind)
    shop.walk()
    assert unreadable(shop) == ["its source is no longer configured"]
    assert cursor(shop) == 1


@pytest.mark.parametrize("error", [KeyError, ValueError, RecursionError, TypeError])
def test_an_adapter_that_fails_by_itself_holds_up_nothing(
    shop: Shop, error: type[Exception]
) -> None:
    class Failing:
        def verify(self, hook: object, now: object) -> None: ...

        def parse(self, hook: object, received_at: object) -> Any:
            raise error("a bug")

    real = shop.rt.sources["backend"]
    shop.rt.sources = {"backend": real, "bad": replace(real, name="bad", adapter=Failing())}
    shop.deliver(b"{}", source="bad")
    shop.put(body(1))
    shop.walk()
    assert kept(shop) == [("m-1", "done")]
    assert len(unreadable(shop)) == 1
    assert cursor(shop) == 2


# -- callbacks ---------------------------------------------------------------------------------


def callback(shop: Shop, *texts: str, phone: str = PHONE) -> None:
    told = [{"id": f"in-{text}", "from": phone, "text": text} for text in texts]
    shop.deliver(orjson.dumps(told), source="carrier", kind="callback")


def test_a_stop_in_the_inbox_is_obeyed(shop: Shop) -> None:
    shop.consent()
    callback(shop, "STOP")
    shop.walk()
    assert shop.live().stopped == "all"
    assert shop.dispatch() == 1


def test_a_callback_about_no_text_is_not_kept_as_one_that_could_not_be_read(shop: Shop) -> None:
    callback(shop)
    callback(shop, "STOP")
    shop.walk()
    assert (unreadable(shop), cursor(shop)) == ([], 2)


def test_a_callback_we_fail_on_sinks_alone_and_is_kept_whole(shop: Shop) -> None:
    shop.consent()
    with shop.store.write() as tx:
        tx.run(
            """CREATE TRIGGER fault BEFORE INSERT ON replies WHEN NEW.text = 'boom'
            BEGIN SELECT RAISE(ABORT, 'a fault of ours'); END"""
        )
    callback(shop, "boom")
    shop.deliver(b"boom", source="carrier", kind="callback")
    callback(shop, "STOP")
    shop.walk()
    assert shop.live().stopped == "all"
    assert unreadable(shop) == ["internal: IntegrityError", "internal: ZeroDivisionError"]
    assert cursor(shop) == 3


# -- all or nothing ----------------------------------------------------------------------------


class Dying:
    """The shop's store, whose process dies as the nth transaction is about to be kept."""

    def __init__(self, store: SqliteStore, at: int, error: type[BaseException]) -> None:
        self._store, self._left, self._error = store, at, error
        self.read = store.read

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._store.write() as tx:
            yield tx
            self._left -= 1
            if not self._left:
                raise self._error


@pytest.mark.parametrize("error", [KeyboardInterrupt, StorageRefused])
def test_a_death_midway_leaves_nothing_and_repeats_nothing(
    shop: Shop, error: type[BaseException]
) -> None:
    for number in range(3):
        shop.put(body(number, key=str(number)))
    real, shop.rt.store = shop.rt.store, Dying(shop.store, 1, error)
    with pytest.raises(error):
        advance.advance(shop.rt)
    shop.rt.store = real
    assert (kept(shop), shop.enrolments(), cursor(shop)) == ([], [], 0)
    shop.walk()
    assert len(kept(shop)) == len(shop.enrolments()) == 3
    assert shop.rows("SELECT repeats FROM events") == [{"repeats": 0}] * 3


def test_an_advancer_that_lives_through_a_full_disk_goes_on_where_it_was(shop: Shop) -> None:
    deliver_batch(shop, *(body(number, key=str(number)) for number in range(80)))
    shop.put(body(80))
    advancer = Advancer(shop.rt)
    advancer.round()
    real, shop.rt.store = shop.rt.store, Dying(shop.store, 1, StorageRefused)
    with pytest.raises(StorageRefused):
        advancer.round()
    shop.rt.store = real
    while advancer.round():
        pass
    assert [key for key, _ in kept(shop)] == [f"m-{number}" for number in range(81)]
    assert {row["repeats"] for row in shop.rows("SELECT repeats FROM events")} == {0}


def test_a_fault_that_no_savepoint_holds_loses_nothing_either(shop: Shop) -> None:
    deliver_batch(shop, *(body(number) for number in range(40)))
    advancer = Advancer(shop.rt)
    real, shop.rt.store = shop.rt.store, Dying(shop.store, 1, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        advancer.round()
    shop.rt.store = real
    while advancer.round():
        pass
    assert len(kept(shop)) == 40


def test_a_death_between_slices_of_large_batches_takes_each_event_once(shop: Shop) -> None:
    """Events without an id of their own have a new one each time they are read."""
    sizes = (20, 20, 45)
    for size in sizes:
        nameless = [{**body(n), "properties": {"number": 1, "zero": 1}} for n in range(size)]
        for each in nameless:
            del each["messageId"]
        deliver_batch(shop, *nameless)
    while Advancer(shop.rt).round():  # a new process for each slice
        pass
    assert len(kept(shop)) == sum(sizes)
    assert cursor(shop) == len(sizes)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.lists(st.sampled_from(["round", "die", "refuse"]), max_size=8),
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_dies_between_every_event_is_taken_once_and_in_order(
    open_shop: OpenShop, sizes: list[int], acts: list[str]
) -> None:
    shop = open_shop(CART)
    number = 0
    for size in sizes:
        deliver_batch(shop, *(body(number + n, "page") for n in range(size)))
        number += size
    advancer = Advancer(shop.rt)
    real = shop.rt.store
    for act in acts:
        if act == "round":
            advancer.round()
            continue
        error = StorageRefused if act == "refuse" else KeyboardInterrupt
        shop.rt.store = Dying(shop.store, 1, error)
        with pytest.raises(error):
            advancer.round()
        shop.rt.store = real
        if act == "die":
            advancer = Advancer(shop.rt)
    while advancer.round():
        pass
    assert [key for key, _ in kept(shop)] == [f"m-{n}" for n in range(number)]
    assert sum(row["repeats"] for row in shop.rows("SELECT repeats FROM events")) == 0


# -- what is due -------------------------------------------------------------------------------


def test_what_is_due_next_is_told_and_never_missed(shop: Shop) -> None:
    assert advance.next_due(shop.rt, NOW) == NOW + DAY
    shop.put(body(1, "cart_updated", phone=PHONE))
    shop.walk()
    assert advance.next_due(shop.rt, NOW) == NOW + HOUR


def test_many_due_steps_are_taken_slice_by_slice(shop: Shop) -> None:
    for number in range(100):
        shop.put(body(number, user=f"u-{number}"))
    shop.walk()
    states = {row["state"] for row in shop.enrolments()}
    assert states == {"ended"}, "nobody has consented"
    assert len(shop.enrolments()) == 100


# -- trust -------------------------------------------------------------------------------------


def test_a_browser_gives_no_number_whatever_its_event_says(shop: Shop) -> None:
    assert shop.rt.sources["site"].trust is Trust.browser
    shop.put(body(1, phone=PHONE), source="site")
    shop.walk()
    assert kept(shop) == [("m-1", "done")]
    assert shop.bearers("phone", PHONE) == set()
    [event] = shop.rows("SELECT reason FROM events")
    assert "a browser source gives no phone number" in event["reason"]


def test_a_consent_counts_from_a_trusted_source_only(shop: Shop) -> None:
    for source, live in (("site", set[str]()), ("backend", {"marketing"})):
        shop.tell("signed_up", Subject(user_id="ann"), source=source, consents=(said("marketing"),))
        assert shop.live().live == live


def test_an_end_of_consent_without_a_number_is_for_every_number_of_the_person(shop: Shop) -> None:
    for phone in (PHONE, OTHER):
        shop.tell("identified", Subject(user_id="ann", phone=phone))
        shop.consent(phone=phone)
    ends = (said("marketing", granted=False, phone=""),)
    shop.tell("unsubscribed", Subject(user_id="ann"), consents=ends)
    assert shop.live(PHONE).live == shop.live(OTHER).live == frozenset()


def test_a_stage_moves_on_by_itself_and_back_only_where_the_file_says_so(shop: Shop) -> None:
    for stage in ("lead", "customer", "visitor"):
        shop.tell("page_viewed", stage=stage)
    [contact] = shop.rows("SELECT stage FROM contacts")
    assert contact["stage"] == "customer"
    changes = shop.rows("SELECT from_stage, to_stage FROM stage_changes ORDER BY id")
    assert [tuple(change.values()) for change in changes] == [("", "lead"), ("lead", "customer")]


def test_what_a_signal_says_came_of_it_is_kept_once_and_owed_to_the_crm(shop: Shop) -> None:
    for _ in range(2):
        shop.tell("paid", key="o-1", outcome="converted", value_micros=5, currency="USD")
    [heard] = shop.rows("SELECT * FROM outcomes")
    assert (heard["kind"], heard["thing"], heard["value_micros"]) == ("converted", "o-1", 5)
    assert f"outcome:{heard['id']}" in {
        row["key"] for row in shop.rows("SELECT key FROM writebacks")
    }
