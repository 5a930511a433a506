"""Serving: the Flask application on granian, or on any WSGI server of the operator's own."""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector import reloading, watch
from connector.config.loaded import Loaded, load
from connector.errors import ConnectorError
from connector.lock import Lock
from connector.runtime import open_ledger, patiently
from connector.steps.hearing import NOTE_EVERY
from connector.web.stalled import close_stalled
from connector.webside import WebSide, open_web

if TYPE_CHECKING:
    from connector.web.app import Application

log = logging.getLogger("connector")

REFRESH_SECONDS = 0.25
BACKLOG = 1_024
STOP_SECONDS = 3  #: that requests under way have to finish; a stalled one is cut off then
SLOW = 256  #: threads beyond those of [web], for requests whose body is still on its way
CONNECTIONS = 4_096  #: at one time, most of them idle; more wait to be accepted
STALLED_SECONDS = 60.0  #: without a word from us, and a connection is closed
LOOK_SECONDS = 5.0  #: between two looks for such connections


def application(loaded: Loaded) -> Application:
    """The application over its own open ledger and inbox; called in the process that serves."""
    from connector.web.app import create_app

    web = patiently(lambda: open_web(loaded))
    log.addHandler(web.faults)
    threading.Thread(target=_keep_fresh, args=(web,), name="inbox", daemon=True).start()
    return create_app(web)


def _keep_fresh(web: WebSide) -> None:
    failed, taken, noted_at = False, reloading.taken(web.store), 0.0
    while True:
        threading.Event().wait(REFRESH_SECONDS)
        try:
            web.inbox.refresh()
            web.raise_faults()
            if not noted_at or time.monotonic() - noted_at >= NOTE_EVERY:
                web.note_alive()
                noted_at = time.monotonic()
            taken = take_over(web, taken)
            failed = False
        except Exception as error:  # a door: the disk may be full just now
            if not failed:
                log.warning("act=refresh result=failed error=%s", type(error).__name__)
            failed = True


def take_over(web: WebSide, before: str) -> str:
    """Follow the worker where it has taken over changed files; the reload then followed."""
    now = reloading.taken(web.store)
    if now != before:
        web.renew(load(web.settings.folder))
        reloading.note_followed(web.store, now)
        log.info("act=reload result=followed reload=%s", now)
    return now


def wsgi() -> Application:
    """A plain WSGI entry point for those who bring their own server (one process, threads).

    ``gunicorn --workers 1 --threads 8 'connector.serving:wsgi()'`` with CONNECTOR_FOLDER set.
    """
    loaded = load(Path(os.environ.get("CONNECTOR_FOLDER", ".")))
    Lock(loaded.settings.ledger / "serve.lock", "serve").take()
    return application(loaded)


def serve(loaded: Loaded) -> None:
    """Serve until SIGTERM or SIGINT; granian's worker dies with this process, at the latest."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import MPServer

    lock = Lock(loaded.settings.ledger / "serve.lock", "serve").take()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # the worker's; its ledger tells us
    open_ledger(loaded.settings).close()  # a ledger that cannot be used refuses here, loudly
    web = loaded.settings.web
    refuse_taken(web.host, web.port)
    multiprocessing.set_start_method("fork", force=True)
    life = watch.Life()

    def load_app() -> Application:  # the lock stays held until both processes are gone
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # until granian sets its own for the worker
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        life.watch()
        threading.Thread(target=_hurry, args=(web.port,), name="hurry", daemon=True).start()
        return application(loaded)

    server = MPServer(
        "connector.serving:wsgi",
        address=web.host,
        port=web.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # else a connection that never says anything is never closed
        workers=1,
        blocking_threads=web.threads + SLOW,  # made when needed, gone when idle
        backlog=BACKLOG,
        backpressure=_connections(),
        websockets=False,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.error,
        process_name=None,
    )
    # At SIGHUP granian would start a second worker beside the first: two writers of one inbox.
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    server.signal_handler_interrupt = interrupting(server)  # type: ignore[method-assign]
    chosen = _ignore if ignored else server.signal_handler_interrupt
    server.signal_handler_reload = chosen  # type: ignore[method-assign]
    log.info("act=serve result=started pid=%d address=%s:%d", os.getpid(), web.host, web.port)
    server.serve(target_loader=load_app, wrap_loader=False)
    lock.free()


def interrupting(server: Any) -> Callable[..., None]:
    """What stops granian's loop, from a thread of its own.

    Granian sets its event right in the signal's handler. Where its worker has just died of the
    same signal, as one to the whole group does, the main thread holds that event's lock as the
    handler runs in it, and waits for itself until the supervisor kills it.
    """

    def interrupt(*_: object) -> None:
        server.interrupt_signal = True
        threading.Thread(target=server.main_loop_interrupt.set, name="interrupt").start()

    return interrupt


def _ignore(*_: object) -> None:
    pass


def _hurry(port: int) -> None:
    while True:
        threading.Event().wait(LOOK_SECONDS)
        try:
            if closed := close_stalled(port, STALLED_SECONDS):
                log.warning("act=serve result=stalled connections=%d", closed)
        except OSError as error:  # a door: there may be too many open files just now
            log.warning("act=serve result=failed error=%s", type(error).__name__)


def _connections() -> int:
    """How many connections to hold: as many as there may be open files, the others set aside."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    if soft < wanted:
        soft = min(wanted, hard) if hard != resource.RLIM_INFINITY else wanted
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(CONNECTIONS, soft // 2)


def refuse_taken(host: str, port: int) -> None:
    """Raise ``ConnectorError`` where an address cannot be listened on, or somebody does already.

    granian shares its port with whoever asks for it: of two connectors on one port each would
    get half of the other's events, and neither would notice.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ConnectorError(
            f"cannot listen on {host}:{port} ({error.strerror}): stop the program that listens "
            "there, or set another host and port under [web] in config.toml"
        ) from error
