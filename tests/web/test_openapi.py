"""The interface document is whole, and a fuzzer finds no answer that it does not tell of."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient

from connector.web.app import create_app
from connector.web.openapi import document
from connector.web.receive import PATHS


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = document()["paths"]
    return [(path, method, paths[path][method]) for path in paths for method in paths[path]]


def test_it_tells_of_every_address_the_application_has(rt: Any) -> None:
    rules = create_app(rt).url_map.iter_rules()
    has = {str(rule).replace("<path:", "{").replace("<", "{").replace(">", "}") for rule in rules}
    assert has | set(PATHS) == set(document()["paths"])


def test_every_operation_has_a_name_of_its_own_and_says_how_it_is_secured() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    for _, _, operation in operations():
        assert operation["summary"] and "security" in operation


def test_every_answer_but_an_empty_one_has_a_schema() -> None:
    for _, _, operation in operations():
        for status, response in operation["responses"].items():
            assert response["description"]
            contents = response.get("content", {})
            assert contents or status in ("204", "304")
            assert all("schema" in content for content in contents.values())


def test_it_is_served_with_the_public_address(client: FlaskClient) -> None:
    served = json.loads(client.get("/openapi.json").data)
    assert served["openapi"].startswith("3.1")
    assert served["servers"] == [{"url": "https://sms.example.org"}]
