"""Every sign of where somebody may be adds its rules and its clocks, and the strictest holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.hours import load
from connector.config.sources import load_source
from connector.errors import Fault
from connector.model import Contact, Event, Json, Signal, Trust
from connector.rules.hours import judge
from connector.rules.mapping import apply
from connector.rules.places import Address, Where, places
from connector.rules.signs import addresses

MAPPINGS = Path(__file__).parents[2] / "mappings"
HOURS = load(MAPPINGS / "hours.toml", [])
SHIPPING = ("shipping_country", "shipping_region", "shipping_postal", "ip_country")
MARGIN = timedelta(minutes=15)
OHIO = "+16145550123"  # the federal hours


def where(
    number: str = OHIO,
    *,
    crm: dict[str, Json] | None = None,
    signal: dict[str, Json] | None = None,
    timezone: str = "",
    **traits: Json,
) -> Where:
    """Where somebody is by the shipped signs."""
    contact = Contact("c", number, timezone=timezone, traits=traits)
    context: dict[str, Json] = {"crm": crm or {}, "signal": signal or {}}
    return places(contact, number, addresses(HOURS.signs, contact, context))


def is_open(found: Where, local: str, zone: str, purpose: str = "marketing") -> bool:
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    return judge(found, HOURS, purpose, at, MARGIN).open


@pytest.mark.parametrize(
    ("found", "rules", "why"),
    [
        (where(shipping_region="PA"), {"US-OH", "US-PA"}, "shipping region: Pennsylvania"),
        (where(shipping_postal="15222"), {"US-OH", "US-PA"}, "shipping postal code: Pennsylvania"),
        (where(shipping_postal=15222), {"US-OH", "US-PA"}, "shipping postal code: Pennsylvania"),
        (where(shipping_country="FR"), {"US-OH", "FR"}, "shipping country: FR"),
        (where(ip_country="fr"), {"US-OH", "FR"}, "IP address country: FR"),
        (where(crm={"state": "Utah"}), {"US-OH", "US-UT"}, "CRM region: Utah"),
        (where(crm={"zip": "84101"}), {"US-OH", "US-UT"}, "CRM postal code: Utah"),
        (where(crm={"country": "Canada"}), {"US-OH", "CA"}, "CRM country: CA"),
        (where(crm={"MailingState": "RI"}), {"US-OH", "US-RI"}, "CRM mailing region: Rhode Island"),
        (
            where(signal={"shipping_region": "LA", "shipping_country": "US"}),
            {"US-OH", "US-LA"},
            "shipping (this order) region: Louisiana",
        ),
    ],
)
def test_each_sign_contributes_its_row_and_is_told(found: Where, rules: set[str], why: str) -> None:
    assert set(found.rules) == rules
    assert why in found.why


@pytest.mark.parametrize(
    "traits",
    [
        {"ip_country": "XX"},
        {"ip_country": "T1"},
        {"ip_country": ""},
        {"ip_country": None},
        {"ip_country": True},
        {"shipping_region": "nowhere"},
        {"shipping_postal": ["15222"]},
        {"region": "PA"},  # a trait of that name is no column of the contact
    ],
)
def test_what_tells_no_place_adds_nothing(traits: dict[str, Json]) -> None:
    assert where(**traits) == where()


def test_a_parcel_to_pennsylvania_keeps_pennsylvanias_sunday() -> None:
    sunday = ("2027-04-11 12:00", "America/New_York")
    assert is_open(where(), *sunday)
    assert not is_open(where(shipping_region="PA"), *sunday)
    assert is_open(where(shipping_region="PA"), *sunday, purpose="service")


def test_an_address_abroad_is_closed_until_its_country_has_a_row() -> None:
    found = where(ip_country="JP")
    opening = judge(found, HOURS, "marketing", datetime(2027, 4, 6, 16, tzinfo=UTC), MARGIN)
    assert opening.closed
    assert opening.says == (
        "JP has no row in mappings/hours.toml, so no text goes there; "
        "add a [[hours]] table for it to open it."
    )


def test_a_parcel_to_california_waits_for_californias_morning() -> None:
    early = ("2027-04-06 09:00", "America/New_York")
    assert is_open(where(), *early)
    assert not is_open(where(shipping_region="CA"), *early)
    stated = where(shipping_region="CA", timezone="America/New_York")
    assert is_open(stated, *early), "a stated zone decides the clock alone"
    assert "US-CA" in stated.rules, "but not the rules"


def test_the_region_of_an_address_is_read_as_of_its_own_country() -> None:
    found = places(Contact("c", OHIO), OHIO, (Address("shipping", "CA", "BC", "V6B 1A1"),))
    assert set(found.rules) == {"US-OH", "CA-BC"}


def test_the_shipped_mappings_read_the_further_signs(tmp_path: Path) -> None:
    address = {"country": "US", "state": "PA", "postal_code": "15222"}
    payload: Json = {
        "type": "track",
        "event": "Product Viewed",
        "userId": "u-7",
        "context": {"ip_country": "FR"},
        "properties": {"product_id": "p1", "shipping_address": address},
    }
    faults: list[Fault] = []
    mapping = load_source(MAPPINGS / "sources" / "segment.toml", faults, ())
    at = datetime(2026, 11, 20, tzinfo=UTC)
    event = Event("e", "backend", "m", "track", "Product Viewed", at, at, payload)
    signal = apply(mapping, event, Trust.trusted, "US")
    assert isinstance(signal, Signal)
    assert {name: signal.traits[name] for name in SHIPPING} == {
        **{"shipping_country": "US", "shipping_region": "PA", "shipping_postal": "15222"},
        "ip_country": "FR",
    }
    assert where(**signal.traits).rules == ("FR", "US-OH", "US-PA")


STATES = ["", "PA", "CA", "UT", "LA", "KY", "TX", "RI", "AK", "IN"]
COUNTRIES = ["", "US", "CA", "FR", "GB"]
parts = st.fixed_dictionaries(
    {
        "shipping_region": st.sampled_from(STATES),
        "ip_country": st.sampled_from(COUNTRIES),
        "shipping_country": st.sampled_from(["", "US"]),
    }
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC)
)


@settings(max_examples=200, deadline=None)
@given(
    parts,
    st.sampled_from(STATES),
    st.sampled_from([OHIO, "+13055550123", "+14235550123", "+18085550123"]),
    st.sampled_from(["marketing", "service"]),
    instants,
)
def test_one_sign_more_never_opens_an_hour(
    traits: dict[str, Json], crm_state: str, number: str, purpose: str, now: datetime
) -> None:
    """Of people whose state is known; to learn the state of an American opens some hours."""
    crm: dict[str, Json] = {"state": crm_state}
    every = where(number, crm=crm, **traits)
    if not judge(every, HOURS, purpose, now, MARGIN).open:
        return
    names = [name for name in traits if traits[name]]
    for size in range(len(names)):
        for some in combinations(names, size):
            if "shipping_country" in names and "shipping_country" not in some:
                continue  # without its country a region may be another one
            fewer = where(number, crm=crm, **{name: traits[name] for name in some})
            assert judge(fewer, HOURS, purpose, now, MARGIN).open
