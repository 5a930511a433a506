"""Plays: the files in ``mappings/plays`` as values, checked against all they name."""

from connector.config.plays.reader import Around, load_plays
from connector.config.plays.versions import revive, segments_text

__all__ = ["Around", "load_plays", "revive", "segments_text"]
