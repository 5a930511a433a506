"""Whom a page may speak for: nobody it only names, where the source wants users to be signed."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.model import Event, Signal, Subject, Trust
from connector.rules.identity import checked, proven, signature
from connector.rules.mapping import Unmapped, apply
from tests.rules.test_mapping import SEGMENT

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
NEW, OLD = b"the newer secret of the pages", b"the older secret of the pages"
HASH = signature("u-7", NEW)
SEEN = {"type": "page", "anonymousId": "a-1", "userId": "u-7", "context": {"page": {"path": "/"}}}
WRONG = ("", "0" * 64, HASH[:-1], HASH + "0", signature("u-8", NEW), 7, None, True, [HASH])


def event(**changes: Any) -> Event:
    payload = SEEN | changes
    return Event("evt_1", "site", "m-1", str(payload["type"]), "", AT, AT, payload)


def heard(
    told: Event, secrets: tuple[bytes, ...] | None = (NEW, OLD), trust: Trust = Trust.browser
) -> Signal:
    signal = apply(SEGMENT, checked(told, trust, secrets), trust, "US")
    assert isinstance(signal, Signal), signal
    return signal


def test_the_signature_is_the_hmac_that_every_language_has() -> None:
    assert hmac.new(NEW, b"u-7", hashlib.sha256).hexdigest() == HASH


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_a_user_id_is_believed_where_any_of_the_secrets_signed_it(secret: bytes) -> None:
    signal = heard(event(userHash=signature("u-7", secret)))
    assert (signal.subject.user_id, signal.proven, signal.dropped) == ("u-7", True, ())


def test_a_library_may_put_the_signature_into_its_context() -> None:
    told = event(context={"userHash": HASH.upper(), "page": {"path": "/"}})
    assert heard(told).subject.user_id == "u-7"


@pytest.mark.parametrize("hash", WRONG)
def test_without_the_right_signature_nobody_is_spoken_for_but_the_pages_own_id(hash: Any) -> None:
    said = {"traits": {"email": "ann@shop.example"}, "type": "identify"}
    signal = heard(event(userHash=hash, **said))
    assert signal.subject == Subject(anonymous_id="a-1")
    assert not signal.proven and signal.merges is None
    assert signal.dropped == (
        "subject.user_id: its signature is missing or wrong",
        "subject.email: only a signed user id leads to a known person here",
    )


def test_an_event_that_names_nobody_but_an_unproven_user_means_nothing() -> None:
    made = apply(
        SEGMENT, checked(event(anonymousId=None), Trust.browser, (NEW,)), Trust.browser, ""
    )
    assert isinstance(made, Unmapped) and made.reason.startswith("no_subject; subject.user_id")


def test_an_anonymous_visitor_has_nothing_to_prove() -> None:
    signal = heard(event(userId=None))
    assert (signal.subject, signal.dropped) == (Subject(anonymous_id="a-1"), ())


@pytest.mark.parametrize("user_id", ["", None, 7, ["u-7"], {"u": 7}])
def test_only_a_text_can_be_signed(user_id: Any) -> None:
    assert not heard(event(userId=user_id, userHash=signature(str(user_id), NEW))).proven


def test_a_proven_user_is_who_was_anonymous_before_and_nobody_else() -> None:
    signal = heard(event(type="identify", userHash=HASH))
    assert signal.merges == Subject(anonymous_id="a-1")
    alias = heard(event(type="alias", userHash=HASH, previousId="u-8"))
    assert alias.merges == Subject(anonymous_id="u-8"), "never the user who bears that id"


@pytest.mark.parametrize("kind", ["identify", "alias"])
def test_where_users_are_not_signed_a_page_joins_nobody(kind: str) -> None:
    signal = heard(event(type=kind, userHash=HASH, previousId="a-0"), None)
    assert signal.merges is None and not signal.proven
    assert signal.subject.user_id == "u-7", "who is believed as they come, within caps"


@pytest.mark.parametrize("trust", [Trust.browser, Trust.form])
@pytest.mark.parametrize("secrets", [None, (), (NEW,)])
def test_nobody_can_mark_themselves_as_proven(
    trust: Trust, secrets: tuple[bytes, ...] | None
) -> None:
    told = checked(event(identity="proven", userHash="guessed"), trust, secrets)
    assert proven(told.payload) == (None if secrets is None else "")
    assert not heard(event(identity="proven", type="identify"), secrets, trust).proven


def test_a_signature_is_kept_nowhere() -> None:
    for secrets in (None, (NEW,)):
        told = checked(event(userHash=HASH, context={"userHash": HASH}), Trust.browser, secrets)
        assert HASH not in str(told.payload)


def test_a_trusted_source_is_left_as_it_is() -> None:
    told = event(userHash=HASH)
    assert checked(told, Trust.trusted, (NEW,)) is told


def test_the_event_that_came_is_not_changed() -> None:
    told = event(userHash=HASH, context={"userHash": HASH})
    checked(told, Trust.browser, (NEW,))
    assert told.payload["userHash"] == HASH == told.payload["context"]["userHash"]


@given(st.text(), st.binary(min_size=1), st.text())
def test_no_guess_is_a_signature(user_id: str, secret: bytes, guess: str) -> None:
    told = checked(event(userId=user_id, userHash=guess), Trust.browser, (secret,))
    assert proven(told.payload) == ""
