"""``POST /forms/<name>``: a form of the operator's own pages, sent by whoever fills it in.

There is no cookie and nobody is signed in, so there is nothing that another site could misuse by
sending a form in somebody's name. Whoever sends is a stranger: what they type is a proposal.
"""

from __future__ import annotations

import logging
from typing import Final

from flask import Blueprint, request

from connector.config.forms import Form
from connector.errors import ConnectorError
from connector.web import formpages
from connector.web.answers import SUCCESS, Answer, answer, problem, refusal, retry_after
from connector.web.formlimits import FormLimits
from connector.web.formread import Faulty, Sent, delivery, is_program, read
from connector.web.wiring import WebRuntime

ELSEWHERE: Final = "this page is not among the origins of [forms] in config.toml"
LEADS_ON: Final = b"Thank you. The page leads on.\n"
PLAIN: Final = "text/plain; charset=utf-8"
UNKNOWN: Final = problem(404, "unknown_form", "no form of this name is configured")
TOO_MANY: Final = "too much was sent from here; come again later"

log = logging.getLogger("connector")


def blueprint(rt: WebRuntime) -> Blueprint:
    """The door for forms."""
    door = Blueprint("forms", __name__)
    limits = FormLimits()

    @door.post("/forms/<form>")
    def submit(form: str) -> Answer:
        found = rt.settings.forms.get(form)
        if found is None:
            return UNKNOWN
        origin = _origin()
        if origin not in found.origins:
            return _told(rt, found, "", 403, "origin_unknown", ELSEWHERE)
        try:
            return _take(rt, found, limits, origin)
        except Faulty as fault:
            return _told(rt, found, origin, fault.status, fault.code, str(fault), fault.field)
        except ConnectorError as error:
            return _refused(rt, found, origin, refusal(error))

    @door.route("/forms/<form>", methods=["OPTIONS"])
    def preflight(form: str) -> Answer:
        found, origin = rt.settings.forms.get(form), _origin()
        if found is None or origin not in found.origins:
            return answer(204, b"", headers=(("Vary", "Origin"),))
        asked = (("Access-Control-Allow-Methods", "POST"), ("Access-Control-Max-Age", "7200"))
        headers = (*_cors(origin), ("Access-Control-Allow-Headers", "content-type"), *asked)
        return answer(204, b"", headers=headers)

    return door


def _take(rt: WebRuntime, form: Form, limits: FormLimits, origin: str) -> Answer:
    """Read it, and put it on disk; a program is answered as a person is, and nothing is kept, nor
    does it use up the places of people."""
    sent = read(form, request.environ, request.mimetype, rt.clock())
    if is_program(form, sent):
        log.info("act=form form=%s result=program", form.name)
        return _thanks(rt, form, origin, sent)
    if wait := limits.take(form, request.remote_addr or ""):
        log.warning("act=form form=%s result=too_many", form.name)
        many = problem(429, "too_many_forms", TOO_MANY, retry_after(wait))
        return _refused(rt, form, origin, many)
    rt.inbox.append(delivery(form, sent, rt.clock()))
    return _thanks(rt, form, origin, sent)


def _thanks(rt: WebRuntime, form: Form, origin: str, sent: Sent) -> Answer:
    if _wants_json():
        return answer(200, SUCCESS.body, headers=_cors(origin))
    if form.redirect:
        return answer(303, LEADS_ON, PLAIN, (("Location", form.redirect),))
    asks = bool(sent.consent and sent.fields.get("phone"))
    return formpages.thanks(rt.settings.language, asks=asks, back=form.page or origin)


def _told(
    rt: WebRuntime, form: Form, origin: str, status: int, code: str, message: str, field: str = ""
) -> Answer:
    """What keeps the form from being taken: for a program, or as a page for a person."""
    if _wants_json():
        return problem(status, code, message, _cors(origin))
    back = form.page or origin
    return formpages.fault(rt.settings.language, status, code, form.fields.get(field, ""), back)


def _refused(rt: WebRuntime, form: Form, origin: str, why: Answer) -> Answer:
    """A refusal that is not about what was typed; when to come again is kept."""
    if _wants_json():
        return Answer(why.status, why.line, why.body, (*why.headers, *_cors(origin)))
    kept = [each for each in why.headers if each[0] == "Retry-After"]
    code = "later" if kept or why.status >= 500 else "other"
    page = formpages.fault(rt.settings.language, why.status, code, "", form.page or origin)
    return Answer(page.status, page.line, page.body, (*page.headers, *kept))


def _origin() -> str:
    """The origin of the page; every browser of today tells it with a form."""
    return str(request.environ.get("HTTP_ORIGIN", "")).rstrip("/")


def _wants_json() -> bool:
    is_json = request.mimetype == "application/json"
    return is_json or request.accept_mimetypes.best == "application/json"


def _cors(origin: str) -> tuple[tuple[str, str], ...]:
    if not origin:
        return (("Vary", "Origin"),)
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", "Retry-After"),
        ("Vary", "Origin"),
    )
