"""Rules on how a text speaks: who it is from, what it asks for, and whether it is a person."""

from __future__ import annotations

import re
from typing import Final

from connector.rules.copy.phrases import GENERIC, ROBOTIC, SPAM, WAYS_OUT
from connector.rules.copy.reading import FILLED, Copy, phrase

_MONEY_ROW: Final = re.compile(r"[$€£]{2,}")


_LINK: Final = re.compile(r"https?://\S+|\b[\w-]+\.(?:com|example|net|org|io)/\S*")
_ASKS: Final = {
    "reply": re.compile(
        r"\b(?:reply|respond|answer|text (?:us|back|me|1|2|yes|y|c)|write (?:us|back)|"
        r"responda|responde|contesta|conteste|antworte|schreib|répondez|repondez)\b"
    ),
    "link": _LINK,
    "call": re.compile(
        r"\b(?:call|ring|phone) (?:us|me|now|\+?\d|\ufffc)|\bll[aá]m(?:e|a|enos|anos)\b"
    ),
    "visit": re.compile(r"\b(?:visit|come (?:by|in|to)|stop by|drop by|visite|pase por)\b"),
    "download": re.compile(r"\b(?:download|install|descargue|descarga)\b"),
    "follow": re.compile(
        r"\b(?:follow us|like us|share (?:this|with)|refer a friend|s[ií]ganos)\b"
    ),
    "rate": re.compile(
        r"\b(?:rate us|leave (?:us )?a review|review us|tell us how|calif[ií]quenos)\b"
    ),
    "show": re.compile(
        r"\b(?:show this (?:text|message|code)|use (?:the )?code|usa el c[oó]digo)\b"
    ),
}
_OUT: Final = re.compile(
    r"[^.!?]*\b(?:stop|help|opt out|baja|stopp|unsubscribe|cancel)\b[^.!?]*\b(?:opt|end|quit|out|"
    r"help|cancel|unsubscribe|stop|darse|baja|abbestellen)\b[^.!?]*[.!?]?"
)
_QUESTION: Final = re.compile(r"\?")
_OTHER_STEPS: Final = re.compile(
    r"\b(?:finish|book|confirm|renew|buy|order|pick|choose|see|open|pay|update|try|start|track|save|"
    r"continue|complete|bring|check in|add|read|join|log ?in|sign in|schedule|reschedule|view|"
    r"termine|confirme|reserve|renueve|compre|vea|elija|pague|actualice|pruebe|siga|lea|entre)\b"
)


def no_brand(copy: Copy) -> str | None:
    """The brand's name is nowhere in it."""
    if "brand" in copy.paths or (copy.brand and copy.brand.casefold() in copy.folded):
        return None
    return "It does not say who writes."


def no_way_out(copy: Copy) -> str | None:
    """A marketing text that does not say how to end it."""
    if copy.purpose != "marketing" or phrase(copy.folded, WAYS_OUT):
        return None
    return "It does not say how to make it stop."


def robotic(copy: Copy) -> str | None:
    """Phrases that only machines and offices use."""
    found = phrase(copy.folded, ROBOTIC)
    return f"“{found}” sounds like a machine." if found else None


def spam_words(copy: Copy) -> str | None:
    """Words that carriers' filters look for."""
    found = phrase(copy.folded, SPAM)
    if not found and (row := _MONEY_ROW.search(copy.text)):
        found = row[0]
    return f"“{found}” is what filters look for." if found else None


def generic(copy: Copy) -> str | None:
    """Marketing that reads nothing of the person's situation and says only what anybody says."""
    if copy.purpose != "marketing" or any(_is_own(path) for path in copy.paths):
        return None
    found = phrase(copy.folded, GENERIC)
    return f"“{found}”, and nothing of what it is about." if found else None


def many_asks(copy: Copy) -> str | None:
    """More than one thing to do; how to end the texts, and a question that asks for the reply, do
    not count."""
    found = _asks(copy)
    if len(found) < 2:
        return None
    return f"It asks for {len(found)} things: {', '.join(found)}."


def no_next_step(copy: Copy) -> str | None:
    """Nothing to do: no ask, no question, no link."""
    if copy.next_step == "none" or copy.answers or copy.purpose != "marketing":
        return None
    body = _OUT.sub(" ", copy.folded)
    if _asks(copy) or _QUESTION.search(body) or _OTHER_STEPS.search(body):
        return None
    return "It asks for nothing."


def _asks(copy: Copy) -> list[str]:
    """The kinds of thing a text asks for, without the way out."""
    body = _OUT.sub(" ", copy.folded)
    return [name for name, sign in _ASKS.items() if sign.search(body)]


def _is_own(path: str) -> bool:
    root, _, rest = path.partition(".")
    return root in ("signal", "thing", "crm", "change", "walk") or (
        root == "contact" and rest not in ("", "first_name", "last_name", "language")
    )


__all__ = [
    "FILLED",
    "generic",
    "many_asks",
    "no_brand",
    "no_next_step",
    "no_way_out",
    "robotic",
    "spam_words",
]
