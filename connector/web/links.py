"""``GET /l/<code>``: a short link of a text leads on to the address it was made for.

Nothing is written to the ledger here: that somebody came by goes into the inbox, and what is
kept of them is what tells a person from a program. No answer names a code, and no log does.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import orjson
from flask import Blueprint, request

from connector.errors import Overloaded, StorageRefused
from connector.ledger.inbox import Delivery
from connector.web.answers import Answer, answer
from connector.web.pages import page, spoken
from connector.web.wiring import WebRuntime

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PREFIX: Final = "/l/"
LINKS: Final = "links"  #: the source under which these deliveries count
CLICK: Final = "click"
PURPOSES: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
MAX_AGENT: Final = 300
MAX_HEADER: Final = 200

PLAIN: Final = "text/plain; charset=utf-8"
LEADS_ON: Final = b"This link leads on to another page.\n"
UNSEEN: Final = (("X-Robots-Tag", "noindex, nofollow"),)

#: by language: the title, and what to do
LOST: Final = {
    "en": (
        "This link leads nowhere",
        "It may be cut short or no longer kept. Open it from the text message again, or ask "
        "whoever sent it to you.",
    ),
    "de": (
        "Dieser Link führt nirgendwohin",
        "Vielleicht ist er abgeschnitten oder wird nicht mehr aufbewahrt. Öffnen Sie ihn noch "
        "einmal aus der SMS, oder fragen Sie, wer sie Ihnen geschickt hat.",
    ),
    "es": (
        "Este enlace no lleva a ninguna parte",
        "Puede que esté incompleto o que ya no se conserve. Ábralo de nuevo desde el mensaje, o "
        "pregunte a quien se lo envió.",
    ),
    "fr": (
        "Ce lien ne mène nulle part",
        "Il est peut-être incomplet ou n'est plus conservé. Ouvrez-le de nouveau depuis le "
        "message, ou demandez à la personne qui vous l'a envoyé.",
    ),
    "it": (
        "Questo link non porta da nessuna parte",
        "Forse è incompleto o non viene più conservato. Aprilo di nuovo dal messaggio, o chiedi "
        "a chi te l'ha inviato.",
    ),
    "pt": (
        "Este link não leva a lado nenhum",
        "Pode estar incompleto ou já não ser guardado. Abra-o de novo a partir da mensagem, ou "
        "pergunte a quem o enviou.",
    ),
}

_CODE: Final = re.compile(r"[A-Za-z0-9]{8,32}")

log = logging.getLogger(__name__)


def blueprint(rt: WebRuntime) -> Blueprint:
    """The door for short links."""
    door = Blueprint("links", __name__)

    @door.get("/l/<code>")
    def lead(code: str) -> Answer:
        url = rt.leads_to(code) if _CODE.fullmatch(code) else ""
        if not url:
            return _lost(rt.settings.language)
        _tell(rt, code, request.environ)
        return answer(302, LEADS_ON, PLAIN, (("Location", url), *UNSEEN))

    return door


def _lost(language: str) -> Answer:
    title, says = LOST.get(language.partition("-")[0], LOST["en"])
    return page(404, spoken(language, LOST), title, [says], headers=UNSEEN)


def _tell(rt: WebRuntime, code: str, environ: WSGIEnvironment) -> None:
    """Put the fetch into the inbox; where that is full the person goes on all the same."""
    body = orjson.dumps(
        {
            "code": code,
            "method": environ["REQUEST_METHOD"],
            "agent": _text(environ.get("HTTP_USER_AGENT", ""), MAX_AGENT),
            "accept": _header(environ, "HTTP_ACCEPT"),
            "purpose": "; ".join(filter(None, (_header(environ, name) for name in PURPOSES))),
            "network": network(environ.get("REMOTE_ADDR") or ""),
        }
    )
    try:
        with suppress(Overloaded, StorageRefused):
            rt.inbox.append(Delivery(CLICK, LINKS, rt.clock(), body))
    except Exception as error:  # a door: whoever tapped must get on
        log.error("act=click result=not_kept error=%s", type(error).__name__)


def network(address: str) -> str:
    """The network of an address, which names no single household: /24, or /48 of IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def _header(environ: WSGIEnvironment, name: str) -> str | None:
    value = environ.get(name)
    return None if value is None else _text(value, MAX_HEADER)


def _text(value: str, limit: int) -> str:
    """A header cut short, as text that JSON can bear and a person can read."""
    return "".join(sign for sign in value[:limit] if sign.isprintable())
