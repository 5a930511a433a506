"""What people say in each language, as data for ``connector.rules.replies.phrases``."""

from __future__ import annotations

from typing import Final

from connector.rules.replies.languages import english, french, german, italian, portuguese, spanish
from connector.rules.replies.phrases import Language

LANGUAGES: Final[tuple[Language, ...]] = tuple(
    module.LANGUAGE for module in (english, spanish, french, german, portuguese, italian)
)
