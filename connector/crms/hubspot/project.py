"""The app as HubSpot's command line uploads it: its webhooks and the workflow action "Send SMS".

https://developers.hubspot.com/docs/apps/developer-platform/build-apps: what is shipped in
``plugins/hubspot`` is written with the operator's address and the mapping's properties in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import orjson

from connector.model import Json
from connector.records import Wanted

ROOT: Final = Path(__file__).parents[2] / "plugins" / "hubspot"
STAND_IN: Final = "https://sms.example.org"  #: where the operator's own address belongs
WEBHOOKS: Final = "src/app/webhooks/webhooks-hsmeta.json"
OBJECTS: Final[Mapping[str, str]] = {"contact": "contact", "deal": "deal", "case": "ticket"}
"""Our word for an object → HubSpot's, of those that webhooks are known to tell of."""
WHOLE: Final = ("creation", "deletion", "merge", "restore", "associationChange")
UNTOLD: Final = frozenset(
    {
        *("lastmodifieddate", "hs_lastmodifieddate", "num_unique_conversion_events"),
        *("hs_object_id", "createdate", "hs_createdate", "hs_merged_object_ids"),
    }
)
"""Properties that nobody can subscribe to, or that never change by themselves."""


def write_files(folder: Path, public_url: str, wanted: Wanted) -> int:
    """Write the project into a folder, for ``hs project upload``; how many files.

    Raises ``OSError``.
    """
    shipped = sorted(ROOT.rglob("*.json"))
    for source in shipped:
        text = source.read_text("utf-8").replace(STAND_IN, public_url.rstrip("/"))
        name = source.relative_to(ROOT)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        told = _subscribed(text, wanted) if name == Path(WEBHOOKS) else text.encode()
        (folder / name).write_bytes(told)
    return len(shipped)


def _subscribed(text: str, wanted: Wanted) -> bytes:
    """The webhooks' file with a subscription for each property that the mapping reads."""
    body = orjson.loads(text)
    if found := list(_subscriptions(wanted)):
        body["config"]["subscriptions"]["crmObjects"] = found
    return orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"


def _subscriptions(wanted: Wanted) -> Iterator[Json]:
    own = (*wanted.phone, *wanted.email, wanted.opt_out, wanted.stage)
    for object, theirs in OBJECTS.items():
        fields = (*wanted.fields.get(object, ()), *wanted.history.get(object, ()))
        if not fields:
            continue
        told = {"objectType": theirs, "active": True}
        for kind in WHOLE:
            yield {"subscriptionType": f"object.{kind}", **told}
        names = (*fields, *(own if object == "contact" else ()))
        for name in dict.fromkeys(each for each in names if each and each not in UNTOLD):
            yield {"subscriptionType": "object.propertyChange", **told, "propertyName": name}
