"""``connector consent proof`` and ``request``: what is known of a number, on one page."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cli.proof_page import page
from tests.cli.conftest import Shop
from tests.ledger import build

OTHER = "+12025550123"
EVIL = "<script>alert(1)</script><img src=x onerror=y> \" ' &"


def test_a_proof_has_every_entry_with_all_that_proves_it_and_its_place_in_the_chain(
    empty: Shop,
) -> None:
    args = ("--method", "paper", "--wording", "Text me offers", "--source", "fair-2026")
    empty.run("consent", "grant", OTHER, *args)
    empty.run("consent", "revoke", OTHER, "--method", "call", "--wording", "no more")
    [made] = empty.json("consent", "proof", OTHER, "--why", "asked by counsel")
    [first, last] = made["entries"]
    assert (made["number"], made["live"]) == (OTHER, [])
    assert made["known"]["blocked_by"] == "call"
    assert (first["purpose"], first["action"], first["method"]) == ("marketing", "granted", "paper")
    assert (first["wording"], first["source"]) == ("Text me offers", "fair-2026")
    assert first["wording_version"].startswith("sha256:")
    assert first["recorded_by"].startswith("operator:")
    assert last["seq"] > first["seq"]
    assert len(first["hash"]) >= 32
    assert {"ip", "url", "user_agent", "occurred_at", "recorded_at"} <= set(first)
    assert not {"salt", "sealed"} & set(first)


def test_a_proof_has_the_texts_with_what_was_decided_of_each_and_the_replies(shop: Shop) -> None:
    [made] = shop.json("consent", "proof", build.PHONE)
    assert made["texts"]
    assert made["texts"][0]["decisions"][-1]["verdict"] == "send"
    assert {"text", "label", "occurred_at"} <= set(made["replies"][0])


def test_making_a_proof_is_an_act_that_names_no_number(shop: Shop) -> None:
    shop.run("consent", "proof", build.PHONE, "--why", "asked by counsel")
    assert shop.one("SELECT why FROM acts WHERE act = 'export'") == "asked by counsel"
    assert shop.one("SELECT who FROM acts WHERE act = 'export'").startswith("operator:")
    assert build.PHONE not in shop.one("SELECT about FROM acts WHERE act = 'export'")


def test_the_page_is_for_its_owner_alone_and_is_whole_by_itself(shop: Shop, tmp_path: Path) -> None:
    target = tmp_path / "proof.html"
    code, text = shop.run("consent", "proof", build.PHONE, "--html", str(target))
    assert code == 0
    assert str(target) in text
    assert target.stat().st_mode & 0o077 == 0
    found = target.read_text("utf-8")
    assert build.PHONE in found
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|https?://[^<]*\"", found)
    assert "default-src 'none'" in found


def proof(**changes: object) -> dict[str, object]:
    entry = {
        "purpose": "marketing",
        "action": "granted",
        "occurred_at": "2026-01-01T00:00:00.000000Z",
        "wording": EVIL,
        "method": EVIL,
        "url": EVIL,
        "evidence": {EVIL: EVIL},
    }
    reply = {"label": EVIL, "text": EVIL, "occurred_at": EVIL}
    text = {"purpose": "marketing", "text": EVIL, "begun_at": EVIL, "decisions": [], "play": EVIL}
    return {
        "number": EVIL,
        "known": {"blocked_scope": EVIL, "blocked_at": EVIL, "blocked_by": EVIL},
        "entries": [entry],
        "replies": [reply],
        "texts": [text],
        "live": [EVIL],
        "left_out": True,
        "made_at": EVIL,
        "made_by": EVIL,
    } | changes


def test_nothing_that_a_stranger_wrote_becomes_mark_up() -> None:
    found = page(proof(), EVIL)
    assert "<script>alert" not in found
    assert "<img" not in found
    assert html.escape(EVIL) in found


@given(st.text(min_size=1, max_size=60))
def test_no_wording_whatever_closes_a_tag_or_opens_one(words: str) -> None:
    tags = re.findall(r"</?[a-zA-Z][^>]*>", page(proof(number=words, made_by=words), words))
    names = {re.match(r"</?([a-zA-Z0-9]+)", tag)[1] for tag in tags}  # type: ignore[index]
    assert names <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div"),
        *("article", "header", "strong", "time", "blockquote", "dl", "dt", "dd"),
    }


def test_a_number_that_nobody_knows_has_no_proof(empty: Shop) -> None:
    code, text = empty.run("consent", "proof", OTHER)
    assert code != 0
    assert "nothing is known" in text


def test_a_request_asks_once_and_grants_nothing_by_itself(empty: Shop) -> None:
    args = ("consent", "request", OTHER, "--wording", "Text me", "--scope", "cart_reminders")
    code, text = empty.run(*args)
    assert code == 0, text
    assert "24 hours to say YES" in text
    [found] = empty.json("consent", "show", OTHER)
    assert found["live"] == []
    assert [row["action"] for row in found["consents"]] == ["pending", "pending"]
    assert empty.one("SELECT template FROM sends") == "double_opt_in"
    _, text = empty.run(*args)
    assert "less than 30 days ago" in text
    assert empty.one("SELECT count(*) FROM sends") == 1


def test_a_request_without_its_text_says_what_is_missing(empty: Shop) -> None:
    for path in (empty.path / "templates").glob("double_opt_in.*"):
        path.unlink()
    code, text = empty.run("consent", "request", OTHER, "--wording", "Text me")
    assert code != 0
    assert "templates/double_opt_in" in text
    assert empty.one("SELECT count(*) FROM consents") == 0


@pytest.mark.parametrize("method", ["call", "email", "crm", "operator"])
def test_an_opt_out_by_other_means_is_one_command(empty: Shop, method: str) -> None:
    empty.run("consent", "grant", OTHER, "--method", "paper", "--wording", "Text me")
    code, _ = empty.run("consent", "revoke", OTHER, "--method", method, "--wording", "stop")
    assert code == 0
    assert empty.one("SELECT blocked_by FROM numbers") == method
    assert empty.one("SELECT blocked_scope FROM numbers") == "all"
