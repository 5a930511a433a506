"""``connector run``, ``serve`` and ``work``: the doors that stay open."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from connector.config.loaded import Loaded, load
from connector.logs import set_up


def _loaded(folder: Path) -> Loaded:
    loaded = load(folder)
    set_up(loaded.settings.log.level, loaded.settings.log.format)
    return loaded


@click.command()
@click.pass_obj
def run(folder: Path) -> None:
    """Run the web and the worker until told to stop (Ctrl-C or SIGTERM).

    One small process watches over two: the web records what comes in, the worker decides, sends
    and writes back. If one of them dies it is started again; if the watcher dies both leave.

    \b
    Example:   connector -C shop run
    Stopping finishes the calls under way; killing loses nothing that was answered 2xx.
    """
    from connector.supervisor import Supervisor

    sys.exit(Supervisor(_loaded(folder)).run())


@click.command()
@click.pass_obj
def serve(folder: Path) -> None:
    """Run only the web: receive, verify and record; decide nothing.

    \b
    Example:   connector -C shop serve     (beside `connector -C shop work`)
    """
    from connector.serving import serve as serve_web

    serve_web(_loaded(folder))


@click.command()
@click.pass_obj
def work(folder: Path) -> None:
    """Run only the worker: decide, send, hear what came of it, and write back.

    \b
    Example:   connector -C shop work      (beside `connector -C shop serve`)
    """
    from connector.worker import work as do_work

    do_work(_loaded(folder))
