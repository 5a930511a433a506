"""Exits: what ends an enrolment beside signals: a condition, a stage, a segment that was left."""

from __future__ import annotations

import logging

from connector.errors import ExpressionFailed
from connector.model import Contact, Json
from connector.rules.plays import Play

log = logging.getLogger("connector")

PREFIX = "exit_"


def has_any(play: Play) -> bool:
    """Whether the play has exits of this kind."""
    return bool(play.exit.stages or play.exit.left or play.exit.when)


def reason(play: Play, contact: Contact, context: dict[str, Json]) -> str:
    """Why the enrolment ends now, "" where it does not; what cannot be told ends nothing."""
    if contact.stage in play.exit.stages:
        return f"{PREFIX}stage:{contact.stage}"
    try:
        for segment in play.exit.left:
            if not context["history"].in_segment(segment):
                return f"{PREFIX}left:{segment}"
        if play.exit.when is not None and play.exit.when(context):
            return f"{PREFIX}when"
    except ExpressionFailed as error:
        log.warning("act=exit play=%s result=%s", play.name, error.code)
    return ""
