"""Wrong keys are counted by address and all together; a right key is never kept out by them."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from connector.web.app import create_app
from connector.web.attempts import ADDRESSES, ALL, EACH, WINDOW, Attempts, group
from tests.web.conftest import Runtime
from tests.web.test_api import ANN, KEY, START

WRONG = {"Authorization": "Bearer no-key-of-anybody-at-all"}


class Ticks:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def test_after_ten_failures_in_a_minute_an_address_is_told_to_stay_away() -> None:
    now = Ticks()
    tried = Attempts(now)
    for _ in range(EACH):
        assert tried.failed("192.0.2.7") == 0
        now.at += 1
    assert tried.failed("192.0.2.7") == WINDOW - EACH
    assert tried.failed("192.0.2.8") == 0, "another address is not concerned"
    now.at += WINDOW - EACH
    assert tried.failed("192.0.2.7") == 0, "the window slides"


def test_after_the_window_failures_are_counted_anew() -> None:
    now = Ticks()
    tried = Attempts(now)
    for _ in range(3):
        waits = [tried.failed("192.0.2.7") for _ in range(EACH + 1)]
        assert (waits[:-1], waits[-1] > 0) == ([0] * EACH, True)
        now.at += WINDOW + 1


def test_a_refused_attempt_does_not_make_the_wait_longer() -> None:
    now = Ticks()
    tried = Attempts(now)
    for _ in range(EACH):
        tried.failed("192.0.2.7")
    for _ in range(99):
        now.at += WINDOW / 100
        assert tried.failed("192.0.2.7") > 0
    now.at += WINDOW / 100 + 0.001
    assert tried.failed("192.0.2.7") == 0


def test_many_addresses_together_are_bounded_too_and_so_is_what_is_remembered() -> None:
    now = Ticks()
    tried = Attempts(now)
    waits = [tried.failed(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(ADDRESSES + 50)]
    assert waits[:ALL] == [0] * ALL
    assert min(waits[ALL:]) > 0
    assert len(tried._of) == ADDRESSES


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 20)), max_size=200))
def test_no_window_ever_holds_more_failures_than_are_allowed(
    steps: list[tuple[int, float]],
) -> None:
    now = Ticks()
    tried = Attempts(now)
    let: dict[int, list[float]] = {}
    for who, pause in steps:
        now.at += pause
        if tried.failed(f"192.0.2.{who}") == 0:
            let.setdefault(who, []).append(now.at)
    for times in let.values():
        for at in times:
            assert sum(at - WINDOW < other <= at for other in times) <= EACH


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("strange", ""),
    ],
)
def test_a_line_of_the_internet_is_one_address(address: str, counted_as: str) -> None:
    assert group(address) == counted_as


def test_a_right_key_gets_in_whatever_others_behind_its_address_do(
    client: FlaskClient, rt: Runtime
) -> None:
    statuses = [client.post(START, json=ANN, headers=WRONG).status_code for _ in range(EACH + 5)]
    assert statuses == [401] * EACH + [429] * 5
    answer = client.post(START, json=ANN, headers=WRONG)
    assert (answer.json["code"], int(answer.headers["Retry-After"]) > 0) == (  # type: ignore[index]
        "too_many_failures",
        True,
    )
    assert client.post(START, json=ANN, headers=KEY).status_code == 202
    assert client.post(START, json=ANN, headers=WRONG).status_code == 429
    assert len(rt.inbox.deliveries) == 1


def test_behind_a_proxy_each_client_is_counted_by_the_address_it_forwards() -> None:
    rt = Runtime()
    rt.settings.web.trusted_proxies = 1
    client = create_app(rt).test_client()

    def ask(address: str) -> int:
        headers = {**WRONG, "X-Forwarded-For": address}
        return client.post(START, json=ANN, headers=headers).status_code

    assert [ask("203.0.113.1") for _ in range(EACH + 1)][-1] == 429
    assert ask("203.0.113.2") == 401


def test_without_a_proxy_nobody_chooses_what_they_are_counted_as(client: FlaskClient) -> None:
    def ask(n: int) -> int:
        headers = {**WRONG, "X-Forwarded-For": f"203.0.113.{n}"}
        return client.post(START, json=ANN, headers=headers).status_code

    assert [ask(n) for n in range(EACH + 1)][-1] == 429


def test_guessing_is_told_in_the_log_once_a_window_and_names_no_key(
    client: FlaskClient, caplog: Any
) -> None:
    for _ in range(EACH + 20):
        client.post(START, json=ANN, headers=WRONG)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert "no-key" not in told[0]
