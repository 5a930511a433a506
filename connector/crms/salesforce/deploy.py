"""One deployment of metadata by Salesforce's REST resource, watched until it is done.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm
No test level is named: without Apex in the zip no tests are run, in production neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connector.crms.salesforce import ids
from connector.crms.salesforce.session import Line
from connector.errors import CrmUnavailable

PATH: Final = "metadata/deployRequest"
PATIENCE: Final = 600.0  #: seconds, after which it is left to itself and told so
PAUSES: Final = (1.0, 1.0, 2.0, 3.0, 5.0)  #: seconds between two looks, then always the last
RIGHTS: Final = (
    "to deploy, the user that the connector logs in as needs the permissions Customize Application "
    "and Modify Metadata Through Metadata API Functions; or let an administrator deploy: "
    "`connector crm install --files DIR`, then `sf project deploy start` there"
)
REMEDIES: Final[Mapping[str, str]] = {
    "INSUFFICIENT_ACCESS": RIGHTS,
    "duplicate": "something else has this name: rename it in Setup, or delete it there",
    "Cannot change": "a field of this name is of another type: rename or delete it in Setup",
    "maximum number": "the org has as many custom fields as its edition allows: delete some",
    "reached the max": "the org has as many custom fields as its edition allows: delete some",
    "no CustomObject named": "the org's edition lacks this object; tell us which it is",
    "Unknown user permission": "the org's edition lacks this permission; tell us which it is",
}
"""What a component's failure says (a part of it), and what an administrator does about it."""

Watch = Callable[[str, int, int], None]  #: what, done, all


@dataclass(frozen=True, slots=True)
class Failure:
    """A component that Salesforce refused, in its own words."""

    name: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """What became of a deployment."""

    ok: bool
    stood: frozenset[str] = frozenset()  #: full names of what was there before, though hidden
    failures: tuple[Failure, ...] = ()


def deploy(
    line: Line, archive: bytes, *, check_only: bool, wait: Callable[[float], None], watch: Watch
) -> Deployed:
    """Deploy a zip, or only try it, and wait for the end.

    Raises ``CrmUnavailable`` where it cannot be begun or watched, or takes over ten minutes.
    """
    request = _begun(line, archive, check_only)
    what = "Trying" if check_only else "Deploying"
    waited = 0.0
    for pause in _pauses():
        result = _looked(line, request)
        watch(what, _count(result, "numberComponentsDeployed"), _total(result))
        if str(result.get("done", "")).lower() == "true":
            return _outcome(result)
        if waited >= PATIENCE:
            break
        wait(pause)
        waited += pause
    raise CrmUnavailable(
        f"the deployment {request} has not ended within {PATIENCE / 60:.0f} minutes",
        code="timeout",
        remedy="see Setup, Deployment Status; when it has ended run this again, which is safe",
    )


def _begun(line: Line, archive: bytes, check_only: bool) -> str:
    options = {"checkOnly": check_only, "rollbackOnError": True, "singlePackage": True}
    form = {
        "json": (None, json.dumps({"deployOptions": options}), "application/json"),
        "file": ("sms-connector.zip", archive, "application/zip"),
    }
    no_json = {"Content-Type": None}  # the multipart's own, with its boundary, takes the place
    try:
        said = line.call(
            "deploy", lambda sf: sf.restful(PATH, method="POST", files=form, headers=no_json)
        )
    except CrmUnavailable as error:
        raise unentitled(error) from None
    request = ids.known_id(said.get("id") if isinstance(said, Mapping) else None)
    if not request:
        raise CrmUnavailable("Salesforce began a deployment without an id", code="malformed")
    return request


def unentitled(error: CrmUnavailable) -> CrmUnavailable:
    """The error as it is, or with the right that is missing to deploy."""
    if error.code != "forbidden" and "INSUFFICIENT_ACCESS" not in str(error):
        return error
    return CrmUnavailable(str(error), code="forbidden", remedy=RIGHTS)


def _looked(line: Line, request: str) -> Mapping[str, Any]:
    said = line.rest("deploy", f"{PATH}/{request}", params={"includeDetails": "true"})
    result = said.get("deployResult") if isinstance(said, Mapping) else None
    if not isinstance(result, Mapping):
        raise CrmUnavailable("Salesforce tells nothing of the deployment", code="malformed")
    return result


def _outcome(result: Mapping[str, Any]) -> Deployed:
    failures = [_failure(item) for item in _details(result, "componentFailures")]
    if not failures and result.get("errorMessage"):
        failures = [_failure({"problem": result["errorMessage"]})]
    stood = frozenset(
        str(item.get("fullName"))
        for item in _details(result, "componentSuccesses")
        if str(item.get("created")).lower() == "false"
    )
    return Deployed(result.get("status") == "Succeeded", stood, tuple(failures))


def _details(result: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of the details; one alone may come without its list, as in SOAP."""
    details = result.get("details")
    found = details.get(key) if isinstance(details, Mapping) else None
    items = found if isinstance(found, list) else [found]
    return [item for item in items if isinstance(item, Mapping)]


def _failure(item: Mapping[str, Any]) -> Failure:
    problem = str(item.get("problem") or "")[:500]
    remedy = next((says for part, says in REMEDIES.items() if part in problem), "")
    return Failure(str(item.get("fullName") or item.get("fileName") or ""), problem, remedy)


def _pauses() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]


def _count(result: Mapping[str, Any], key: str) -> int:
    """A number, which Salesforce's own example writes as text."""
    said = str(result.get(key) or "0")
    return int(said) if said.isdecimal() else 0


def _total(result: Mapping[str, Any]) -> int:
    return max(1, _count(result, "numberComponentsTotal"))
