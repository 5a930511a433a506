"""The processes of ``connector run``: all up or all down, one run a folder, a clean stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace

import pytest

from connector.serving import interrupting
from tests.proofs.load import post
from tests.proofs.shop import make, order, people
from tests.proofs.verdict import opened
from tests.proofs.victim import BOUND, Victim
from tests.running import free_port

FEW = 6.0  #: seconds; of these 3 are what a stalled request may take


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Victim]:
    """A run that has started and is ready."""
    with started(tmp_path / "shop") as victim:
        yield victim


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """A run for the tests that leave it whole."""
    with started(tmp_path_factory.mktemp("shared") / "shop") as victim:
        yield victim


def started(path: Path, latency: float = 0.0) -> closing[Victim]:
    victim = Victim(make(path, port := free_port(), latency), port)
    victim.start()
    victim.until(victim.is_whole)
    return closing(victim)


def until_it_exists(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} was never made"
        time.sleep(0.01)


def pid_of(victim: Victim, role: str) -> int:
    return next(pid for pid, each in victim.roles().items() if each == role)


def tell(victim: Victim, event: dict[str, object]) -> int:
    door = HTTPConnection("127.0.0.1", victim.port, timeout=10)
    with closing(door):
        return post(door, event)


def rows(victim: Victim, sql: str) -> list[tuple[object, ...]]:
    with closing(opened(victim.path, "ledger")) as ledger:
        return [tuple(row) for row in ledger.execute(sql)]


def connector(path: Path, verb: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is to fail."""
    command = [sys.executable, "-m", "connector", "-C", str(path), verb]
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


# -- a death -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["server", "web", "worker"])
def test_a_child_that_is_killed_is_back_within_two_seconds(shared: Victim, role: str) -> None:
    result, took = shared.kill(pid_of(shared, role))
    assert (result, took < BOUND) == ("back", True), took


def test_when_the_supervisor_is_killed_nothing_is_left_of_it(run: Victim) -> None:
    result, took = run.kill(pid_of(run, "supervisor"))
    assert (result, took < BOUND) == ("down", True), took
    assert not run.answers()


def test_a_child_that_keeps_dying_brings_all_down(run: Victim) -> None:
    for _ in range(5):
        result, took = run.kill(pid_of(run, "worker"))
        assert took < BOUND
    assert result == "down"
    assert run.process is not None
    assert run.process.returncode == 1
    assert "giving_up" in (run.path / "log").read_text()


# -- one at a time -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "role"), [("run", "supervisor"), ("serve", "server"), ("work", "worker")]
)
def test_a_second_one_on_the_folder_is_refused_with_the_pid(
    shared: Victim, verb: str, role: str
) -> None:
    refused = connector(shared.path, verb)
    assert refused.returncode == 1
    assert f"already runs on this folder (pid {pid_of(shared, role)})" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert shared.is_whole()


@pytest.mark.parametrize("verb", ["serve", "work"])
def test_a_run_beside_a_half_is_refused_with_the_pid(tmp_path: Path, verb: str) -> None:
    path = make(tmp_path / "shop", free_port())
    half = subprocess.Popen([sys.executable, "-m", "connector", "-C", str(path), verb])
    try:
        until_it_exists(path / "data" / f"{verb}.lock")
        refused = connector(path, "run")
        assert refused.returncode == 1
        assert f"already runs on this folder (pid {half.pid})" in refused.stderr
    finally:
        half.terminate()
        half.wait(10)


def test_serve_and_work_may_start_together_on_a_new_folder(tmp_path: Path) -> None:
    path = make(tmp_path / "shop", free_port())
    halves = [
        subprocess.Popen([sys.executable, "-m", "connector", "-C", str(path), verb])
        for verb in ("serve", "work")
    ]
    try:
        for verb in ("serve", "work"):
            until_it_exists(path / "data" / f"{verb}.lock")
        time.sleep(0.5)
        assert [half.poll() for half in halves] == [None, None]
    finally:
        for half in halves:
            half.terminate()
        assert [half.wait(10) for half in halves] == [0, 0]


# -- the port ----------------------------------------------------------------------------------


def test_a_port_that_another_program_holds_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        path = make(tmp_path / "shop", port)
        for verb in ("run", "serve"):
            refused = connector(path, verb)
            assert refused.returncode == 1
            assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr
            assert "config.toml" in refused.stderr
            assert "Traceback" not in refused.stderr


def test_two_connectors_never_share_a_port(shared: Victim, tmp_path: Path) -> None:
    refused = connector(make(tmp_path / "other", shared.port), "run")
    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1:{shared.port}" in refused.stderr


def test_from_its_first_answer_on_it_takes_events(tmp_path: Path) -> None:
    victim = Victim(make(tmp_path / "shop", port := free_port()), port)
    with closing(victim):
        victim.start()
        statuses = []
        while 200 not in statuses:
            statuses.append(tell(victim, order(1)))
            time.sleep(0.002)
        assert set(statuses[:-1]) <= {0}, "before that nobody listens"
        victim.until(lambda: victim.is_ready() and rows(victim, "SELECT 1 FROM events"))


# -- a stop ------------------------------------------------------------------------------------


def test_a_stop_finishes_the_calls_under_way(tmp_path: Path) -> None:
    with started(tmp_path / "shop", latency=1.5) as victim:
        assert tell(victim, next(people())) == 200
        assert tell(victim, order(0)) == 200
        victim.until(lambda: rows(victim, "SELECT 1 FROM sends WHERE state = 'sending'"))
        code, took = victim.stop()
        assert (code, took < FEW) == (0, True), took
        assert rows(victim, "SELECT state FROM sends") == [("accepted",)]
        assert victim.is_gone()


def test_a_client_that_stalls_does_not_hold_up_the_stop(run: Victim) -> None:
    with socket.create_connection(("127.0.0.1", run.port)) as half:
        half.sendall(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
        time.sleep(0.1)
        code, took = run.stop()
        assert (code, took < FEW) == (0, True), took
        assert run.is_gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_whole_group_is_a_clean_stop(tmp_path: Path, number: int) -> None:
    victim = Victim(make(tmp_path / "shop", port := free_port()), port)
    with closing(victim):
        victim.start(session=True)
        victim.until(victim.is_whole)
        assert victim.process is not None
        os.killpg(victim.process.pid, number)
        assert victim.process.wait(FEW) == 0
        assert victim.is_gone()
        assert "Traceback" not in (victim.path / "log").read_text()


def test_a_hang_up_of_the_web_alone_makes_no_second_web(shared: Victim) -> None:
    os.kill(pid_of(shared, "server"), signal.SIGHUP)
    time.sleep(0.5)
    assert shared.is_whole()


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.19, 0.21])
def test_a_stop_while_a_child_is_being_replaced_is_clean(run: Victim, pause: float) -> None:
    os.kill(pid_of(run, "worker"), signal.SIGKILL)
    time.sleep(pause)
    code, took = run.stop()
    assert (code, took < FEW) == (0, True), took
    assert run.is_gone()


@pytest.mark.parametrize("after", [0.3, 0.6, 0.9])
def test_a_stop_at_any_instant_of_the_start_leaves_nothing(tmp_path: Path, after: float) -> None:
    victim = Victim(make(tmp_path / "shop", port := free_port()), port)
    with closing(victim):
        victim.start()
        time.sleep(after)
        with suppress(ProcessLookupError):
            code, took = victim.stop()
        assert (code in (0, -signal.SIGTERM), took < FEW) == (True, True), (code, took)
        assert victim.is_gone()


def test_a_signal_stops_the_server_also_where_its_loop_is_just_waking() -> None:
    server = SimpleNamespace(interrupt_signal=False, main_loop_interrupt=threading.Event())

    def waking() -> None:
        with server.main_loop_interrupt._cond:  # as the loop does when its worker has died
            interrupting(server)()

    loop = threading.Thread(target=waking, daemon=True)
    loop.start()
    loop.join(5)
    assert not loop.is_alive(), "the handler waits for the thread that it runs in"
    assert server.main_loop_interrupt.wait(5) and server.interrupt_signal
