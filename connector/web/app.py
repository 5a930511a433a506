"""The Flask application: every door, and what all answers have in common."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.middleware.proxy_fix import ProxyFix

from connector.errors import ConnectorError
from connector.web import (
    api,
    browser,
    forms,
    inbound,
    links,
    operations,
    posthog,
    providers,
    tracker,
)
from connector.web.answers import Answer, problem, refusal
from connector.web.cors import Cors
from connector.web.receive import PATHS, Tracking
from connector.web.wiring import WebRuntime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TRACKED: Final = frozenset(PATHS)
NOTHING_HERE: Final = problem(404, "not_found", "nothing is here; /openapi.json tells what is")

log = logging.getLogger(__name__)


class Application(Flask):
    """Flask, with the tracking paths answered before its routing."""

    tracking: Tracking

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") in TRACKED:
            return self.tracking(environ, start_response)
        return super().wsgi_app(environ, start_response)


def create_app(rt: WebRuntime) -> Application:
    """The web application over an open runtime."""
    app = Application("connector", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    cors = Cors(rt.settings.web.cors_origins)
    refused: Counter[int] = Counter()
    app.tracking = Tracking(rt, cors, refused)
    app.register_blueprint(browser.blueprint(rt, cors))
    app.register_blueprint(tracker.blueprint())
    app.register_blueprint(posthog.blueprint(rt, cors))
    app.register_blueprint(forms.blueprint(rt))
    app.register_blueprint(inbound.blueprint(rt))
    app.register_blueprint(providers.blueprint(rt))
    app.register_blueprint(links.blueprint(rt))
    app.register_blueprint(api.blueprint(rt))
    app.register_blueprint(operations.blueprint(rt, refused))
    app.before_request(partial(_absent, rt))
    app.register_error_handler(ConnectorError, refusal)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _broken)
    app.after_request(partial(_note, refused))
    hops = rt.settings.web.trusted_proxies
    if hops > 0:
        proxied = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=hops)
        app.wsgi_app = proxied  # type: ignore[method-assign]
    return app


def _absent(rt: WebRuntime) -> Answer | None:
    """Where no key is configured nothing of the API is there, whatever is asked of it."""
    if request.path.startswith(api.PREFIX) and not rt.api_keys:
        return NOTHING_HERE
    return None


def _note(refused: Counter[int], response: Response) -> Response:
    if response.status_code >= 400:
        refused[response.status_code] += 1
    log.debug("act=answer path=%s result=%d", _loggable(request.path), response.status_code)
    return response


def _loggable(path: str) -> str:
    """The path without what lets somebody in: a link's code, a CRM's secret."""
    if path.startswith(links.PREFIX):
        return links.PREFIX
    if path.startswith(inbound.PREFIX):
        return quote("/".join(path.split("/")[:3]))
    return quote(path)


def _http_problem(error: HTTPException) -> Answer:
    status = error.code or 500
    code = re.sub(r"[^a-z]+", "_", error.name.lower())
    if status == 404:
        return NOTHING_HERE
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return problem(status, code, f"this address takes {allowed}", (("Allow", allowed),))
    return problem(status, code, error.description or error.name)


def _broken(error: Exception) -> Answer:
    log.exception("act=answer result=500", exc_info=error)
    return refusal(ConnectorError(str(error)))
