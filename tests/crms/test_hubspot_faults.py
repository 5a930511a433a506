"""What HubSpot can do to us: nothing is lost, nothing made twice, and the operator is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.crms.hubspot import wire
from connector.errors import CrmUnavailable
from connector.records import Writeback, Written
from tests.crms.contract import activity, change, fields
from tests.crms.hubspot_place import HubSpotPlace, hubspot

RATE = {"status": "error", "message": "too fast", "errorType": "RATE_LIMIT", "correlationId": "c1"}
SCOPES = {
    "status": "error",
    "message": "This app hasn't been granted all required scopes",
    "correlationId": "c2",
    "category": "MISSING_SCOPES",
    "errors": [
        {"message": "x", "context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}}
    ],
}
CREATE = "communications/batch/create"


@pytest.fixture
def place() -> Iterator[HubSpotPlace]:
    place = HubSpotPlace()
    yield place
    place.server.close()


def refused(place: HubSpotPlace, changes: Sequence[Writeback]) -> CrmUnavailable:
    """What the adapter raises when it is handed these changes."""
    known = [place.crm.known(each) for each in changes]
    fault = place.server.faults_to_come[-1]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(CrmUnavailable) as caught:
        if fault.hangs:
            patch.setattr(wire, "TIMEOUT", (5, 0.1))
        place.adapter.write(known)
    assert fault.met.wait(5)
    place.crm.learn(changes, [each for each in caught.value.written if isinstance(each, Written)])
    return caught.value


DAILY = RATE | {"policyName": "DAILY"}
SECONDLY = RATE | {"policyName": "TEN_SECONDLY_ROLLING"}
AWAY = {"Location": "http://127.0.0.1:9/"}
LATER = {"Retry-After": "3600"}


def answered(status: int, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"status": status, "body": {} if body is None else body, **more}


#: what HubSpot does, our code, when to ask again, whether it may have acted, what the remedy names
ANSWERS: list[tuple[dict[str, Any], str, float | None, bool, str]] = [
    (answered(401), "unauthorized", None, False, "access_token"),
    (answered(408), "unavailable", None, True, ""),
    (answered(423), "unavailable", 2.0, False, ""),
    (answered(429, SECONDLY), "rate_limited", 10.0, False, ""),
    (answered(429, DAILY), "daily_limit", 61_200.0, False, "midnight"),
    (answered(477, headers=LATER), "unavailable", 3_600.0, False, ""),
    (answered(500), "unavailable", None, True, ""),
    (answered(500, acts=True), "unavailable", None, True, ""),
    (answered(502, b"\xff\xfe<html>"), "unavailable", None, True, ""),
    (answered(503), "unavailable", None, False, ""),
    (answered(504), "unavailable", None, True, ""),
    (answered(521), "unavailable", None, False, ""),
    (answered(524), "unavailable", None, True, ""),
    (answered(302, headers=AWAY), "malformed", None, False, "base_url"),
    (answered(200, b"<html>"), "malformed", None, True, "base_url"),
    (answered(200, b"<html>", acts=True), "malformed", None, True, "base_url"),
    (answered(201, {"status": "COMPLETE"}), "malformed", None, True, "base_url"),
    ({"cuts": True}, "unreachable", None, True, ""),
    ({"cuts": True, "acts": True}, "unreachable", None, True, ""),
    ({"hangs": True}, "timeout", None, True, ""),
    ({"hangs": True, "acts": True}, "timeout", None, True, ""),
]


@pytest.mark.parametrize(("how", "code", "after", "is_doubtful", "remedy"), ANSWERS, ids=str)
def test_each_answer_has_its_meaning_and_in_the_end_one_activity_stands(
    place: HubSpotPlace,
    how: dict[str, Any],
    code: str,
    after: float | None,
    is_doubtful: bool,
    remedy: str,
) -> None:
    place.server.fail(CREATE, **how)
    texts = [activity(), activity("send:snd_2", "con_2")]
    error = refused(place, texts)
    assert (error.code, error.retry_after) == (code, after)
    assert error.in_doubt == ({each.id for each in texts} if is_doubtful else set())
    assert remedy in error.remedy and bool(remedy) == bool(error.remedy)
    again = [replace(each, in_doubt=each.id in error.in_doubt) for each in texts]
    assert all(answer.ok for answer in place.crm.write(again))
    assert list(place.activities("con_1")) == ["send:snd_1"]
    assert list(place.activities("con_2")) == ["send:snd_2"]


def test_a_doubt_costs_three_calls_however_many_are_in_doubt(place: HubSpotPlace) -> None:
    texts = [activity(f"send:sen_{n}", f"con_{1 + n % 2}") for n in range(6)]
    place.server.fail(CREATE, hangs=True, acts=True)
    refused(place, texts)
    before = dict(place.adapter.calls)
    place.crm.write(
        [
            replace(each, in_doubt=True, change={**each.change, "status": "Delivered"})
            for each in texts
        ]
    )
    new = {kind: n - before.get(kind, 0) for kind, n in place.adapter.calls.items()}
    assert {kind: n for kind, n in new.items() if n} == {
        "contacts-communications-read": 1,
        "communications-read": 1,
        "communications-update": 1,
    }
    assert {each["status"] for each in place.activities("con_1").values()} == {"Delivered"}


def test_nobody_there_is_no_doubt(place: HubSpotPlace) -> None:
    crm = hubspot(place.server)
    place.server.close()
    with pytest.raises(CrmUnavailable) as caught:
        crm.write([replace(activity(), record="901")])
    assert caught.value.code == "unreachable"
    assert caught.value.in_doubt == frozenset()
    assert "127.0.0.1" not in str(caught.value)


def test_a_missing_scope_is_named_and_holds_up_nothing_else(place: HubSpotPlace) -> None:
    place.server.fail("tasks/batch/create", status=403, body=SCOPES)
    task = change("task", "task:enr_1:call", {**activity().change, "kind": "task"})
    answers = place.crm.write([task, activity()])
    assert [answer.ok for answer in answers] == [False, True]
    assert answers[0].permanent and answers[0].code == "MISSING_SCOPES"
    assert "crm.objects.contacts.write" in answers[0].remedy
    assert answers[0].error.endswith("(correlationId c2)")


def test_a_missing_scope_is_asked_for_once_and_not_for_each_text(place: HubSpotPlace) -> None:
    place.server.fail(CREATE, status=403, body=SCOPES, times=99)
    answers = place.crm.write([activity(f"send:sen_{n}") for n in range(8)])
    assert all(answer.permanent and answer.code == "MISSING_SCOPES" for answer in answers)
    assert place.adapter.calls["communications-create"] == 1


def test_half_a_batch_that_is_bad_is_split_by_trace_and_not_by_place(place: HubSpotPlace) -> None:
    place.server.poison = {"bad"}
    texts = [activity(f"send:sen_{n}", body="bad" if n % 2 else "good") for n in range(10)]
    answers = place.crm.write(texts)
    assert [answer.ok for answer in answers] == [n % 2 == 0 for n in range(10)]
    assert all(answer.permanent and "poison" in answer.error for answer in answers[1::2])
    assert sorted(place.activities("con_1")) == [f"send:sen_{n}" for n in range(0, 10, 2)]
    assert place.adapter.calls["communications-create"] == 1


def test_results_without_traces_are_told_by_our_reference(place: HubSpotPlace) -> None:
    place.server.traces = False
    place.crm.write([activity(), activity("send:snd_2"), activity("send:snd_3")])
    stands = place.activities("con_1")
    assert {key: stands[key]["id"] for key in stands} == place.crm.made


def test_a_batch_refused_as_a_whole_is_halved_until_the_bad_one_is_alone(
    place: HubSpotPlace,
) -> None:
    place.server.poison, place.server.names_culprits = {"bad"}, False
    texts = [activity(f"send:sen_{n}", body="bad" if n == 37 else "good") for n in range(64)]
    answers = place.crm.write(texts)
    assert [n for n, answer in enumerate(answers) if not answer.ok] == [37]
    assert "not to our taste" in answers[37].error
    assert place.adapter.calls["communications-create"] <= 2 * 6 + 1


def test_what_half_a_batch_had_done_is_kept_when_the_other_half_fails(place: HubSpotPlace) -> None:
    place.server.poison, place.server.names_culprits = {"bad"}, False
    texts = [activity(f"send:sen_{n}", body="bad" if n == 3 else "good") for n in range(4)]
    known = [place.crm.known(each) for each in texts]
    send, seen = place.adapter.wire.ask, []

    def ask(*args: Any, **kwargs: Any) -> Any:
        seen.append(args)
        if len(seen) == 3:
            place.server.fail(CREATE, cuts=True)
        return send(*args, **kwargs)

    place.adapter.wire.ask = ask  # type: ignore[method-assign]
    with pytest.raises(CrmUnavailable) as caught:
        place.adapter.write(known)
    assert [answer.id for answer in caught.value.written] == [each.id for each in texts[:2]]  # type: ignore[attr-defined]
    assert caught.value.in_doubt == {each.id for each in texts[2:]}


def test_a_property_that_is_gone_parks_only_who_writes_it_and_says_how_to_mend_it(
    place: HubSpotPlace,
) -> None:
    del place.server.defined["contacts"]["plan"]
    answers = place.crm.write(
        [fields(always={"plan": "x"}), fields("con_2", always={"stage": "y"})]
    )
    assert [answer.ok for answer in answers] == [False, True]
    assert answers[0].permanent and answers[0].code == "PROPERTY_DOESNT_EXIST"
    assert 'Property "plan" does not exist' in answers[0].error
    assert "connector crm check" in answers[0].remedy
    assert place.fields("con_2")["stage"] == "y"
    assert place.adapter.calls["contacts-update"] == 2


def test_without_the_property_for_our_totals_the_operator_is_told_to_install(
    place: HubSpotPlace,
) -> None:
    del place.server.defined["contacts"]["sms_totals"]
    [answer] = place.crm.write([fields(increment={"touches": 2})])
    assert answer.permanent and "connector crm install" in answer.remedy


def test_a_value_that_is_no_option_is_parked_in_hubspots_own_words(place: HubSpotPlace) -> None:
    [answer] = place.crm.write([fields(always={"sms_opt_out": "perhaps"})])
    assert answer.permanent and answer.code == "INVALID_BOOLEAN"
    assert "perhaps was not a valid bool" in answer.error and "c0ffee" in answer.error


def test_a_contact_or_an_activity_that_is_gone_is_told(place: HubSpotPlace) -> None:
    place.crm.write([activity()])
    place.server.records["communications"].clear()
    place.server.records["contacts"].pop("902")
    texts = [activity(status="Delivered"), fields("con_2", if_empty={"plan": "x"})]
    texts += [fields("con_2", always={"plan": "x"}), activity("send:snd_2", "con_2")]
    texts[2] = replace(texts[2], id="another")
    answers = place.crm.write(texts)
    assert [answer.code for answer in answers] == ["OBJECT_NOT_FOUND"] * 4
    assert all(answer.permanent and "no longer in HubSpot" in answer.remedy for answer in answers)


def test_a_deal_that_is_gone_does_not_keep_a_text_off_the_contact(place: HubSpotPlace) -> None:
    deal = place.server.add("deals")
    good, bad = activity(), activity("send:snd_2")
    answers = place.crm.write(
        [replace(good, related={"deal": deal}), replace(bad, related={"deal": "999", "lead": "x"})]
    )
    assert all(answer.ok for answer in answers)
    assert place.server.ties["deals", deal]["communications"] == [answers[0].record]
    assert sorted(place.activities("con_1")) == ["send:snd_1", "send:snd_2"]
    assert place.adapter.calls["labels-read"] == 1


def test_an_owner_who_is_gone_does_not_lose_a_task(place: HubSpotPlace) -> None:
    place.server.poison = {"66"}
    task = change("task", "task:reply:rpl_1", {**activity().change, "kind": "task"})
    [answer] = place.crm.write([replace(task, owner="66")])
    assert answer.ok
    assert list(place.activities("con_1")) == ["task:reply:rpl_1"]


def test_the_token_and_the_number_are_in_no_error(place: HubSpotPlace) -> None:
    place.server.fail(CREATE, status=401, body={"message": "no"})
    error = refused(place, [activity()])
    assert str(error) == "HubSpot answered 401: no"


def test_a_day_whose_end_is_unknown_is_tried_hourly(place: HubSpotPlace) -> None:
    place.server.fail("account-info", status=429, body=RATE | {"policyName": "DAILY"})
    place.server.fail(CREATE, status=429, body=RATE | {"policyName": "DAILY"})
    assert refused(place, [activity()]).retry_after == 3_600.0
    place.server.fail(CREATE, status=429, body=DAILY)
    assert refused(place, [activity()]).retry_after == 3_600.0
    assert place.adapter.calls["account-info"] == 1


def test_the_end_of_the_day_is_asked_for_while_a_call_is_left(place: HubSpotPlace) -> None:
    place.server.headers = {"X-HubSpot-RateLimit-Daily-Remaining": "499"}
    place.crm.write([activity()])
    place.server.fail("account-info", status=429, body=DAILY)
    place.server.fail(CREATE, status=429, body=DAILY)
    assert refused(place, [activity("send:snd_2")]).retry_after == 61_200.0
    assert place.adapter.calls["account-info"] == 1


def test_the_adapter_slows_itself_before_hubspot_refuses(place: HubSpotPlace) -> None:
    pace, slept = place.adapter.wire.pace, place.adapter.slept  # type: ignore[attr-defined]
    pace.seconds = lambda: 100.0 + sum(slept)
    place.server.headers = {"X-HubSpot-RateLimit-Max": "10", "X-HubSpot-RateLimit-Remaining": "9"}
    for n in range(12):
        place.crm.write([activity(f"send:sen_{n}")])
    assert sum(slept) == pytest.approx(10.0)  # nine of ten in ten seconds, then a wait
    place.server.headers["X-HubSpot-RateLimit-Remaining"] = "0"
    before = len(slept)
    place.crm.write([activity("send:sen_20")])
    place.crm.write([activity("send:sen_21")])
    assert sum(slept[before:]) >= 9.0


faults = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from([401, 403, 423, 429, 477, 500, 502, 503, 504, 200]),
        "acts": st.booleans(),
        "cuts": st.just(True),
    },
)


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    plagues=st.lists(st.tuples(st.sampled_from(["create", "update", "read"]), faults), max_size=8)
)
def test_whatever_goes_wrong_each_activity_stands_once_and_each_total_is_added_once(
    plagues: list[tuple[str, dict[str, Any]]],
) -> None:
    place = HubSpotPlace()
    for on, how in plagues:
        if how.get("status") or how.get("cuts"):
            is_told = how.get("status") in (401, 403, 423, 429, 477, 503) and not how.get("cuts")
            acts = how.get("acts", False) and not is_told  # what says no has not done it
            place.server.fail(on, **{**how, "body": {}, "acts": acts})
    _drain(place)
    assert sorted(place.activities("con_1")) == ["reply:rpl_1", "send:snd_1"]
    assert list(place.activities("con_2")) == ["send:snd_2"]
    assert place.fields("con_1")["touches"] == 3
    place.server.close()


def _drain(place: HubSpotPlace) -> None:
    """Write until all is written, as the step does: with what is in doubt marked so."""
    owed = {
        each.id: each
        for each in (
            activity(),
            activity("reply:rpl_1", kind="reply"),
            activity("send:snd_2", "con_2"),
            fields(increment={"touches": 3}),
        )
    }
    for _ in range(30):
        changes = [place.crm.known(each) for each in owed.values()]
        try:
            answers = place.adapter.write(changes)
        except CrmUnavailable as error:
            answers = [each for each in error.written if isinstance(each, Written)]
            for id in error.in_doubt:
                owed[id] = replace(owed[id], in_doubt=True)
        place.crm.learn(changes, answers)
        for answer in answers:
            if answer.ok:
                del owed[answer.id]
            elif not answer.certain:
                owed[answer.id] = replace(owed[answer.id], in_doubt=True)
        if not owed:
            return
    raise AssertionError(f"never written: {owed}")
