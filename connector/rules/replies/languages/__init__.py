"""What people say in each language, as data for ``connector.rules.replies.phrases``."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from connector.rules.replies.languages import english, french, german, italian, portuguese, spanish
from connector.rules.replies.phrases import Language

FIELDS: Final = tuple(field.name for field in fields(Language))
LANGUAGES: Final[tuple[Language, ...]] = tuple(
    Language(**{name: getattr(module, name.upper()) for name in FIELDS})
    for module in (english, spanish, french, german, portuguese, italian)
)
"""Each language's module has the lines of each meaning under its name in capitals."""
