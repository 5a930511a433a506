"""A fuzzer that reads the interface document finds no answer that it does not tell of."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    positive_data_acceptance,
)

from connector.config.loaded import load
from connector.web import openapi_api
from connector.web.app import create_app
from connector.webside import Key, WebSide, open_web
from tests.running import folder
from tests.web.conftest import Runtime

WRITE_KEY = "Basic " + base64.b64encode(b"site-key:").decode()
quick = settings(deadline=None, suppress_health_check=list(HealthCheck))


def interface(examples: int, authorization: str = "", **parameters: str) -> BaseSchema:
    """The interface of an application of stand-ins, as the fuzzer reads it."""
    found = schemathesis.openapi.from_wsgi("/openapi.json", create_app(Runtime()))
    found.config.generation.update(deterministic=True, max_examples=examples, database="none")
    headers = {"Authorization": authorization} if authorization else {}
    found.config.update(headers=headers, parameters=parameters)
    return found


@interface(5).parametrize()
@quick
def test_a_stranger_is_answered_as_told(case: Any) -> None:
    case.call_and_validate()


@interface(8, WRITE_KEY).include(path_regex="^/v1/", method="POST").parametrize()
@quick
def test_a_tracking_client_is_answered_as_told(case: Any) -> None:
    case.call_and_validate()


@interface(15, "Bearer s3cret", source="crm").include(path="/in/{source}").parametrize()
@quick
def test_a_proven_webhook_is_answered_as_told(case: Any) -> None:
    case.call_and_validate()


SCOPES = ("read", "send", "consent", "operate")
ALL = Key("all", b"a-key-of-more-than-24-letters", frozenset(SCOPES))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The interface over a real ledger, with a key that opens all of ``/api``."""
    path = folder(tmp_path_factory.mktemp("fuzz") / "shop", 8080)
    web = open_web(load(path))
    web.api_keys = (ALL,)
    found = schemathesis.openapi.from_wsgi("/openapi.json", create_app(web))
    found.config.generation.update(deterministic=True, max_examples=20, database="none")
    found.config.update(headers={"Authorization": f"Bearer {ALL.secret.decode()}"})
    done = {"result": "reloaded", "version": "v1", "why": ""}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WebSide, "reload", lambda self, who: done)
        yield found
    web.inbox.close()
    web.store.close()


@pytest.mark.parametrize("path", sorted(openapi_api.paths()))
def test_an_operators_program_is_answered_as_told(api: BaseSchema, path: str) -> None:
    @settings(quick, max_examples=20, derandomize=True, database=None)
    @given(case=api[path]["POST"].as_strategy())
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=[ignored_auth, positive_data_acceptance])

    ask()
