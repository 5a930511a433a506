"""What HubSpot does when it is called: each operation of its API on an account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from tests.crms.hubspot_models import OPERATIONS, Invalid
from tests.crms.hubspot_state import OPTIONS, READ_ONLY, TYPES, Account

TOKEN = "pat-na1-secret"
Reply = tuple[int, Any]
TIMES = {"startedAt": "2026-11-20T12:00:00Z", "completedAt": "2026-11-20T12:00:01Z"}


class Problem(Exception):
    """A refusal of the whole call."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        self.status = status
        self.body = {
            "status": "error",
            "message": message,
            "correlationId": "c0ffee",
            "category": category,
            **more,
        }


class Api(Account):
    """An account that is called."""

    def __init__(self) -> None:
        super().__init__()
        self.poison: set[str] = set()  #: words that make an input be refused (207)
        self.names_culprits = True  #: else the whole batch is refused, without saying for whom
        self.is_one_way = False  #: lifecycle stages that go back are refused
        self.traces = True  #: answers bear trace ids
        self.zone = "America/New_York"

    def reply(self, verb: str, target: str, token: str, data: bytes) -> Reply:
        try:
            if token != f"Bearer {TOKEN}":
                raise Problem(401, "INVALID_AUTHENTICATION", "The token is not valid")
            return self._called(verb, target, data)
        except Problem as problem:
            return problem.status, problem.body
        except Invalid as error:
            body = Problem(400, "VALIDATION_ERROR", f"Invalid input JSON: {error}").body
            return 400, body

    def _called(self, verb: str, target: str, data: bytes) -> Reply:
        parts = urlsplit(target)
        if parts.path == "/account-info/2026-03/details":
            return 200, {"portalId": 33, "timeZone": self.zone}
        for one in OPERATIONS:
            found = one.path.fullmatch(unquote(parts.path))
            if found and one.verb == verb:
                query = parse_qs(parts.query)
                if unknown := set(query) - one.query:
                    raise Problem(400, "VALIDATION_ERROR", f"unknown query: {unknown}")
                body = orjson.loads(data) if data else None
                one.accept(body)
                act: Callable[..., Reply] = getattr(self, f"_{one.name.replace('.', '_')}")
                status, answer = act(*found.groupdict().values(), body or query)
                return status, one.answer(status, answer)
        raise Problem(404, "NOT_FOUND", f"there is no {verb} {parts.path}")

    def _BatchApi_create(self, plural: str, asked: Any) -> Reply:
        return self._batch(plural, asked["inputs"], 201, self._made)

    def _BatchApi_update(self, plural: str, asked: Any) -> Reply:
        ids = [each["id"] for each in asked["inputs"]]
        if len(set(ids)) < len(ids):
            raise Problem(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
        return self._batch(plural, asked["inputs"], 200, self._updated)

    def _batch(self, plural: str, inputs: list[Any], status: int, act: Any) -> Reply:
        if len(inputs) > 100:
            raise Problem(400, "VALIDATION_ERROR", "more than 100 inputs")
        wrong = [fault for each in inputs for fault in self.faults(plural, each["properties"])]
        if wrong:
            said = orjson.dumps(wrong).decode()
            raise Problem(400, "VALIDATION_ERROR", f"Property values were not valid: {said}")
        bad = [each for each in inputs if self._is_poisoned(each)]
        if bad and not self.names_culprits:
            raise Problem(400, "VALIDATION_ERROR", "one of the inputs is not to our taste")
        results, errors = [], [_error(each, "VALIDATION_ERROR", "poison") for each in bad]
        for each in inputs:
            if each in bad:
                continue
            id = act(plural, each)
            if id is None:
                errors.append(_error(each, "OBJECT_NOT_FOUND", "no such object"))
                continue
            shown = self.shown(plural, id, list(each["properties"]))
            trace = {"objectWriteTraceId": each["objectWriteTraceId"]} if self.traces else {}
            results.append(shown | trace)
        return _batch_answer(results, errors, status)

    def _is_poisoned(self, each: Any) -> bool:
        return any(word in value for word in self.poison for value in each["properties"].values())

    def _made(self, plural: str, each: Any) -> str | None:
        ties = []
        for tie in each["associations"]:
            kind = tie["types"][0]["associationTypeId"]
            other = next((o for (p, o), k in TYPES.items() if (p, k) == (plural, kind)), "")
            found = self.find(other, tie["to"]["id"]) if other else None
            if found is None:
                return None
            ties.append((other, found))
        id = self.add(plural, **each["properties"])
        for other, found in ties:
            self.tie(plural, id, other, found)
        return id

    def _updated(self, plural: str, each: Any) -> str | None:
        id = self.find(plural, each["id"])
        stage = each["properties"].get("lifecyclestage")
        if id is not None and stage and self.is_one_way:
            before = self.records[plural][id]["properties"].get("lifecyclestage")
            order = OPTIONS["lifecyclestage"]
            if before and order.index(stage) < order.index(before):
                said = [{"name": "lifecyclestage", "error": "BACKWARDS", "message": "not back"}]
                message = f"Property values were not valid: {orjson.dumps(said).decode()}"
                raise Problem(400, "VALIDATION_ERROR", message)
        if id is not None:
            self.set(plural, id, **each["properties"])
        return id

    def _BatchApi_read(self, plural: str, asked: Any) -> Reply:
        history = asked.get("propertiesWithHistory") or []
        if len(asked["inputs"]) > (50 if history else 100):
            raise Problem(400, "VALIDATION_ERROR", "too many inputs")
        results, errors = [], []
        for each in asked["inputs"]:
            id = self._sought(plural, each["id"], asked.get("idProperty"))
            if id is None:
                errors.append(_error({"id": each["id"]}, "OBJECT_NOT_FOUND", "not found"))
            else:
                results.append(self.shown(plural, id, asked["properties"], history))
        return _batch_answer(results, errors, 200)

    def _sought(self, plural: str, id: str, by: str | None) -> str | None:
        if not by:
            return self.find(plural, id)
        for each, record in self.records[plural].items():
            held = record["properties"]
            others = (held.get("hs_additional_emails") or "").split(";")
            if id in (held.get(by), *others):
                return each
        return None

    def _SearchApi_do_search(self, plural: str, asked: Any) -> Reply:
        filters = [each for group in asked["filterGroups"] for each in group["filters"]]
        is_much = len(asked["filterGroups"]) > 5 or len(filters) > 18 or asked["limit"] > 200
        if is_much or len(orjson.dumps(asked)) > 3_000:
            raise Problem(400, "VALIDATION_ERROR", "the search is too large")
        hits, start = self.search(plural, asked), int(asked.get("after") or 0)
        end = start + asked["limit"]
        if end > 10_000:
            raise Problem(400, "VALIDATION_ERROR", "paging beyond 10,000")
        names = asked["properties"]
        answer: dict[str, Any] = {"total": len(hits)}
        answer["results"] = [self.shown(plural, id, names) for id in hits[start:end]]
        return 200, answer | _paging(end, len(hits))

    def _BasicApi_get_page(self, plural: str, query: Mapping[str, Any]) -> Reply:
        ids = sorted(self.records[plural], key=int)
        start, limit = int(query.get("after", ["0"])[0]), int(query["limit"][0])
        history = query.get("propertiesWithHistory", [])
        if limit > (50 if history else 100):
            raise Problem(400, "VALIDATION_ERROR", "the page is too large")
        names = [name for each in query.get("properties", []) for name in each.split(",")]
        shown = [self.shown(plural, id, names, history) for id in ids[start : start + limit]]
        return 200, {"results": shown, **_paging(start + limit, len(ids))}

    def _BatchApi_get_page(self, start: str, end: str, asked: Any) -> Reply:
        results = []
        for each in asked["inputs"]:
            ids = self.ties.get((start, self.find(start, each["id"]) or ""), {}).get(end, [])
            at = int(each.get("after") or 0)
            types = [{"category": "HUBSPOT_DEFINED", "typeId": 1}]
            to = [{"toObjectId": id, "associationTypes": types} for id in ids[at : at + 3]]
            if to:
                page = _paging(at + 3, len(ids))
                results.append({"from": {"id": each["id"]}, "to": to, **page})
        return 200, {"status": "COMPLETE", "results": results, **TIMES}

    def _DefinitionsApi_get_all(self, start: str, end: str, _: Any) -> Reply:
        kind = TYPES.get((start, end))
        named = {"category": "USER_DEFINED", "typeId": 9, "label": "other"}
        found = [{"category": "HUBSPOT_DEFINED", "typeId": kind}] if kind else []
        return 200, {"results": [named, *found]}

    def _CoreApi_get_all(self, plural: str, _: Any) -> Reply:
        return 200, {"results": [_property(*each) for each in self.defined[plural].items()]}

    def _PipelinesApi_get_all(self, plural: str, _: Any) -> Reply:
        stages = [
            _common({"id": id, "metadata": {"ticketState": state}})
            for id, state in (("1", "OPEN"), ("4", "CLOSED"))
        ]
        return 200, {"results": [_common({"id": "0", "stages": stages})]}


def _batch_answer(results: list[Any], errors: list[Any], status: int) -> Reply:
    answer = {"status": "COMPLETE", "results": results, **TIMES}
    if not errors:
        return status, answer
    return 207, answer | {"numErrors": len(errors), "errors": errors}


def _error(each: Mapping[str, Any], category: str, message: str) -> dict[str, Any]:
    trace = each.get("objectWriteTraceId")
    context = {"objectWriteTraceId": [trace]} if trace else {"ids": [each["id"]]}
    common = {"status": "error", "category": category, "message": message, "errors": []}
    return common | {"context": context, "links": {}}


def _paging(end: int, total: int) -> dict[str, Any]:
    return {"paging": {"next": {"after": str(end)}}} if end < total else {}


def _common(what: dict[str, Any]) -> dict[str, Any]:
    stamps = {"createdAt": "2020-01-01T00:00:00Z", "updatedAt": "2020-01-01T00:00:00Z"}
    return {"label": "x", "displayOrder": 0, "archived": False, **stamps, **what}


def _property(name: str, kind: str) -> dict[str, Any]:
    options = [
        {"label": value, "value": value, "displayOrder": place, "hidden": False}
        for place, value in enumerate(OPTIONS.get(name, ()))
    ]
    return {
        "name": name,
        "label": name.capitalize(),
        "type": kind,
        "fieldType": "text",
        "description": "",
        "groupName": "g",
        "options": options[::-1],
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyValue": name in READ_ONLY,
        },
    }
