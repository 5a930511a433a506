"""HubSpot's OpenAPI description, rebuilt from what its own Python client was generated into.

Paths, verbs, bodies and answers of an operation are read out of the client's method; a body is
taken only if the model's class takes it, and an answer leaves only if its class does.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import hubspot.crm.associations.v4 as associations
import hubspot.crm.associations.v4.schema as labels
import hubspot.crm.objects as objects
import hubspot.crm.pipelines as pipelines
import hubspot.crm.properties as properties

NATIVE = {"str": str, "int": int, "long": int, "bool": bool, "float": float, "object": object}
DOCUMENTED = {("PublicObjectSearchRequest", "sorts"): "object"}
"""Where HubSpot's guide and its description differ, the guide: a sort is an object."""


class Invalid(ValueError):
    """What was sent is none of the model; the message says where."""


@dataclass(frozen=True)
class Operation:
    """One call of the API."""

    name: str  #: ``batch_api.create``
    package: Any
    verb: str
    path: re.Pattern[str]
    body: str  #: the model of what is sent; "" for nothing
    query: frozenset[str]
    answers: Mapping[int, str]  #: status → the model of what is answered

    def accept(self, data: Any) -> None:
        """Raise ``Invalid`` unless the body is what the model says."""
        if self.body:
            model(self.package, self.body, data, self.body)
        elif data:
            raise Invalid("no body belongs here")

    def answer(self, status: int, data: Any) -> Any:
        """What is answered, through the model; a server that answers otherwise is at fault."""
        made = model(self.package, self.answers[status], data, self.answers[status])
        return _client(self.package).sanitize_for_serialization(made)


@cache
def _client(package: Any) -> Any:
    return package.ApiClient()


@cache
def operation(package: Any, api: str, method: str) -> Operation:
    """An operation as a method of the client describes it."""
    source = inspect.getsource(getattr(getattr(package, api), f"{method}_with_http_info"))
    path, verb = _one(r'call_api\(\s+"([^"]+)",\s+"([A-Z]+)"', source)
    sent = re.search(r'body_params = local_var_params\["(\w+)"\]', source)
    body = _one(rf":type {sent[1]}: (\w+)", source)[0] if sent else ""
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return Operation(
        f"{api}.{method}",
        package,
        verb,
        re.compile(pattern),
        body,
        frozenset(re.findall(r'query_params\.append\(\("(\w+)"', source))
        | frozenset(re.findall(r'query_params\.extend\(\[\("(\w+)"', source)),
        {int(status): name for status, name in re.findall(r'(\d{3}): "([^"]+)"', source)},
    )


def _one(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found, pattern
    return found.groups()


OPERATIONS = (
    operation(objects, "BatchApi", "create"),
    operation(objects, "BatchApi", "read"),
    operation(objects, "BatchApi", "update"),
    operation(objects, "SearchApi", "do_search"),
    operation(objects, "BasicApi", "get_page"),
    operation(associations, "BatchApi", "get_page"),
    operation(labels, "DefinitionsApi", "get_all"),
    operation(properties, "CoreApi", "get_all"),
    operation(pipelines, "PipelinesApi", "get_all"),
)


def model(package: Any, kind: str, data: Any, at: str) -> Any:
    """Data as a model's class; raises ``Invalid`` where that does not take it."""
    if kind.startswith("list["):
        if not isinstance(data, list):
            raise Invalid(f"{at} is no list")
        return [model(package, kind[5:-1], each, f"{at}[{n}]") for n, each in enumerate(data)]
    if kind.startswith("dict["):
        if not isinstance(data, dict):
            raise Invalid(f"{at} is no object")
        inner = kind[5:-1].partition(", ")[2]
        return {
            key: each and model(package, inner, each, f"{at}.{key}") for key, each in data.items()
        }
    if kind == "datetime":
        return _instant(data, at)
    if kind in NATIVE:
        wanted = NATIVE[kind]
        if not isinstance(data, wanted) or (wanted is int and isinstance(data, bool)):
            raise Invalid(f"{at} is {data!r:.40} and no {kind}")
        return data
    return _object(package, kind, data, at)


def _object(package: Any, kind: str, data: Any, at: str) -> Any:
    made = getattr(package.models, kind) if hasattr(package, "models") else getattr(package, kind)
    if not isinstance(data, dict):
        raise Invalid(f"{at} is no {kind}")
    names = {name: attribute for attribute, name in made.attribute_map.items()}
    if unknown := set(data) - set(names):
        raise Invalid(f"{at} has unknown fields: {', '.join(sorted(unknown))}")
    values = {}
    for name, each in data.items():
        inner = made.openapi_types[names[name]]
        if (kind, name) in DOCUMENTED:
            inner = f"list[{DOCUMENTED[kind, name]}]"
        if each is not None:
            values[names[name]] = model(package, inner, each, f"{at}.{name}")
    try:
        return made(**values)
    except ValueError as error:
        raise Invalid(f"{at}: {error}") from None


def _instant(data: Any, at: str) -> str:
    try:
        datetime.fromisoformat(data)
    except (TypeError, ValueError):
        raise Invalid(f"{at} is {data!r:.40} and no instant") from None
    return str(data)
