"""Every shipped source, through the web's door and the worker's steps: genuine, forged, stale,
repeated and mangled deliveries; and what each event comes to mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli import cli
from connector.config.sources import load_source
from connector.errors import Fault, Unverified
from connector.model import Hook, Signal, Subject, Trust
from connector.rules.mapping import apply
from connector.sources import signatures
from connector.steps.advance import map_event
from tests.sources.kits import EACH_SAMPLE, KITS, ROOT, SAMPLES, Kit, Meaning
from tests.sources.room import Room, named, write

SOURCES = pytest.mark.parametrize("kit", KITS, ids=str)
KEPT = """SELECT (SELECT coalesce(sum(1 + repeats), 0) FROM events) +
    (SELECT count(*) FROM unreadable) AS n"""
BY_NAME = {kit.mapping: kit for kit in KITS}


# Genuine


@pytest.mark.parametrize(("kit", "name"), EACH_SAMPLE, ids=str)
def test_a_genuine_delivery_means_what_its_mapping_says(room: Room, kit: Kit, name: str) -> None:
    source = room.rt.sources[named(kit)]
    events = room.parse(kit, name).events
    assert len(events) == len(kit.samples[name])
    for event, meaning in zip(events, kit.samples[name], strict=True):
        signal = map_event(room.rt, source, event)
        assert isinstance(signal, Signal), signal
        _compare(signal, meaning)
        assert room.now - timedelta(minutes=1) <= event.occurred_at <= room.now


def _compare(signal: Signal, meaning: Meaning) -> None:
    assert (signal.name, signal.stage, signal.activity) == (
        *(meaning.signal, meaning.stage),
        meaning.activity,
    )
    assert signal.key == meaning.key
    if meaning.subject:
        assert signal.subject == Subject(**meaning.subject)
    assert meaning.facts.items() <= signal.facts.items()
    assert meaning.traits.items() <= signal.traits.items()
    given = [(each.purpose, each.granted, each.phone) for each in signal.consents]
    assert given == list(meaning.consents)
    assert all(each.wording == meaning.wording for each in signal.consents if meaning.wording)
    assert (signal.value_micros, signal.currency)[: 2 if meaning.amount else 0] == (
        meaning.amount or ()
    )


@pytest.mark.parametrize(("kit", "name"), EACH_SAMPLE, ids=str)
def test_a_genuine_delivery_is_in_the_ledger_once(room: Room, kit: Kit, name: str) -> None:
    room.deliver(kit, name)
    found = room.rows("SELECT state, reason FROM events ORDER BY id")
    assert [row["state"] for row in found] == ["done"] * len(kit.samples[name]), found
    told = room.rows("SELECT name, key FROM signals ORDER BY id")
    wanted = [(each.signal, each.key) for each in kit.samples[name]]
    if wanted[0][0] != "price_changed":  # about a thing, which is no person's signal
        assert [(row["name"], row["key"]) for row in told] == wanted


def test_what_segment_hands_on_hours_later_keeps_its_own_time(room: Room) -> None:
    """A library's clock is corrected by when its request came; a webhook comes when it comes."""
    room.move(room.now + timedelta(hours=3))
    for kit in (BY_NAME["segment_webhook"], BY_NAME["rudderstack_webhook"]):
        [event] = room.parse(kit, kit.first).events
        assert event.occurred_at == datetime(2026, 11, 20, 9, 59, 58, 100_000, UTC)


def test_what_is_agreed_to_in_a_typeform_waits_for_the_numbers_own_yes(room: Room) -> None:
    kit = BY_NAME["typeform"]
    [event] = room.parse(kit, "form_response").events
    source = room.rt.sources[named(kit)]
    for trust in (Trust.form, Trust.trusted):
        signal = apply(source.mapping, event, trust, "US")
        assert isinstance(signal, Signal)
        assert [given.pending for given in signal.consents] == [True]


# Forged


@SOURCES
def test_a_forged_delivery_is_refused_and_leaves_nothing(room: Room, kit: Kit) -> None:
    headers, body = kit.sample(kit.first)
    wrong = kit.others or (kit.secret + b"x", b"", kit.secret[:-1])
    forged = [kit.sign(secret, body, room.now) for secret in wrong if secret]
    for proof in (*forged, {}):
        status, said = room.post(kit, headers | proof, body)
        assert status == 401, said
        assert kit.secret.decode() not in said
    room.work()
    assert room.rows(KEPT) == [{"n": 0}]


@pytest.mark.parametrize(
    "kit", [kit for kit in KITS if not kit.mapping.startswith(("rudder", "posthog"))]
)
def test_a_delivery_that_was_changed_on_its_way_is_refused(room: Room, kit: Kit) -> None:
    headers, body = kit.sample(kit.first)
    proof = kit.sign(kit.secret, body, room.now)
    for changed in (body.replace(b"ann@", b"eve@"), body + b" ", body[:-1], b"{}", b""):
        if changed != body:
            assert room.post(kit, headers | proof, changed)[0] == 401
    room.work()
    assert room.rows(KEPT) == [{"n": 0}]


def test_a_batch_of_segments_is_refused_since_only_its_first_event_is_signed(room: Room) -> None:
    kit = BY_NAME["segment_webhook"]
    headers, body = kit.sample("identify")
    proof = kit.sign(kit.secret, body, room.now)
    for batch in (b"[" + body + b"]", b"[" + body + b"," + body + b"]"):
        status, said = room.post(kit, headers | proof, batch)
        assert status == 401
        assert "turn batching off" in said
    room.work()
    assert room.rows(KEPT) == [{"n": 0}]


def test_a_list_that_is_signed_as_a_whole_is_taken(room: Room) -> None:
    kit = BY_NAME["rudderstack_webhook"]
    headers, body = kit.sample("order_completed")
    other = body.replace(b"m-7001", b"m-7002")
    batch = b"[" + body + b"," + other + b"]"
    status, _ = room.post(kit, headers | kit.sign(kit.secret, batch, room.now), batch)
    assert status == 200
    room.work()
    keys = [row["source_event_id"] for row in room.rows("SELECT * FROM events ORDER BY id")]
    assert keys == ["m-7001", "m-7002"]


# Stale


@pytest.mark.parametrize("kit", [kit for kit in KITS if kit.has_timestamp])
def test_a_stale_delivery_is_refused_whichever_clock_is_wrong(room: Room, kit: Kit) -> None:
    headers, body = kit.sample(kit.first)
    for minutes in (-6, 6, -600, 600):
        proof = kit.sign(kit.secret, body, room.now + timedelta(minutes=minutes))
        status, said = room.post(kit, headers | proof, body)
        assert status == 401
        assert "clock" in said
    room.work()
    assert room.rows(KEPT) == [{"n": 0}]


def test_calendly_is_given_three_minutes(room: Room) -> None:
    kit = BY_NAME["calendly"]
    headers, body = kit.sample(kit.first)
    for minutes, status in ((4, 401), (2, 200)):
        proof = kit.sign(kit.secret, body, room.now - timedelta(minutes=minutes))
        assert room.post(kit, headers | proof, body)[0] == status


@pytest.mark.parametrize("kit", [kit for kit in KITS if not kit.has_timestamp])
def test_where_nothing_tells_the_age_a_delivery_sent_again_has_no_effect(
    room: Room, kit: Kit
) -> None:
    """These schemes sign no time, so a delivery of last month still proves itself. That it was
    taken before is known by the id of its event, which must hold."""
    room.deliver(kit, kit.first)
    told = room.rows("SELECT id FROM signals")
    consents = room.rows("SELECT id FROM consents")
    room.move(room.now + timedelta(days=30))
    room.deliver(kit, kit.first)
    assert [row["repeats"] for row in room.rows("SELECT repeats FROM events")] == [1]
    assert room.rows("SELECT id FROM signals") == told
    assert room.rows("SELECT id FROM consents") == consents


# Repeated


@SOURCES
def test_a_repeated_delivery_is_in_the_ledger_once(room: Room, kit: Kit) -> None:
    for _ in range(3):
        room.deliver(kit, kit.first)
        room.move(room.now + timedelta(seconds=2))  # so that a timestamp is another one
    [event] = room.rows("SELECT * FROM events")
    assert (event["repeats"], event["conflicts"]) == (2, 0)
    assert len(room.rows("SELECT id FROM signals")) <= 1
    wanted = len(kit.samples[kit.first][0].consents)
    assert len(room.rows("SELECT id FROM consents")) == wanted


def test_an_order_that_is_told_anew_in_the_same_state_counts_once(room: Room) -> None:
    kit = BY_NAME["woocommerce"]
    headers, body = kit.sample("order_created")
    for topic, delivery, total in (
        ("order.created", "d-1", "42.50"),
        ("order.updated", "d-2", "42.50"),
        ("order.updated", "d-3", "40.00"),  # a note, a line, a coupon: WooCommerce tells it all
    ):
        told = {**headers, "x-wc-webhook-topic": topic, "x-wc-webhook-delivery-id": delivery}
        changed = body.replace(b'"total": "42.50"', f'"total": "{total}"'.encode())
        proof = kit.sign(kit.secret, changed, room.now)
        assert room.post(kit, told | proof, changed)[0] == 200
    room.work()
    assert [row["name"] for row in room.rows("SELECT name FROM signals")] == ["order_completed"]
    room.deliver(kit, "order_cancelled")
    names = [row["name"] for row in room.rows("SELECT name FROM signals ORDER BY id")]
    assert names == ["order_completed", "order_cancelled"]


def test_woocommerce_s_unsigned_ping_is_answered_and_kept_nowhere(room: Room) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert room.post(BY_NAME["woocommerce"], headers, b"webhook_id=12")[0] == 200
    room.work()
    assert room.rows(KEPT) == [{"n": 0}]


# Mangled


@SOURCES
def test_a_delivery_that_is_cut_off_is_kept_as_unreadable(room: Room, kit: Kit) -> None:
    headers, body = kit.sample(kit.first)
    cut = body[: len(body) // 2]
    status, said = room.post(kit, headers | kit.sign(kit.secret, cut, room.now), cut)
    assert status == 400, said
    room.work()
    [row] = room.rows("SELECT source, reason, body FROM unreadable")
    assert row["source"] == named(kit)
    assert "not JSON" in row["reason"]
    assert row["body"] == cut.decode()
    assert not room.rows("SELECT id FROM events")


@SOURCES
def test_nothing_is_lost_of_a_delivery_whose_values_are_of_another_kind(
    room: Room, kit: Kit
) -> None:
    headers, body = kit.sample(kit.first)
    mangled = [[], 7, "x", None, *_mangled(json.loads(body))]
    for value in mangled:
        raw = json.dumps(value).encode()
        status, said = room.post(kit, headers | kit.sign(kit.secret, raw, room.now), raw)
        assert status == 200, said
    room.work()
    [kept] = room.rows(KEPT)
    assert kept["n"] >= len(mangled)
    for row in room.rows("SELECT state, reason FROM events"):
        assert row["state"] in ("done", "unmapped", "failed")
        assert "internal" not in row["reason"], row


def _mangled(value: Any) -> Iterator[Any]:
    """The value with one part of it, then another, made something else."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            junks: tuple[Any, ...] = ([1, "x"], {"a": {}}, 10**30, True)
            yield from (_with(value, key, junk) for junk in junks)
            yield from (_with(value, key, below) for below in _mangled(value[key]))


def _with(value: Any, key: Any, part: Any) -> Any:
    copied = value.copy()
    copied[key] = part
    return copied


# Vectors


ORDER = b'{"id":820982911946154508,"email":"jon@example.com"}'
SIGNED_AT = datetime.fromtimestamp(1790000000, UTC)
V1 = "985e215560d7cc3622fafc8c0664ba150f24c4da9b3bba084419a84d6a922c3a"
COMPUTED = {
    # One body and one secret, in the spelling that each vendor documents.
    "shopify": ("X-Shopify-Hmac-Sha256", "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8="),
    "woocommerce": ("X-WC-Webhook-Signature", "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8="),
    "typeform": ("Typeform-Signature", "sha256=D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8="),
    "segment_webhook": ("X-Signature", "a14b110eb3eb15d651646878b8dee97eb197df36"),
    "calendly": ("Calendly-Webhook-Signature", f"t=1790000000,v1={V1}"),
    "stripe": ("Stripe-Signature", f"t=1790000000,v1={V1},v0={'0' * 64}"),
    "calcom": (
        "X-Cal-Signature-256",
        "0f450c5e6863c01462e32eba4e6849ac3961400043ef32367e6de9ebf40b328f",
    ),
}


def _passes(
    mapping: str, secret: bytes, headers: dict[str, str], body: bytes, at: datetime
) -> bool:
    faults: list[Fault] = []
    scheme = load_source(ROOT / "mappings/sources" / f"{mapping}.toml", faults).verify
    assert scheme is not None
    lowered = {name.lower(): value for name, value in headers.items()}
    keys = signatures.read_keys(scheme, [secret])
    try:
        signatures.verify(scheme, keys, Hook("POST", "", lowered, body), at)
    except Unverified:
        return False
    return True


@pytest.mark.parametrize("mapping", COMPUTED)
def test_a_vector_passes_the_shipped_file_and_any_change_of_it_does_not(mapping: str) -> None:
    header, value = COMPUTED[mapping]
    assert _passes(mapping, b"hush", {header: value}, ORDER, SIGNED_AT)
    assert not _passes(mapping, b"hush", {header: value}, ORDER + b" ", SIGNED_AT)
    assert not _passes(mapping, b"hus", {header: value}, ORDER, SIGNED_AT)
    swapped = value.replace("v0=", "v2=").replace("v1=", "v0=")
    assert swapped == value or not _passes(mapping, b"hush", {header: swapped}, ORDER, SIGNED_AT)


def test_published_vectors_pass_the_shipped_files() -> None:
    # An SQL test of a public hmac function, not Shopify's own.
    body = b'{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}'
    header = {"X-Shopify-Hmac-Sha256": "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw="}
    assert _passes("shopify", b"test-webhook-secret", header, body, SIGNED_AT)
    # standard-webhooks/standard-webhooks libraries/javascript/src/webhook.test.ts (MIT).
    right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    at = datetime.fromtimestamp(1614265330, UTC)
    for signature, minutes, passes in (
        (right, 0, True),
        (f"v1,AAAA {right}", 0, True),
        (right.replace("OE=", "OA="), 0, False),
        (right, 6, False),
        (right, -6, False),
    ):
        headers = {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": signature,
        }
        now = at + timedelta(minutes=minutes)
        secret, told = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
        assert _passes("standard", secret, headers, told, now) is passes


# All of them together


def test_every_shipped_webhook_has_a_kit_and_every_sample_is_of_one() -> None:
    faults: list[Fault] = []
    files = [load_source(path, faults) for path in (ROOT / "mappings/sources").glob("*.toml")]
    assert {file.name for file in files if file.verify is not None} == set(BY_NAME)
    told = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.glob("*/*.json")}
    rights = {f"shopify/{name}.json" for name in RIGHTS}
    assert told - rights == {f"{kit.mapping}/{name}.json" for kit, name in EACH_SAMPLE}


RIGHTS = ("customers_data_request", "customers_redact", "shop_redact")


@SOURCES
def test_each_source_is_of_use_to_plays_that_are_shipped(kit: Kit) -> None:
    faults: list[Fault] = []
    file = load_source(ROOT / "mappings/sources" / f"{kit.mapping}.toml", faults)
    plays = [*(ROOT / "mappings/plays").glob("*.toml"), *(ROOT / "mappings/library").glob("*.toml")]
    text = "\n".join(path.read_text("utf-8") for path in plays)
    used = set(re.findall(r'^signal = "(\w+)"', text, re.MULTILINE))
    assert used & {rule.signal for rule in file.events}


def test_check_is_content_with_all_of_them_in_one_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "shop")
    result = CliRunner().invoke(cli, ["-C", str(path), "check"])
    assert result.exit_code == 0, result.output


def test_a_refund_and_a_parcel_are_of_whoever_the_order_was_of(room: Room) -> None:
    """A refund of Shopify names nobody; a text that asks for a review must not follow it."""
    for name in ("orders_create", "fulfillments_create", "refunds_create"):
        room.deliver(BY_NAME["shopify"], name)
    told = room.rows("SELECT name, contact_id FROM signals ORDER BY id")
    assert [row["name"] for row in told] == ["order_completed", "order_shipped", "order_refunded"]
    assert len({row["contact_id"] for row in told}) == 1
    assert len(room.rows("SELECT id FROM contacts")) == 1
