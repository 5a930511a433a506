"""What a reply means: the person wants out, in, help, is another person, or said something else.

In doubt the answer is ``hold``: marketing to the number waits until somebody has read the reply.
``languages`` holds what people say, as data; ``phrases`` how it is written down and found,
``letters`` how a reply is made plain before, ``typos`` how slips of the thumb are undone,
``likeness`` what is left unexplained and still sounds like a wish to be out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from connector.model import Label
from connector.rules.replies.languages import LANGUAGES
from connector.rules.replies.languages.common import (
    ALONE,
    COURTEOUS,
    COURTESIES,
    FILLERS,
    NAMES,
    NO_NAMES,
    ORDINARY,
    SIGNS,
    SLIPPED,
)
from connector.rules.replies.letters import POLITE as _POLITE
from connector.rules.replies.letters import (
    elided,
    joined,
    letter_or_digit,
    plain,
    undisguised,
    words,
)
from connector.rules.replies.likeness import LIKE, likeness
from connector.rules.replies.phrases import MASK, Phrases, lines, vocabulary
from connector.rules.replies.typos import Slips

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
HELPS: Final = frozenset(
    {
        *("help", "info", "aide", "ayuda", "hilfe", "ajuda", "aiuto"),
        *("infos", "information", "informacion", "informations", "informationen"),
        *("informacao", "informacoes", "informazioni", "socorro"),
    }
)
YESES: Final = frozenset({"y", "yes", "si", "oui", "ja", "sim"})

#: These ask for help as the whole reply, and may be asked for by a text.
HELP_ASKED: Final = re.compile(
    r"(?:i |we )?(?:(?:need|want) )?(?:some )?(?:help|assistance)(?: me| us)?"
    r"|(?:can|could) (?:you|u|someone|anyone|somebody) (?:please |pls )?help(?: me| us)?"
    r"|(?:more|need|get|i need) (?:more )?info(?:rmation)?|help info"
    r"|(?:necesito|quiero|pido) (?:mas )?(?:ayuda|informacion|info)|mas (?:info|informacion)"
    r"|(?:ayudame|ayudenme|ayudeme|me (?:pueden|puede|puedes) ayudar)"
    r"|(?:jai|ai) besoin d ?aide|besoin d ?aide|(?:aidez|aide) moi"
    r"|(?:pouvez vous|peux tu) m ?aider|plus d ?(?:infos?|informations?)"
    r"|(?:ich )?(?:brauche|benotige) (?:bitte )?(?:hilfe|infos?)"
    r"|(?:mehr|weitere) (?:infos?|informationen)"
    r"|(?:konnen sie|konnt ihr|kannst du) mir (?:bitte )?helfen|helft mir|hilf mir|helfen sie mir"
    r"|(?:eu )?(?:preciso|quero)(?: de)? (?:mais )?(?:ajuda|informacoes|info)"
    r"|mais (?:info|informacoes|informacao)|me ajud[ae]m?|(?:pode|podem) me ajudar|socorro ajuda"
    r"|(?:ho bisogno di|mi serve|serve) aiuto|aiutatemi|aiutami|mi (?:puo|potete|puoi) aiutare"
    r"|(?:maggiori|piu) info(?:rmazioni)?"
)
MAX_LED: Final = 5  #: words of a reply that a stop word leads
MAX_SHORT: Final = 3  #: words of a reply in which a stop word is known in spite of a slip
MAX_MENDED: Final = 40  #: words of a reply whose slips are mended
MIN_MENDED: Final = 6  #: letters of a word that is mended

#: What carriers and providers act on themselves; no text may ask for one of these as an answer.
RESERVED: Final = STOPS | STARTS | HELPS
MAX_ANSWER: Final = 40  #: letters of a word that a text asks for

GRAVE: Final = (Label.opt_out, Label.wrong_person, Label.hold)

_THANKS: Final = _POLITE | {"thanks", "thank", "thx", "you"}
_WRONG: Final = Phrases(lines(LANGUAGES, "wrong"))
_NEGATED: Final = Phrases(lines(LANGUAGES, "negated"))
_MEANT: Final = Phrases(lines(LANGUAGES, "meant"))
_BESIDE: Final = Phrases(lines(LANGUAGES, "beside"))
_ASKING: Final = Phrases(lines(LANGUAGES, "asking"))
_HARMLESS: Final = Phrases(lines(LANGUAGES, "harmless"))
_OUT: Final = Phrases(lines(LANGUAGES, "out"))
_UNCLEAR: Final = Phrases(lines(LANGUAGES, "unclear"))
_KNOWN: Final = vocabulary(LANGUAGES) | HELPS | STOPS | STARTS | COURTESIES | FILLERS
_SHORT_SLIPS: Final = Slips(SLIPPED, ORDINARY)
_LONG_SLIPS: Final = Slips((word for word in _KNOWN if len(word) >= MIN_MENDED), ORDINARY)
_STOP_SLIPS: Final = Slips({"stop", "stopp"}, ORDINARY)
_SENTENCES: Final = re.compile(r"[.!\n]+\s")
_SENTENCE: Final = re.compile(r"[^.!?\n;:]+")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Understood:
    """A reply as it was understood.

    ``why`` is the rule that decided: exact, negation, wrong_person, phrase, lead_word, typo (a
    stop word or phrase with a slip), stop_word (one that is about something else), unclear (a
    refusal, a question who we are, anger), sign (an emoji of refusal alone), likeness (no phrase
    explains it, and it is like the replies of people who want out), pending, provider or nothing;
    ``keyword`` is the words it rests on.
    """

    label: Label
    why: str
    keyword: str = ""


NOTHING: Final = Understood(Label.none, "nothing")


def classify(text: str, *, pending: bool = False, opt_out_type: str = "") -> Understood:
    """What a reply means. ``pending``: a double opt-in is open for the number.

    ``opt_out_type`` is what the provider made of it already (STOP, START, HELP or ""): its STOP
    always stands, its START and HELP only where the words do not say something graver. Reads the
    first 1,600 characters; never raises.
    """
    found = understood(text, pending=pending)
    if opt_out_type == "STOP" and found.label not in (Label.opt_out, Label.wrong_person):
        return Understood(Label.opt_out, "provider", "stop")
    if found.why != "nothing":
        return found
    if opt_out_type == "START" and " ".join(words(text[:MAX_LETTERS])) not in YESES:
        return Understood(Label.opt_in, "provider", "start")
    if opt_out_type == "HELP":
        return Understood(Label.help, "provider", "help")
    return Understood(Label.hold, "likeness") if likeness(text) >= LIKE else found


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
    found = plain(text[:MAX_LETTERS], letter_or_digit)
    while len(found) > 1 and found[-1] in _THANKS:
        del found[-1]
    return " ".join(found)


def understood(text: str, *, pending: bool = False) -> Understood:
    """What the phrases make of a reply: as it stands, or else as it may be disguised."""
    said = text[:MAX_LETTERS]
    found = words(said)
    as_said = _read(found, _names(said), pending)
    if as_said.label is Label.opt_out and "?" in said and _suspects(as_said.keyword):
        return Understood(Label.hold, "unclear", as_said.keyword)
    if as_said.label in (Label.none, Label.hold) and (stop := _sentence(said)):
        return Understood(Label.opt_out, "lead_word", stop)
    if as_said.why != "nothing":
        return as_said
    if (open_ := undisguised(said)) != said:
        disguised = _read(words(open_), frozenset(), pending=False)
        if disguised.label is Label.opt_out:
            return disguised
    circled = _read(words(said, symbols=True), frozenset(), pending=False)
    if circled.label in GRAVE:
        return circled
    sign = next((character for character in said if character in SIGNS), "")
    return Understood(Label.hold, "sign", sign) if sign and not found else as_said


def _suspects(keyword: str) -> bool:
    """Spam, which is an accusation, or a question."""
    return keyword.split()[-1:] == ["spam"]


def _sentence(said: str) -> str:
    """A sentence that is a stop word and nothing else: Stop. I have bought one elsewhere."""
    parts = _SENTENCES.split(said)
    whole = ("".join(f"{word} " for word in _core(words(part))).strip() for part in parts)
    return next((stop for stop in whole if stop in STOPS - ALONE), "") if len(parts) > 1 else ""


def _read(found: list[str], names: frozenset[str], pending: bool) -> Understood:
    """The rules in their order: the whole reply, another person, a wish to be out, doubts."""
    whole = " ".join(found)
    if whole in STOPS:
        return Understood(Label.opt_out, "exact", whole)
    if len(found) <= MAX_SHORT and (closed := "".join(found)) in STOPS and len(closed) > MAX_SHORT:
        return Understood(Label.opt_out, "exact", closed)  # un subscribe
    core = _core(joined(_unglued(found), STOPS))
    said = elided("".join(f"{'@' if word in names else word} " for word in core))
    return (
        _wrong(said)
        or _lead(core)
        or _out(said)
        or _slip(core, names)
        or _doubt(said)
        or _asked(whole, " ".join(core), pending)
    )


def _wrong(said: str) -> Understood | None:
    found = _WRONG.find(said)
    return Understood(Label.wrong_person, "wrong_person", found[0].strip()) if found else None


def _lead(core: list[str]) -> Understood | None:
    """A stop word and nothing that changes what it says."""
    leads = bool(core) and core[0] in STOPS and len(core) <= MAX_LED
    if leads and (FILLERS | STOPS).issuperset(core):
        return Understood(Label.opt_out, "lead_word", core[0])
    return None


def _out(said: str) -> Understood | None:
    """A wish to be out, apart from words that only look like one."""
    meant = _MEANT.find(said)
    if meant:
        return Understood(Label.opt_out, "phrase", meant[0].strip())
    rest, negated = _masked(said, _NEGATED)
    rest, beside = _masked(rest, _BESIDE)
    rest, asking = _masked(rest, _ASKING)
    rest, _ = _masked(rest, _HARMLESS)
    found = _OUT.find(rest)
    if found:
        return Understood(Label.opt_out, "phrase", found[0].strip())
    if negated:
        return Understood(Label.hold, "negation", negated)
    if beside:
        return Understood(Label.hold, "stop_word", beside)
    return Understood(Label.hold, "unclear", asking) if asking else None


def _slip(core: list[str], names: frozenset[str]) -> Understood | None:
    """A stop word or a wish to be out with a slip of the thumb in a word or more."""
    rest = [word for word in core if word not in FILLERS] or core[:1]
    if len(rest) == 1 and len(core) <= MAX_SHORT and (meant := _SHORT_SLIPS.meant(rest[0])):
        return Understood(Label.opt_out, "typo", meant)
    if len(core) > MAX_MENDED:
        return None
    mended = [word if word in names else _mended(word) for word in core]
    if mended == core:
        return None
    found = _out(elided("".join(f"{word} " for word in mended)))
    if found and found.label is Label.opt_out:
        return Understood(Label.opt_out, "typo", found.keyword)
    return None


def _doubt(said: str) -> Understood | None:
    """What a person had better read."""
    inner = STOPS - ALONE
    said, _ = _masked(said, _HARMLESS)
    if stop := next((word for word in said.split() if word in inner), ""):
        return Understood(Label.hold, "stop_word", stop)
    found = _UNCLEAR.find(said)
    return Understood(Label.hold, "unclear", found[0].strip()) if found else None


def _asked(whole: str, said: str, pending: bool) -> Understood:
    if whole in STARTS:
        return Understood(Label.opt_in, "exact", whole)
    if said in HELPS or HELP_ASKED.fullmatch(said):
        return Understood(Label.help, "exact", said)
    if pending and whole in YESES:
        return Understood(Label.opt_in, "pending", whole)
    return NOTHING


def _core(found: list[str]) -> list[str]:
    """The words without greetings, please and thanks at their ends, unless nothing were left."""
    begin, end = 0, len(found)
    while begin < end and (length := _courtesy(found[begin], found[begin : begin + 2])):
        begin += length
    while end > begin and (length := _courtesy(found[end - 1], found[max(end - 2, 0) : end])):
        end -= length
    return found[begin:end] or found


def _courtesy(word: str, pair: list[str]) -> int:
    """How many words the courtesy has that stands here; 0 for none."""
    return 2 if tuple(pair) in COURTEOUS else int(word in COURTESIES)


def _unglued(found: list[str]) -> list[str]:
    """Stopit and stoptexting in two words."""
    apart: list[str] = []
    for word in found:
        tail = word.removeprefix("stop")
        glued = tail != word and (tail in FILLERS or tail in {"texting", "messaging", "me", "that"})
        apart += ["stop", tail] if glued else [word]
    return apart


def _masked(said: str, phrases: Phrases) -> tuple[str, str]:
    """The reply with a mask where one of the phrases stood, and the first of them or ""."""
    first = ""
    rest: list[str] = []
    at = 0
    for found in phrases.each(said):
        first = first or found[0].strip()
        rest += [said[at : found.start()], f"{MASK} "]
        at = found.end()
    return "".join([*rest, said[at:]]), first


def _mended(word: str) -> str:
    """The known word that was meant, where one slip lies between; else the word."""
    if word in _KNOWN or word in COURTESIES:
        return word
    if len(word) < MIN_MENDED:
        return _STOP_SLIPS.meant(word) or word
    return _LONG_SLIPS.meant(word) or word


def _names(said: str) -> frozenset[str]:
    """The words of a reply that are names: common ones, and capitals within a sentence.

    Where most words bear a capital, it says nothing.
    """
    found = _WORD.findall(said)
    capital = [word for word in found if word[0].isupper() and word[1:].islower()]
    inner: set[str] = set()
    if 2 * len(capital) <= len(found) + 1:
        for sentence in _SENTENCE.findall(said):
            inner.update(_WORD.findall(sentence)[1:])
    named = {word for word in capital if word in inner}
    plainly = {"".join(words(word)) for word in named}
    known = {word for word in words(said) if word in NAMES or word.removesuffix("s") in NAMES}
    return frozenset(known | {word for word in plainly if word not in _KNOWN | NO_NAMES})
