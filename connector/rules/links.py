"""What a phone would make a link of, and strings of strangers made safe to stand in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from connector.errors import ExpressionFailed
from connector.model import Json

MAX_STRING: Final = 200  #: characters of a string from an untrusted source
MAX_LINK: Final = 1_000
NOT_ALLOWED: Final = "link_not_allowed"  #: the code of a link that no text may have

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")

_BETWEEN = str.maketrans(dict.fromkeys("<>\"'(),;|", " "))
_EDGES = ".:!?*[]{}…“”‘’«»"


def links(text: str) -> list[str]:
    """The pieces of a text that a phone would show as links, with or without ``https://``."""
    return [piece for piece in _pieces(text) if host(piece) and not _is_address(piece)]


def host(piece: str) -> str:
    """The host a piece would lead to, in small letters; "" where it is no link."""
    _, scheme, rest = piece.lower().replace("\\", "/").partition("://")
    if not scheme:
        return next(iter(_domains(piece)), "").lower()
    for end in "/?#":
        rest = rest.partition(end)[0]
    return rest.rpartition("@")[2].partition(":")[0].strip(_EDGES)


def is_on(name: str, hosts: Iterable[str]) -> bool:
    """Whether a host is one of ``hosts`` or below one of them."""
    return any(name == known.lower() or name.endswith(f".{known.lower()}") for known in hosts)


def leading(url: Json, hosts: Iterable[str], *, trusted: bool) -> str:
    """The address that a short link may lead to: one plain http(s) link, on one of ``hosts``.

    ``trusted``: the facts it was made of came from a trusted source, so that any host will do.
    Raises ``ExpressionFailed``; the text is then not sent.
    """
    found = safe_link(url) if isinstance(url, str) else ""
    name = _host_name(found) if found else ""
    if not name:
        raise ExpressionFailed(
            "link() takes one whole address such as https://shop.example/cart, of plain letters",
            NOT_ALLOWED,
        )
    if not (trusted or is_on(name, hosts)):
        raise ExpressionFailed(f"link() leads to {name}, which is not in link_hosts", NOT_ALLOWED)
    return found


def _host_name(link: str) -> str:
    """The host a browser would go to; "" where browsers might disagree about it."""
    try:
        parts = urlsplit(link)
        name = (parts.hostname or "").rstrip(".")
        return name if _HOST_NAME.fullmatch(name) and parts.port != 0 else ""
    except ValueError:
        return ""


def untrusted(name: str, value: Json) -> Json:
    """A value from a stranger made safe: bounded, without links and control characters.

    What is called ``…_url`` or ``…link`` stays only as an http(s) link ("" otherwise).
    """
    if isinstance(value, str):
        return safe_link(value) if _names_link(name) else cleaned(value)
    if isinstance(value, list):
        return [untrusted(name, each) for each in value]
    if isinstance(value, dict):
        return {cleaned(str(key)): untrusted(str(key), each) for key, each in value.items()}
    return value


def cleaned(text: str, limit: int = MAX_STRING) -> str:
    """The text in one line without links and control characters, cut at ``limit``."""
    if text.isascii() and text.isprintable() and "." not in text and ":" not in text:
        return text[:limit].strip()
    plain = _plain(text)
    seen = plain if plain.isprintable() else "".join(map(_seen, plain))
    words = seen[:limit].split()  # cut first: half a word may be a link where the whole is none
    return " ".join(word for word in words if not any(map(host, _pieces(word))))


def safe_link(text: str, limit: int = MAX_LINK) -> str:
    """The text if it is one plain http(s) link, else ""."""
    link = text.strip()
    if len(link) > limit or not link.isascii() or not link.isprintable() or " " in link:
        return ""
    try:
        parts = urlsplit(link)
        known = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    except ValueError:
        return ""
    return link if known and "\\" not in link else ""


def _pieces(text: str) -> list[str]:
    pieces = []
    for piece in _plain(text).translate(_BETWEEN).split():
        apart = [] if "://" in piece or _is_address(piece) else _domains(piece)
        pieces += apart if len(apart) > 1 else [piece.strip(_EDGES)]
    return [piece for piece in pieces if "." in piece or ":" in piece]


def _domains(piece: str) -> list[str]:
    """The domains a phone would find, whatever signs stand between them, up to a path."""
    start = re.split(r"[/?#]", piece.replace("\\", "/").lstrip("/"), maxsplit=1)[0]
    parts = (part.strip("._-") for part in re.split(r"[^\w.-]+", start))
    return [part for part in parts if _is_domain(part)]


def _plain(text: str) -> str:
    """The text with all disguises of letters and full stops (such as ．) taken off."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).replace("\u3002", ".")


def _is_address(piece: str) -> bool:
    """Whether it is an e-mail address and nothing more."""
    return "@" in piece and not any(sign in piece for sign in "/?#\\")


def _is_domain(name: str) -> bool:
    labels = name.split(".")
    top = labels[-1]
    if len(labels) == 4 and all(label.isdecimal() and len(label) < 4 for label in labels):
        return True
    known = top.isalpha() or top.startswith("xn--")
    return len(labels) > 1 and len(top) > 1 and known and all(map(_is_label, labels))


def _is_label(label: str) -> bool:
    return bool(label) and label.replace("-", "").replace("_", "").isalnum()


def _names_link(name: str) -> bool:
    return name == "url" or name.endswith(("_url", "link"))


def _seen(sign: str) -> str:
    if sign.isspace():
        return " "
    return "" if unicodedata.category(sign).startswith("C") else sign
