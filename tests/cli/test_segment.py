"""``connector segment``: the segments, who is in one now, how many, and of whom it is not told."""

from __future__ import annotations

from connector.ledger.store import Tx
from connector.steps import segments
from tests.cli.conftest import Shop
from tests.ledger import build

FILE = """\
[[segments]]
name = "cart_holders"
description = "Filled a cart of late"
when = "did('cart_updated', within='7d')"
[[segments]]
name = "vips"
when = "contact.vip"
[[segments]]
name = "at_corner"
when = "contact.email.endswith('@corner.example')"
[[segments]]
name = "owned"
when = "crm.phone | default('') == 'told'"
[[segments]]
name = "new_vips"
when = \"\"\"in_segment('vips')
    and days_since(first_seen) < 1\"\"\"
"""


def people(shop: Shop, *names: str, **traits: object) -> None:
    def act(tx: Tx) -> None:
        for name in names:
            build.contact(tx, name, phone="", **traits)

    shop.write(act)


def written(shop: Shop) -> Shop:
    (shop.path / "mappings" / "segments.toml").write_text(FILE)
    return shop


def ids(shop: Shop, *args: str) -> list[str]:
    return [item["id"] for item in shop.json("segment", *args)]


def test_without_a_name_the_segments_are_listed_with_their_conditions(shop: Shop) -> None:
    code, text = written(shop).run("segment")
    assert code == 0
    assert "cart_holders\n  Filled a cart of late\n  did('cart_updated', within='7d')" in text
    assert "  in_segment('vips') and days_since(first_seen) < 1" in text.splitlines()
    found = {item["segment"]: item for item in shop.json("segment")}
    assert found["cart_holders"]["signals"] == ["cart_updated"]
    assert found["new_vips"]["reads"] == ["contact.vip", "first_seen", "now"]


def test_who_is_in_it_is_listed_newest_first_and_masked(shop: Shop) -> None:
    written(shop)
    people(shop, "2", "3", vip=True)
    people(shop, "4", vip=False)
    assert ids(shop, "vips") == ["con_3", "con_2"]
    assert ids(shop, "vips", "--list", "1") == ["con_3"]
    assert ids(shop, "new_vips") == ["con_3", "con_2"]
    assert ids(shop, "cart_holders") == ["con_1"]
    code, text = shop.run("segment", "cart_holders")
    assert code == 0
    assert text.splitlines()[1].split() == [
        *("con_1", "Ann", "+1415***0123", "lead"),
        *("2026-11-20", "10:00Z"),
    ]
    assert build.PHONE in shop.run("segment", "cart_holders", "--full")[1]
    assert "--count" in shop.run("segment", "vips", "--list", "1")[1]


def test_a_count_goes_through_everybody_and_tells_of_whom_it_is_not_told(shop: Shop) -> None:
    written(shop)
    people(shop, "2", "3", vip=True)
    people(shop, "4", vip=False)
    assert shop.json("segment", "vips", "--count") == [
        {"segment": "vips", "count": 2, "people": 4, "untold": 1}
    ]
    code, text = shop.run("segment", "new_vips", "--count")
    assert code == 0
    assert "2 of 4 people are in new_vips" in text
    assert "of 1 it cannot be told; of 1 of them: segment vips: contact.vip has no value" in text


def test_a_segment_may_read_the_identities_and_the_crm(shop: Shop) -> None:
    written(shop)
    people(shop, "2")

    def act(tx: Tx) -> None:
        tx.run("UPDATE identities SET value = 'a@corner.example' WHERE value = 'ann2@shop.example'")
        tx.run(
            "INSERT INTO crm_facts (contact_id, crm, facts, fetched_at) "
            "VALUES ('con_2', 'local', '{\"phone\": \"told\"}', '2026-11-20')"
        )

    shop.write(act)
    assert ids(shop, "at_corner") == ["con_2"]
    assert ids(shop, "owned") == ["con_2"]


def test_it_goes_through_all_pages_and_past_those_merged_away(shop: Shop) -> None:
    written(shop)
    many = 2 * segments.PAGE + 1

    def act(tx: Tx) -> None:
        tx.run(
            """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= :many)
            INSERT INTO contacts (id, traits, created_at, merged_into)
            SELECT 'con_p' || i, '{"vip": true}', '', CASE WHEN i > :many THEN 'con_1' END
            FROM n""",
            many=many,
        )

    shop.write(act)
    [counts] = shop.json("segment", "vips", "--count")
    assert (counts["count"], counts["people"]) == (many, many + 1)
    assert len(set(ids(shop, "vips", "--list", "2000"))) == many


def test_nobody_and_no_segment_end_with_3_and_wrong_options_with_2(shop: Shop) -> None:
    code, text = written(shop).run("segment", "new_vips")
    assert code == 3
    assert "contact.vip has no value" in text
    code, text = shop.run("segment", "vip")
    assert code == 3
    assert "did you mean vips?" in text
    assert shop.run("segment", "vips", "--count")[0] == 0
    assert shop.run("segment", "vips", "--count", "--list", "3")[0] == 2
    assert shop.run("segment", "--count")[0] == 2
    (shop.path / "mappings" / "segments.toml").write_text("")
    assert shop.run("segment")[0] == 3
