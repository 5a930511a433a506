"""What goes wrong with Salesforce, and that nothing is lost, doubled or hidden by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from connector.crms.salesforce import org
from connector.errors import CrmUnavailable
from connector.model import Subject
from connector.records import Writeback
from tests.crms.contract import activity, change, fields
from tests.crms.salesforce_server import Fault, Server
from tests.crms.salesforce_state import Refused
from tests.crms.test_salesforce import SalesforcePlace

LIMIT = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
BUSY = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}]
DOWN = [{"errorCode": "SERVER_UNAVAILABLE", "message": "Server too busy"}]
RIGHTS = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no access"}]
NO_API = [{"errorCode": "API_DISABLED_FOR_ORG", "message": "API is not enabled"}]

#: what happens → the answer, whether it was carried out, our code, whether it is in doubt
FAULTS: dict[str, tuple[Fault, str, bool]] = {
    "the line breaks before it acts": (Fault(None), "timeout", True),
    "the line breaks after it acted": (Fault(None, acts=True), "timeout", True),
    "it answers too late": (Fault(None, acts=True, seconds=0.2), "timeout", True),
    "403, the daily calls are used up": (Fault((403, LIMIT)), "daily_limit", False),
    "403, too many at one time": (Fault((403, BUSY)), "rate_limited", False),
    "403, no rights": (Fault((403, RIGHTS)), "forbidden", False),
    "403, the edition has no API": (Fault((403, NO_API)), "forbidden", False),
    "503 with its reason": (Fault((503, DOWN)), "unavailable", True),
    "500 without a word": (Fault((500, None)), "unavailable", True),
    "500 after it acted": (Fault((500, None), acts=True), "unavailable", True),
    "502 of a proxy": (Fault((502, "<html>Bad gateway</html>")), "unavailable", True),
    "an answer that is no JSON": (Fault(acts=True, raw=b"<html>"), "malformed", True),
    "an answer that breaks off": (Fault(acts=True, raw=b'[{"id": "00T'), "malformed", True),
    "an object for a list": (Fault(acts=True, raw=b'{"ok": true}'), "malformed", True),
    "too few verdicts": (Fault(acts=True, raw=b"[]"), "malformed", True),
    "a verdict without a verdict": (Fault(acts=True, raw=b'[{"id": 7}]'), "malformed", True),
    "a redirect elsewhere": (Fault((302, None)), "malformed", True),
}
#: 401s that one new login mends
ENDED: dict[str, Any] = {
    "as documented": [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}],
    "an object": {"error": "invalid_token"},
    "empty": None,
    "a text": "Unauthorized",
    "an empty list": [],
}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def drain(place: SalesforcePlace, changes: list[Writeback]) -> list[CrmUnavailable]:
    """Write until all is written, as the outbox does; what went wrong on the way."""
    failed: list[CrmUnavailable] = []
    left = {one.id: one for one in changes}
    for _ in range(10):
        if not left:
            return failed
        try:
            answers: Any = place.crm.write(list(left.values()))
        except CrmUnavailable as error:
            failed.append(error)
            answers = error.written
            left |= {id: replace(left[id], in_doubt=True) for id in error.in_doubt}
        left = {id: one for id, one in left.items() if id not in {a.id for a in answers if a.ok}}
    raise AssertionError(failed)


@pytest.mark.parametrize("task_field", ["SMS_Id__c", "CallObject"])
@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost_or_doubled_when(
    server: Server, name: str, task_field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, code, in_doubt = FAULTS[name]
    if fault.seconds:
        _hurry_once(monkeypatch)
    place = SalesforcePlace(server, task_field=task_field)
    server.org.fails(replace(fault, path="composite"))
    told = drain(place, [activity(), fields(always={"stage": "lead"})])
    assert [error.code for error in told] == [code]
    assert told[0].in_doubt == ({"wbk:send:snd_1"} if in_doubt else set())
    assert list(place.activities("con_1")) == ["send:snd_1"]
    assert len(place.state.tables["Task"]) == 1
    assert place.fields("con_1")["stage"] == "lead"


def _hurry_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first write has less patience than the org takes time; all else has enough."""
    patient, hurried = org.OrgSession.request, list[str]()

    def request(self: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        if "composite" in str(url) and not hurried:
            hurried.append(str(url))
            kwargs["timeout"] = (5.0, 0.05)
        return patient(self, method, url, *args, **kwargs)

    monkeypatch.setattr(org.OrgSession, "request", request)


def test_every_call_has_a_timeout_the_login_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    sends = requests.adapters.HTTPAdapter.send

    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["timeout"])
        return sends(self, request, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    place = SalesforcePlace(server)
    place.crm.write([activity(), fields(increment={"touches": 1})])
    place.crm.bulk_write([replace(activity(), record=place.people["con_1"])], wait=lambda _: None)
    place.crm.schema()
    assert len(seen) == len(server.org.calls) > 10
    assert set(seen) == {(5.0, 30.0)}


@pytest.mark.parametrize("body", ENDED.values(), ids=ENDED)
def test_a_session_that_ended_is_renewed_once_and_nobody_notices(server: Server, body: Any) -> None:
    place = SalesforcePlace(server)
    server.org.fails(Fault((401, body), path="composite"))
    assert drain(place, [activity()]) == []
    assert len(server.org.logins()) == 2
    assert list(place.activities("con_1")) == ["send:snd_1"]


def test_a_session_that_is_refused_however_often_it_is_renewed_ends_in_three_logins(
    server: Server,
) -> None:
    place = SalesforcePlace(server)
    server.org.refuses_tokens = True
    errors = []
    for _ in range(50):
        with pytest.raises(CrmUnavailable) as raised:
            place.crm.write([activity()])
        errors.append(raised.value)
    assert {error.code for error in errors} == {"unauthorized"}
    assert len(server.org.logins()) == 3
    assert "Login History" in errors[-1].remedy and (errors[-1].retry_after or 0) <= 60
    server.org.refuses_tokens = False
    server.org.state.now += timedelta(seconds=61)
    assert place.crm.write([activity()])[0].ok


def test_a_refused_login_says_what_to_check(server: Server) -> None:
    place = SalesforcePlace(server)
    server.org.refuses_login = ("invalid_client_id", "client identifier invalid")
    with pytest.raises(CrmUnavailable) as raised:
        place.crm.write([activity()])
    assert raised.value.code == "unauthorized" and not raised.value.in_doubt
    assert "External Client App" in raised.value.remedy
    assert "consumer-secret" not in str(raised.value)


@pytest.mark.parametrize("raw", [b"{}", b"[]", b"<html>", b'{"access_token": null}'])
def test_a_login_that_answers_nonsense_is_told_and_not_believed(server: Server, raw: bytes) -> None:
    place = SalesforcePlace(server)
    server.org.fails(Fault(raw=raw, path="/services/oauth2/token"))
    with pytest.raises(CrmUnavailable):
        place.crm.write([activity()])
    assert not server.org.sent()


def test_an_org_that_cannot_be_reached_is_not_in_doubt() -> None:
    with Server() as server:
        place = SalesforcePlace(server)
    with pytest.raises(CrmUnavailable) as raised:  # nobody listens any more
        place.crm.write([activity()])
    assert raised.value.code == "unreachable"
    assert raised.value.in_doubt == set()


def test_a_week_of_outage_ends_with_everything_written_once(server: Server) -> None:
    place = SalesforcePlace(server)
    changes = [activity(f"send:s{n}") for n in range(30)]
    server.org.fails(Fault((503, DOWN), times=7, path="composite"))
    assert len(drain(place, changes)) == 7
    assert len(place.activities("con_1")) == 30


def test_half_a_batch_that_is_bad_leaves_the_other_half(server: Server) -> None:
    place = SalesforcePlace(server)
    for n in range(0, 20, 2):
        bad = Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No texts on Fridays")
        place.state.refusing[f"send-s{n}"] = bad
    answers = place.crm.write([activity(f"send:s{n}") for n in range(20)])
    assert [one.ok for one in answers] == [n % 2 == 1 for n in range(20)]
    assert all("No texts on Fridays" in one.error for one in answers if not one.ok)


def test_a_field_of_ours_that_was_taken_away_waits_for_it_and_says_how(server: Server) -> None:
    place = SalesforcePlace(server)
    place.state.fields["Task"].discard("SMS_Id__c")
    text, told = place.crm.write([activity(), fields(always={"stage": "lead"})])
    assert told.ok and not text.ok and not text.permanent
    assert "connector crm install" in text.remedy
    place.state.fields["Task"].add("SMS_Id__c")
    assert place.crm.write([activity()])[0].ok


def test_a_mapped_field_that_was_taken_away_is_parked_for_those_that_set_it(
    server: Server,
) -> None:
    place = SalesforcePlace(server)
    place.state.fields["Contact"].discard("plan")
    first, second = place.crm.write(
        [fields(always={"plan": "gold"}), fields("con_2", always={"stage": "lead"})]
    )
    assert second.ok and first.permanent and first.code == "INVALID_FIELD"
    assert "connector crm check" in first.remedy
    [third] = place.crm.write([fields(if_empty={"plan": "gold"})])
    assert third.permanent and third.code == "INVALID_FIELD"


def test_one_value_for_which_a_whole_call_is_refused_is_found(server: Server) -> None:
    place = SalesforcePlace(server)
    people = [place.state.add("Contact", LastName=str(n)) for n in range(64)]
    born = ["tomorrow" if n == 40 else "2000-01-01" for n in range(64)]
    changes = [
        replace(fields(always={"Born__c": born[n]}), record=people[n], id=str(n)) for n in range(64)
    ]
    answers = place.crm.write(changes)
    assert [one.id for one in answers if not one.ok] == ["40"]
    assert place.crm.calls["fields"] <= 17


def test_the_rest_of_a_write_is_told_when_a_later_call_fails(server: Server) -> None:
    place = SalesforcePlace(server)
    server.org.fails(Fault((503, DOWN), path="composite", skips=1))
    with pytest.raises(CrmUnavailable) as raised:
        place.crm.write([activity(), fields(always={"stage": "lead"})])
    assert [getattr(one, "id", "") for one in raised.value.written] == ["wbk:send:snd_1"]
    assert raised.value.in_doubt == {"wbk:fields:con_1"}


def test_reading_stops_and_says_so_when_a_wanted_field_was_taken_away(server: Server) -> None:
    place = SalesforcePlace(server)
    place.state.fields["Contact"].discard("plan")
    for ask in (
        lambda: place.crm.read("contact", [place.people["con_1"]]),
        lambda: place.crm.changes("contact", "2026-11-20T00:00:00.000000Z"),
        lambda: place.crm.fetch([Subject(crm_id=place.people["con_1"])]),
    ):
        with pytest.raises(CrmUnavailable, match="No such column 'plan'") as raised:
            ask()
        assert "connector crm check" in raised.value.remedy


def test_threads_share_one_login_and_each_has_a_client_of_its_own(server: Server) -> None:
    place = SalesforcePlace(server)
    failed: list[BaseException] = []

    def work(n: int) -> None:
        try:
            for m in range(5):
                assert place.crm.write([change("task", f"task:t{n}-{m}", activity().change)])[0].ok
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(server.org.logins()) == 1
    assert place.crm.calls["task"] == 30
    assert len(place.state.tables["Task"]) == 30
