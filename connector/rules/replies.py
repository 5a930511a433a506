"""What a reply means: the person wants out, in, help, is another person, or said something else.

In doubt the answer is ``hold``: marketing to the number waits until somebody has read the reply.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from connector.model import Label

MAX_LETTERS: Final = 1_600  #: a longer reply is read as far as this

#: The whole reply is one of these (per se revocation in US law, the carriers' lists, and the
#: usual words of other languages).
STOPS: Final = frozenset(
    {
        *("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke"),
        *("optout", "opt out", "remove", "td"),
        *("arret", "arreter", "desabonner", "desinscrire"),  # French
        *("baja", "parar", "alto", "cancelar", "detener", "sair"),  # Spanish, Portuguese
        *("stopp", "abmelden", "abbestellen", "afmelden", "annulla"),  # German, Dutch, Italian
    }
)
STARTS: Final = frozenset({"start", "unstop"})
HELPS: Final = frozenset({"help", "info", "aide"})
YESES: Final = frozenset({"y", "yes"})

#: These may follow a stop word without changing what it says.
FILLERS: Final = frozenset(
    {
        *("now", "please", "pls", "plz", "thanks", "thank", "you", "immediately", "today"),
        *("it", "this", "these", "the", "your", "all", "everything", "me", "us", "sending"),
        *("text", "texts", "texting", "message", "messages", "messaging", "sms"),
    }
)
MAX_LED: Final = 5  #: words of a reply that a stop word leads

#: A negation right before one of these words: the reply may say either thing.
NEGATIONS: Final = ("dont", "do not", "cant", "can not", "cannot", "never", "wont", "didnt")
NEGATED: Final = ("stop", "cancel", "unsubscribe", "opt", "end", "quit", "remove")

#: Anywhere in the reply, in whole words.
WRONG_PERSON: Final = ("wrong number", "wrong person")
PHRASES: Final = (
    *("opt out", "opt me out", "unsubscribe", "remove me", "take me off", "leave me alone"),
    *(f"stop {verb}" for verb in ("texting", "messaging", "sending", "contacting", "all")),
    *(
        f"{negation} {verb}"
        for negation in ("do not", "dont")
        for verb in ("text", "contact", "message", "send")
    ),
    *(f"no more {noun}" for noun in ("texts", "messages", "sms")),
)

#: What carriers and providers act on themselves; no text may ask for one of these as an answer.
RESERVED: Final = STOPS | STARTS | HELPS
MAX_ANSWER: Final = 40  #: letters of a word that a text asks for

GRAVE: Final = (Label.opt_out, Label.wrong_person, Label.hold)

_APOSTROPHES: Final = frozenset("'’‘`´ʼ＇′")
_POLITE: Final = frozenset({"please", "pls", "plz", "kindly"})
_THANKS: Final = _POLITE | {"thanks", "thank", "thx", "you"}
_DRAWN_OUT = re.compile(r"([^\W\d])\1{2,}")


@dataclass(frozen=True, slots=True)
class Understood:
    """A reply as it was understood.

    ``why`` is the rule that decided: exact, negation, wrong_person, phrase, lead_word, stop_word,
    pending, provider or nothing; ``keyword`` is the words it rests on.
    """

    label: Label
    why: str
    keyword: str = ""


def classify(text: str, *, pending: bool = False, opt_out_type: str = "") -> Understood:
    """What a reply means. ``pending``: a double opt-in is open for the number.

    ``opt_out_type`` is what the provider made of it already (STOP, START, HELP or ""): its STOP
    always stands, its START and HELP only where the words do not say something graver. Reads the
    first 1,600 characters; never raises.
    """
    said = text[:MAX_LETTERS]
    understood = _read(_words(said), pending)
    if understood.why == "nothing":
        circled = _read(_words(said, symbols=True), pending=False)
        understood = circled if circled.label in GRAVE else understood
    if opt_out_type == "STOP" and understood.label not in (Label.opt_out, Label.wrong_person):
        return Understood(Label.opt_out, "provider", "stop")
    if understood.why != "nothing":
        return understood
    if opt_out_type == "START" and " ".join(_words(said)) not in YESES:
        return Understood(Label.opt_in, "provider", "start")
    if opt_out_type == "HELP":
        return Understood(Label.help, "provider", "help")
    return understood


def answer(text: str, answers: Iterable[str]) -> str:
    """Which of the words that a text asked for a reply is, as the play writes it; "" for none.

    The whole reply must be it, read as ``classify`` reads: capitals, accents, punctuation,
    emoji, please and thanks do not matter, and 1️⃣, １ and ① are 1. A reply that means one of
    ``RESERVED``, that it is the wrong person or that it wants out never is one.
    """
    said = folded(text)
    if not said or classify(text).label not in (Label.none, Label.hold):
        return ""
    return next((asked for asked in answers if folded(asked) == said), "")


def folded(text: str) -> str:
    """The first 1,600 characters of a reply in plain small words, as answers are compared."""
    words = _plain(text[:MAX_LETTERS], _letter_or_digit)
    while len(words) > 1 and words[-1] in _THANKS:
        del words[-1]
    return " ".join(words)


def _read(words: list[str], pending: bool) -> Understood:
    said = " ".join(words)
    if said in STOPS:
        return Understood(Label.opt_out, "exact", said)
    if found := _negated(said):
        return Understood(Label.hold, "negation", found)
    if found := _spoken(said, WRONG_PERSON):
        return Understood(Label.wrong_person, "wrong_person", found)
    if found := _spoken(said, PHRASES):
        return Understood(Label.opt_out, "phrase", found)
    if (
        words
        and words[0] in STOPS
        and len(words) <= MAX_LED
        and (FILLERS | STOPS).issuperset(words)
    ):
        return Understood(Label.opt_out, "lead_word", words[0])
    if found := next((word for word in words if word in STOPS), ""):
        return Understood(Label.hold, "stop_word", found)
    if said in HELPS:
        return Understood(Label.help, "exact", said)
    if said in STARTS:
        return Understood(Label.opt_in, "exact", said)
    if pending and said in YESES:
        return Understood(Label.opt_in, "pending", said)
    return Understood(Label.none, "nothing")


def _words(text: str, *, symbols: bool = False) -> list[str]:
    """The reply in plain small letters: no accents, punctuation or emoji, no leading please.

    ``symbols`` reads letters in circles and squares as letters; otherwise they are emoji.
    """
    words = _plain(text, _letter_or_symbol if symbols else _letter)
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return ["".join(words)]  # S T O P, S.T.O.P.
    return words


def _plain(text: str, fold: Callable[[str], str]) -> list[str]:
    words = _DRAWN_OUT.sub(r"\1", "".join(map(fold, text)).casefold()).split()
    while len(words) > 1 and words[0] in _POLITE:
        del words[0]
    return words


@lru_cache(maxsize=4_096)
def _letter(character: str) -> str:
    """A letter without its accents or width, nothing for a mark or apostrophe, else a blank."""
    kind = unicodedata.category(character)
    if character in _APOSTROPHES or kind[0] == "M" or kind == "Cf":
        return ""
    if kind[0] not in "LN" or character == "ℹ":  # which is a letter and an emoji
        return " "
    folded = unicodedata.normalize("NFKD", character)
    return "".join(part for part in folded if unicodedata.category(part)[0] in "LN") or " "


def _letter_or_symbol(character: str) -> str:
    folded = unicodedata.normalize("NFKD", character)
    return folded if len(folded) == 1 and folded.isalpha() else _letter(character)


def _letter_or_digit(character: str) -> str:
    """As ``_letter``, and a digit of any script, circled or not, as 0 to 9; a half is no 12."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    is_part = "⁄" in unicodedata.normalize("NFKD", character)
    return " " if is_part else _letter(character)


def _negated(said: str) -> str:
    pairs = (f"{negation} {word}" for negation in NEGATIONS for word in NEGATED)
    return _spoken(said, pairs)


def _spoken(said: str, phrases: Iterable[str]) -> str:
    """The first of the phrases that occurs in whole words, or ""."""
    framed = f" {said} "
    return next((phrase for phrase in phrases if f" {phrase} " in framed), "")
