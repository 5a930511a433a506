"""A play that lacks a second person decides, records, and sends nothing."""

from __future__ import annotations

import pytest

from connector.ledger import acts
from connector.rules.plays import Mode
from connector.steps.approvals import APPROVED, lacks, note_modes
from tests.steps.build import WELCOME, Shop
from tests.steps.way import OpenShop


def live(shop: Shop, who: str) -> Mode:
    """The files are read anew, as somebody asked; how the play stands then."""
    shop.rt.plays = {"welcome": WELCOME}
    with shop.store.write() as tx:
        note_modes(tx, shop.rt, who, shop.clock())
    return shop.rt.plays["welcome"].mode


def approve(shop: Shop, who: str, version: str = WELCOME.version) -> None:
    with shop.store.write() as tx:
        act_id = shop.rt.new_id("act")
        about = "play:welcome"
        acts.add(tx, act_id, APPROVED, about, who=who, at=shop.clock(), version=version)


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop(WELCOME, require_approval=True)


def test_a_version_is_a_shadow_until_somebody_else_approves_it(shop: Shop) -> None:
    assert live(shop, "operator:ann") is Mode.shadow
    approve(shop, "operator:ann")
    assert live(shop, "operator:ann") is Mode.shadow
    approve(shop, "api:ann")
    assert live(shop, "operator:ann") is Mode.shadow, "a key of the same name is no other person"
    approve(shop, "operator:bea")
    assert live(shop, "operator:ann") is Mode.live


def test_an_approval_is_of_one_version(shop: Shop) -> None:
    live(shop, "operator:ann")
    approve(shop, "operator:bea", version="v0")
    assert live(shop, "operator:ann") is Mode.shadow


def test_a_restart_is_nobodys_word_so_two_approve(shop: Shop) -> None:
    assert live(shop, "start") is Mode.shadow
    approve(shop, "operator:ann")
    assert live(shop, "start") is Mode.shadow
    with shop.store.read() as tx:
        assert lacks(tx, "welcome", WELCOME.version) == 1
    approve(shop, "operator:bea")
    assert live(shop, "start") is Mode.live


def test_who_first_put_a_version_live_stays_the_one_who_did(shop: Shop) -> None:
    live(shop, "operator:ann")
    approve(shop, "operator:ann")
    assert live(shop, "operator:bea") is Mode.shadow, "a later reload is no approval"


def test_nothing_is_asked_for_where_the_operator_does_not_ask(open_shop: OpenShop) -> None:
    shop = open_shop(WELCOME)
    assert live(shop, "start") is Mode.live


def test_a_shadow_that_waits_for_approval_sends_nothing(shop: Shop) -> None:
    live(shop, "operator:ann")
    shop.consent()
    shop.tell("signed_up")
    assert shop.go() == 0
