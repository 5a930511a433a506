"""``connector reload``: changed files are taken over by the running connector, whole or not."""

from __future__ import annotations

from pathlib import Path

import click

from connector import reloading
from connector.actor import operator
from connector.cli import Failure, output
from connector.config.loaded import load
from connector.runtime import opened


@click.command()
@output.json_option
@click.pass_obj
def reload(folder: Path, as_json: bool) -> None:
    """Let the connector that runs on this folder take over its files as they are now.

    All of them are checked first: mappings, plays, templates, policy, hours and segments are
    swapped together between two steps, or the present ones stay and every fault is named. Who
    is on the way in a play finishes on the version they began with, unless it says adopt = true.
    The same is done by `kill -USR1` and by POST /api/reload.

    \b
    Example:   connector -C shop reload
    """
    loaded = load(folder)  # a fault is told here, before anybody is asked
    with opened(loaded) as store:
        done = reloading.ask(loaded.settings, store, operator())
        if done["act"] != reloading.DONE:
            raise Failure(f"the worker kept the files it has:\n{done['why']}")
        followed = reloading.is_followed(loaded.settings, store, str(done["id"]))
    told = {"result": done["act"], "version": done["version"], "at": done["at"], "web": followed}
    if as_json:
        output.json_line(told)
        return
    output.say(f"{folder}: taken over, version {done['version']}.")
    if done["why"]:
        output.say(f"Only a restart brings: {done['why']}")
    if not followed:
        output.say("The web has not followed yet: it still has the sources, keys and forms of")
        output.say("before. Look at its log, and reload again.")
