"""A fuzzer that reads the interface document finds no answer that it does not tell of."""

from __future__ import annotations

import base64
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.schemas import BaseSchema

from connector.web.app import create_app
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
