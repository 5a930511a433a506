"""Connections that came to a stand are closed; those on which something happens are not."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connector.ledger.sqlite import READERS, SqliteStore
from connector.web.stalled import close_stalled

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def connected(listener: socket.socket) -> Pair:
    """(a client, our end of its connection)."""
    client = socket.create_connection(listener.getsockname(), timeout=5)
    return client, listener.accept()[0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when we last sent anything")
def test_a_connection_that_is_not_answered_for_long_is_closed_and_no_other(
    listener: socket.socket,
) -> None:
    port = listener.getsockname()[1]
    (stuck, ours), (other, their) = connected(listener), connected(listener)
    with stuck, ours, other, their:
        assert close_stalled(port, 30) == 0, "nobody waits for long yet"
        for _ in range(4):
            time.sleep(0.1)
            stuck.sendall(b"half a bo")  # what comes in is no sign that it comes to an end
            their.sendall(b"an answer")
        assert close_stalled(port, 0.3) == 1
        assert ours.recv(100).startswith(b"half") and stuck.recv(100) == b""
        assert other.recv(1_000).startswith(b"an answer")
        late, accepted = connected(listener)
        with late, accepted:
            assert close_stalled(port, 0.3) == 0, "and the listener listens still"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when we last sent anything")
def test_connections_that_we_made_ourselves_are_none_of_its_business(
    listener: socket.socket,
) -> None:
    client, ours = connected(listener)
    with client, ours:
        time.sleep(0.2)
        assert close_stalled(client.getsockname()[1] + 1, 0.1) == 0
        assert close_stalled(0, 0.0) == 0


def test_threads_that_come_and_go_leave_no_open_file_behind(tmp_path: Path) -> None:
    """Threads that wait for slow senders are many, and gone soon after."""
    with closing(SqliteStore(tmp_path / "ledger.db")) as store:
        gate = threading.Barrier(3 * READERS)

        def look() -> None:
            with store.read() as tx:
                gate.wait(10)
                assert tx.one("SELECT 1 AS one") is not None

        for _ in range(2):
            threads = [threading.Thread(target=look) for _ in range(gate.parties)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(store._readers) == READERS
