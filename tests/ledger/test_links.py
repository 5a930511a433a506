"""Short links: one code for each text and address, and who fetched them within a span."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connector.ledger import links
from connector.ledger.sqlite import SqliteStore
from connector.ledger.store import Row, Tx

NOW = datetime(2026, 11, 17, 17, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
URL = "https://corner.example/cart"


def clicked(
    tx: Tx, link: Row, number: int, at: datetime, network: str = "n", agent: str = "a"
) -> None:
    links.add_click(
        tx,
        link,
        click_id=f"clk_{number}",
        verdict="human",
        why="tapped",
        method="GET",
        agent=agent,
        network=network,
        at=at,
        now=at,
    )


def made(tx: Tx, code: str, send: str = "snd_1", url: str = URL) -> Row:
    assert links.add(tx, code, url, send, "con_1", NOW)
    found = links.get(tx, code)
    assert found is not None
    return found


def test_a_text_has_one_code_for_an_address_and_a_code_one_address(store: SqliteStore) -> None:
    with store.write() as tx:
        made(tx, "c1")
        assert not links.add(tx, "c2", URL, "snd_1", "con_1", NOW)
        assert not links.add(tx, "c1", f"{URL}/2", "snd_2", "con_2", NOW)
        assert links.add(tx, "c2", URL, "snd_2", "con_1", NOW)
        assert [links.code_of(tx, f"snd_{number}", URL) for number in (1, 2, 3)] == ["c1", "c2", ""]
        assert links.get(tx, "c9") is None


def test_other_links_of_a_text_are_counted_within_the_span_alone(store: SqliteStore) -> None:
    with store.write() as tx:
        one, two, three = (made(tx, f"c{n}", url=f"{URL}/{n}") for n in range(3))
        other = made(tx, "d", "snd_2")
        clicked(tx, one, 1, NOW)
        clicked(tx, one, 2, NOW)
        clicked(tx, two, 3, NOW - 5 * SECOND)
        clicked(tx, other, 4, NOW)
        assert links.others_of_text(tx, three, NOW - 5 * SECOND, NOW) == 1
        assert links.others_of_text(tx, three, NOW - 6 * SECOND, NOW) == 2
        assert links.others_of_text(tx, one, NOW - 5 * SECOND, NOW) == 0
        assert links.others_of_text(tx, three, NOW - 9 * SECOND, NOW - SECOND) == 1


def test_one_program_in_one_network_is_counted_by_the_links_it_follows(store: SqliteStore) -> None:
    with store.write() as tx:
        found = [made(tx, f"c{n}", f"snd_{n}") for n in range(5)]
        for number, link in enumerate(found[:3]):
            clicked(tx, link, number, NOW)
        clicked(tx, found[3], 8, NOW, network="m")
        clicked(tx, found[3], 9, NOW, agent="b")
        last, since = found[4], NOW - SECOND
        assert links.others_of_network(tx, last, "n", "a", since, NOW) == 3
        assert links.others_of_network(tx, last, "m", "a", since, NOW) == 1
        assert links.others_of_network(tx, last, "", "a", since, NOW) == 0
