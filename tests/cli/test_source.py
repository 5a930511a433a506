"""``connector source``: a mapping tried on a sample, sources listed, deliveries captured."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.ledger import captures
from connector.ledger.captures import Capture
from connector.ledger.store import Tx
from connector.rules import identity
from tests.cli.conftest import Shop
from tests.ledger import build

SAMPLES = Path(__file__).parents[1] / "samples"
ORDER = str(SAMPLES / "shopify_order_create.json")
TOPIC = ("--header", "X-Shopify-Topic: orders/create", "--header", "X-Shopify-Event-Id: e-1")
SECRET = "hush"
MAPPING = """[source]
adapter = "standard"
[verify]
scheme = "hmac"
header = "X-Signature"
[event]
id = "body.id"
name = "body.type"
occurred_at = "body.at"
[subject]
user_id = "body.user"
phone = "body.phone"
[[events]]
name = "cart.changed"
when = "body.total > 0"
signal = "cart_updated"
key = "body.cart"
[events.facts]
value = "body.total / body.parts"
"""
CART = {"id": "1", "type": "cart.changed", "user": "u-7", "cart": "c-1", "total": 5, "parts": 1}


def line_of(begins: str) -> int:
    """The line of the mapping that begins so, from 1."""
    lines = MAPPING.splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(begins))


def tried(shop: Shop, *args: str) -> dict[str, Any]:
    """What a trial tells, whether or not each step went through."""
    code, text = shop.run("source", "try", *args, "--json")
    assert code in (0, 1), text
    told: dict[str, Any] = json.loads(text)
    return told


def mapping(tmp_path: Path, text: str = MAPPING) -> str:
    path = tmp_path / "carts.toml"
    path.write_text(text)
    return str(path)


def payload(tmp_path: Path, **body: Any) -> str:
    path = tmp_path / "payload.json"
    path.write_text(json.dumps({**CART, "at": build.at(480).isoformat(), **body}))
    return str(path)


@pytest.fixture
def shop(empty: Shop) -> Shop:
    """A folder that heard three events of its backend."""

    def act(tx: Tx) -> None:
        for number in range(3):
            build.event(tx, f"Page {number}", minutes=number)

    empty.write(act)
    return empty


# Trying


def test_every_step_of_a_sample_is_shown(empty: Shop) -> None:
    code, text = empty.run("source", "try", "shop", "--payload", ORDER, *TOPIC)
    assert code == 0
    for line in (
        "verified     not tried: no secret was given",
        "X-Shopify-Hmac-Sha256 bears the body's SHA256 HMAC, in base64",
        "id           e-1 orders/create",
        "occurred_at  2026-11-20 09:30:01Z",
        "signal       order_completed (mappings/sources/shopify.toml:",
        "subject      user_id=shopify:8, anonymous_id=shopify-order:5520001, phone=+33612345678",
        "stage        customer",
        "outcome      converted",
        "starts       order_confirmation (sandbox): first step due 2026-11-20 09:30:01Z",
        "ends the wait of cart_abandoned, pricing_revisit",
        "goal of      cart_abandoned, welcome",
    ):
        assert line in text, line


def test_nothing_of_a_trial_is_kept(empty: Shop) -> None:
    before = sorted(path.name for path in (empty.path / "data").iterdir())
    empty.run("source", "try", "shop", "--payload", ORDER, *TOPIC)
    assert sorted(path.name for path in (empty.path / "data").iterdir()) == before


def test_no_secret_is_needed_to_try(empty: Shop) -> None:
    for name in ("site-key", "backend-key", "shop-secret", "sandbox-secret"):
        (empty.path / name).unlink()
    assert empty.run("source", "try", "shop", "--payload", ORDER, *TOPIC)[0] == 0


def test_a_secret_checks_the_signature_or_makes_one(
    empty: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRY_SECRET", SECRET)
    place, body = mapping(tmp_path), payload(tmp_path)
    secret = ("--secret-env", "TRY_SECRET")
    signature = hmac.digest(SECRET.encode(), Path(body).read_bytes(), "sha256").hex()
    results = [
        tried(empty, place, "--payload", body, *secret, *more)["verified"]["result"]
        for more in ((), ("--header", f"X-Signature: {signature}"), ("--header", "X-Signature: 0"))
    ]
    assert results == ["signed_here", "verified", "refused"]
    code, text = empty.run(
        "source", "try", place, "--payload", body, *secret, "--header", "X-Signature: 0"
    )
    assert code == 1
    assert "REFUSED: the signature in X-Signature does not match" in text
    assert SECRET not in text
    code, text = empty.run("source", "try", place, "--payload", body, "--secret-env", "NOT_SET")
    assert (code, "NOT_SET is not set" in text) == (2, True)


def test_where_no_play_uses_a_signal_the_library_s_are_named(empty: Shop, tmp_path: Path) -> None:
    booked = MAPPING.replace('"cart_updated"', '"appointment_booked"')
    args = ("source", "try", mapping(tmp_path, booked), "--payload", payload(tmp_path))
    code, text = empty.run(*args)
    assert code == 0
    assert "in the library appointment_confirmed, appointment_reminder would" in text
    assert f"connector -C {empty.path} play new NAME --from appointment_confirmed" in text
    assert empty.run("play", "new", "booking", "--from", "appointment_confirmed")[0] == 0
    assert "in the library" not in empty.run(*args)[1]


def test_an_unknown_name_is_told_with_the_names_there_are(empty: Shop, tmp_path: Path) -> None:
    place = mapping(tmp_path)
    [event] = tried(empty, place, "--payload", payload(tmp_path, type="cart.chnged"))["events"]
    assert (event["signal"], event["why"]) == (None, "unknown_event")
    assert (event["hint"], event["names"]) == ("did you mean cart.changed?", ["cart.changed"])
    code, text = empty.run(
        "source", "try", place, "--payload", payload(tmp_path, type="cart.chnged")
    )
    assert code == 1
    assert "none: no rule matches" in text
    assert "the mapping has: cart.changed" in text


def test_a_condition_that_does_not_hold_is_shown_with_its_line(empty: Shop, tmp_path: Path) -> None:
    [event] = tried(empty, mapping(tmp_path), "--payload", payload(tmp_path, total=0))["events"]
    assert event["why"] == "condition_false"
    [condition] = event["conditions"]
    assert (condition["when"], condition["line"]) == ("body.total > 0", line_of("when"))


def test_a_fault_names_its_file_line_and_field(empty: Shop, tmp_path: Path) -> None:
    place = mapping(tmp_path)
    [event] = tried(empty, place, "--payload", payload(tmp_path, parts=0))["events"]
    assert event["why"].startswith("mapping_error: facts.value: a division by zero")
    assert (event["file"], event["line"], event["field"]) == (
        *(place, line_of("value")),
        "events[0].facts.value",
    )


def test_nobody_to_speak_of_and_what_was_not_believed_are_told(empty: Shop, tmp_path: Path) -> None:
    place = mapping(tmp_path)
    [event] = tried(empty, place, "--payload", payload(tmp_path, user=None, phone="12"))["events"]
    assert event["why"].startswith("no_subject; subject.phone: ")
    assert (event["field"], event["line"]) == ("subject", line_of("[subject]"))
    sample = payload(tmp_path, phone="+12125550123")
    [event] = tried(empty, place, "--payload", sample, "--trust", "browser")["events"]
    assert event["dropped"] == ["subject.phone: a browser source gives no phone number"]


def test_a_faulty_mapping_is_told_like_any_other(empty: Shop, tmp_path: Path) -> None:
    place = mapping(tmp_path, MAPPING.replace("body.total > 0", "body.total >"))
    code, text = empty.run("source", "try", place, "--payload", payload(tmp_path))
    assert code == 2
    assert f"{place}:{line_of('when')}: events[0].when: cannot be understood" in text


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "the body is not JSON"),
        (b"[1]", "no rule matches"),
        (b"", "the body is not JSON"),
    ],
)
def test_a_body_that_is_none_is_told(empty: Shop, tmp_path: Path, raw: bytes, says: str) -> None:
    sample = tmp_path / "raw"
    sample.write_bytes(raw)
    code, text = empty.run("source", "try", mapping(tmp_path), "--payload", str(sample))
    assert code == 1
    assert says in text


def test_a_play_that_does_not_start_is_told_with_its_reason(empty: Shop, tmp_path: Path) -> None:
    """The second change of the cart starts nothing more than the first one did."""
    place, first = mapping(tmp_path), payload(tmp_path)
    [event] = tried(empty, place, "--payload", first)["events"]
    assert [each["play"] for each in event["plays"]["start"]] == ["cart_abandoned"]
    twice = MAPPING.replace('[event]\nid = "body.id"', '[event]\nfor_each = "body"\nid = "item.id"')
    twice = twice.replace("body.", "item.")
    sample = tmp_path / "two.json"
    one = json.loads(Path(first).read_bytes())
    later = build.at(481).isoformat()
    sample.write_text(json.dumps([one, {**one, "id": "2", "at": later}, one]))
    told = tried(empty, mapping(tmp_path, twice), "--payload", str(sample))
    second = told["events"][1]["plays"]["not_started"][0]
    assert (second["play"], second["why"][0]["reason"]) == ("cart_abandoned", "already_waiting")
    assert told["events"][2]["state"] == "repeat"


def test_what_happened_long_ago_is_judged_as_if_it_had_been_heard_then(
    empty: Shop, tmp_path: Path
) -> None:
    place, long_ago = mapping(tmp_path), build.at(-30 * 24 * 60).isoformat()
    [event] = tried(empty, place, "--payload", payload(tmp_path, at=long_ago))["events"]
    assert event["as_if_heard_at"].startswith("2026-10-21T10:00:01")
    assert [each["play"] for each in event["plays"]["start"]] == ["cart_abandoned"]


def test_what_is_no_customers_is_told(empty: Shop) -> None:
    with (empty.path / "config.toml").open("a") as file:
        file.write('\n[traffic]\nstaff_emails = ["@example.org"]\n')
    [event] = tried(empty, "shop", "--payload", ORDER, *TOPIC)["events"]
    assert (event["signal"], event["why"]) == (None, "staff")
    assert "[traffic]" in event["hint"]


@pytest.mark.parametrize(
    ("source", "sample", "signal", "starts"),
    [
        ("backend", "segment_order_completed.json", "order_completed", ["order_confirmation"]),
        ("site", "segment_checkout_started.json", "cart_updated", ["cart_abandoned"]),
    ],
)
def test_events_of_a_library_are_tried_too(
    empty: Shop, source: str, sample: str, signal: str, starts: list[str]
) -> None:
    told = tried(empty, source, "--payload", str(SAMPLES / sample))
    [event] = told["events"]
    assert (told["verified"]["result"], event["signal"]) == ("by_key", signal)
    assert [each["play"] for each in event["plays"]["start"]] == starts


def test_headers_may_stand_in_a_file(empty: Shop, tmp_path: Path) -> None:
    headers = tmp_path / "headers.json"
    headers.write_text('{"X-Shopify-Topic": "orders/create", "X-Shopify-Event-Id": "e-9"}')
    told = tried(empty, "shop", "--payload", ORDER, "--headers", str(headers))
    assert told["events"][0]["id"] == "e-9 orders/create"
    for faulty in ("[]", "{"):
        headers.write_text(faulty)
        code, text = empty.run(
            "source", "try", "shop", "--payload", ORDER, "--headers", str(headers)
        )
        assert (code, '{"X-Topic": "orders"}' in text) == (2, True)


def test_neither_a_file_nor_a_source_is_told_with_the_nearest(empty: Shop) -> None:
    code, text = empty.run("source", "try", "shap", "--payload", ORDER)
    assert code == 3
    assert "shop" in text
    assert empty.run("source", "try", "shop", "--payload", "nowhere.json")[0] == 2


# As the running server would take it


@pytest.fixture
def signing(empty: Shop) -> Shop:
    """A folder whose pages must prove their users."""
    config = empty.path / "config.toml"
    (empty.path / "identity").write_text("a-secret-of-enough-letters")
    how = 'identity = "verified"\nidentity_secrets = ["file:identity"]\n'
    config.write_text(config.read_text().replace("[sources.site]\n", f"[sources.site]\n{how}"))
    return empty


def signed_page(tmp_path: Path, proof: str) -> str:
    told = json.loads((SAMPLES / "segment_page.json").read_bytes())
    path = tmp_path / "signed.json"
    path.write_text(json.dumps({**told, "userId": "u-7", "userHash": proof}))
    return str(path)


@pytest.mark.parametrize("named", ["site", "mappings/sources/segment.toml"])
def test_a_user_counts_only_where_the_server_signed_the_id(
    signing: Shop, tmp_path: Path, named: str
) -> None:
    proof = identity.signature("u-7", b"a-secret-of-enough-letters")
    for given, user in ((proof, "u-7"), ("0" * 64, None)):
        told = tried(signing, named, "--payload", signed_page(tmp_path, given))
        [event] = told["events"]
        assert (told["users"], event["subject"].get("user_id")) == ("verified", user)
        assert any("signature" in why for why in event["dropped"]) is (user is None)


def test_where_the_secret_that_signs_is_not_set_nobody_is_called_unsigned(
    signing: Shop, tmp_path: Path
) -> None:
    (signing.path / "identity").unlink()
    told = tried(signing, "site", "--payload", signed_page(tmp_path, "0" * 64))
    assert (told["users"], told["events"][0]["subject"]["user_id"]) == ("not_tried", "u-7")
    _, text = signing.run("source", "try", "site", "--payload", signed_page(tmp_path, "0"))
    assert "is not set" in text


def test_a_header_that_the_web_does_not_keep_is_not_there_to_be_read(
    empty: Shop, tmp_path: Path
) -> None:
    """Else a mapping that works here would find nothing once it runs."""
    by_header = MAPPING.replace('user_id = "body.user"', """user_id = "headers['x-who']" """)
    secret = MAPPING.replace('user_id = "body.user"', """user_id = "headers['x-token']" """)
    headers = ("--header", "X-Who: ann", "--header", "X-Token: abc", "--header", "User-Agent: x")
    for text, user in ((by_header, "ann"), (secret, None)):
        place, body = mapping(tmp_path, text), payload(tmp_path)
        [event] = tried(empty, place, "--payload", body, *headers)["events"]
        assert (event.get("subject") or {}).get("user_id") == user


def test_a_form_is_proven_by_nobody(empty: Shop, tmp_path: Path) -> None:
    sample = tmp_path / "form.json"
    sample.write_text('{"form": "join", "fields": {"phone": "+12025550123"}, "consent": null}')
    code, text = empty.run("source", "try", "mappings/sources/form.toml", "--payload", str(sample))
    assert code == 0, text
    assert "by nobody" in text
    assert "its key" not in text


@pytest.mark.parametrize(
    ("topic", "sample", "says"),
    [
        ("customers/redact", "customers_redact", "is forgotten"),
        ("customers/data_request", "customers_data_request", "tell them what is held"),
        ("shop/redact", "shop_redact", "nobody is forgotten by it alone"),
    ],
)
def test_what_somebody_asks_by_right_is_told(
    empty: Shop, topic: str, sample: str, says: str
) -> None:
    file = str(SAMPLES / "shopify" / f"{sample}.json")
    code, text = empty.run("source", "try", "shop", "--payload", file)
    assert code == 0, text
    assert says in text
    assert "none uses this signal" not in text


def test_what_another_tool_sent_is_told(empty: Shop, tmp_path: Path) -> None:
    reached = MAPPING.replace(
        'signal = "cart_updated"', 'signal = "mailed"\ncontact_made = "email"'
    )
    code, text = empty.run(
        "source", "try", mapping(tmp_path, reached), "--payload", payload(tmp_path)
    )
    assert (code, "reached by   email" in text) == (0, True), text


# Listing


def test_sources_are_listed_with_when_they_were_heard(shop: Shop) -> None:
    found = {item["source"]: item for item in shop.json("source", "list")}
    assert set(found) == {"site", "backend", "shop"}
    assert found["backend"]["heard"] == shop.one("SELECT count(*) FROM events")
    assert found["backend"]["last_heard"] == shop.one("SELECT max(received_at) FROM events")
    assert (found["shop"]["heard"], found["shop"]["mapping"]) == (0, "shopify")
    code, text = shop.run("source", "list", width=100)
    assert code == 0
    assert "never" in text


# Capturing


def begun(shop: Shop, *args: str) -> str:
    code, text = shop.run("source", "capture", *args)
    assert code == 0, text
    return text


def delivered(shop: Shop, name: str, body: Any, **more: Any) -> None:
    """What the web keeps of a delivery."""
    folder = shop.path / "data"
    asked = captures.asked(folder, name)
    assert asked is not None
    told = {"received_at": build.at(490).isoformat(), "headers": {}, "redacted": True, **more}
    assert captures.keep(folder, asked, {**told, "body": body})


def test_a_capture_is_begun_shown_and_removed(shop: Shop) -> None:
    text = begun(shop, "new_form", "--for", "2h", "--count", "5")
    assert "The next 5 deliveries at http://127.0.0.1:8080/in/new_form are kept until" in text
    delivered(shop, "new_form", {"plan": "pro"}, proof="not configured")
    text = begun(shop, "new_form", "--show")
    assert "new_form: 1 of 5 deliveries, open until 2026-11-20 20:10Z." in text
    assert '"plan": "pro"' in text
    kept = shop.path / "data/captures/new_form"
    assert f"source try mappings/sources/new_form.toml --payload {kept}" in text
    [told] = shop.json("source", "capture", "new_form", "--show")
    assert told["body"] == {"plan": "pro"}
    assert "closed" in begun(shop, "new_form", "--stop")
    assert "1 of 5 deliveries, closed" in begun(shop, "new_form", "--show")
    begun(shop, "new_form", "--forget")
    for end in ("--show", "--stop", "--forget"):
        code, text = shop.run("source", "capture", "new_form", end)
        assert (code, f"connector -C {shop.path} source capture new_form" in text) == (3, True)


def test_a_capture_can_be_tried_at_once(shop: Shop, tmp_path: Path) -> None:
    begun(shop, "carts")
    body = {**CART, "at": build.at(485).isoformat()}
    redacted = {"x-signature": "redacted (64 characters)"}
    delivered(shop, "carts", body, headers=redacted)
    delivered(shop, "carts", {**body, "type": "other"}, headers=redacted)
    place = str(shop.path / "data/captures/carts")
    code, text = shop.run("source", "try", mapping(tmp_path), "--payload", place, "--json")
    first, second = map(json.loads, text.splitlines())
    assert code == 1, "one of them means nothing"
    assert (first["events"][0]["signal"], second["events"][0]["signal"]) == ("cart_updated", None)
    assert tried(shop, mapping(tmp_path), "--payload", f"{place}/001.json")["events"]


def test_of_a_redacted_capture_no_signature_is_judged(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRY_SECRET", SECRET)
    begun(shop, "carts")
    delivered(shop, "carts", CART, headers={"x-signature": "redacted (64 characters)"})
    file = str(shop.path / "data/captures/carts/001.json")
    told = tried(shop, mapping(tmp_path), "--payload", file, "--secret-env", "TRY_SECRET")
    assert told["verified"]["result"] == "not_tried"
    assert "redacted" in told["verified"]["why"]


def test_a_capture_of_no_json_cannot_be_tried_and_says_so(shop: Shop, tmp_path: Path) -> None:
    begun(shop, "carts")
    folder = shop.path / "data"
    asked = captures.asked(folder, "carts")
    assert asked is not None
    captures.keep(folder, asked, {"text": "hello", "received_at": "2026-11-20T10:00:00Z"})
    file = str(folder / "captures/carts/001.json")
    code, text = shop.run("source", "try", mapping(tmp_path), "--payload", file)
    assert (code, "not JSON" in text) == (2, True)


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("New Form",), 2, "small letters"),
        (("new_form", "--for", "2d"), 2, "at most 24h"),
        (("new_form", "--for", "soon"), 2, "at most 24h"),
        (("new_form", "--count", "1000"), 2, "1000"),
        (("new_form", "--whole"), 2, "nothing of it can be verified"),
        (("new_form", "--show", "--stop"), 2, "say one of"),
    ],
)
def test_what_cannot_be_captured_is_refused(
    shop: Shop, args: tuple[str, ...], code: int, says: str
) -> None:
    found, text = shop.run("source", "capture", *args)
    assert (found, says in text) == (code, True), text


def test_what_comes_to_other_addresses_is_told_of(shop: Shop) -> None:
    text = begun(shop, "site")
    assert "comes to other addresses" in text
    assert "events --source site" in text
    assert "other addresses" not in begun(shop, "shop")


def test_of_a_crm_nothing_is_captured(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.cli.capture.OF_CRMS", {"local": ""})
    code, text = shop.run("source", "capture", "local")
    assert (code, "events --source local" in text) == (2, True)


def test_captures_take_a_bounded_room_together(shop: Shop) -> None:
    now = build.at(490)
    for number in range(captures.MOST_OPEN):
        asked = Capture(f"form{number}", now + timedelta(hours=1), 1, now)
        captures.open_(shop.path / "data", asked)
    code, text = shop.run("source", "capture", "one_more")
    assert (code, "end one" in text) == (1, True)
