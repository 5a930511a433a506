"""``[[routes]]`` and what accounts allow: every fault is named with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config import settings
from connector.config.settings import Settings
from connector.errors import Fault
from connector.rules.routing import Hop, Route

HEAD = """\
brand = "Corner Shop"
help_contact = "help@corner.example"
country = "US"
"""
TWILIO = """
[web]
public_url = "https://sms.corner.example"

[provider]
use = "twilio"

[providers.twilio]
account_sid = "AC1"
auth_tokens = ["env:TOKEN"]
from_number = "+15005550006"
in_flight = 80
segments_a_second = 40.5
"""
Read = Callable[..., tuple[Settings, list[Fault]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads settings, and tells every fault."""

    def read(routes: str, provider: str = TWILIO, head: str = HEAD) -> tuple[Settings, list[Fault]]:
        path, faults = tmp_path / "config.toml", list[Fault]()
        path.write_text(head + routes + provider)
        return settings.load(path, faults, {"TOKEN": "t"}), faults

    return read


def told(faults: list[Fault]) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.field, fault.message) for fault in faults]


def test_a_route_names_its_texts_and_by_whom_they_go(read: Read) -> None:
    found, faults = read("""
[[routes]]
name = "uk"
countries = ["GB", "IE"]
purposes = ["marketing"]
[[routes.hops]]
provider = "twilio"
senders = ["+447700900101", "+447700900102"]
[[routes.hops]]
provider = "twilio"
senders = "MG1"

[[routes]]
hops = [{ provider = "twilio" }]
""")
    assert faults == []
    pool = Hop("twilio", ("+447700900101", "+447700900102"))
    assert found.provider.routes == (
        Route("uk", (pool, Hop("twilio", ("MG1",))), ("GB", "IE"), ("marketing",)),
        Route("route 2", (Hop("twilio"),)),
    )


def test_an_account_says_how_many_calls_and_segments_it_takes(read: Read) -> None:
    found, _ = read("")
    account = found.provider.accounts["twilio"]
    assert (account.in_flight, account.per_second) == (80, 40.5)
    assert found.provider.in_flight == 10


def test_in_the_sandbox_no_route_counts(read: Read) -> None:
    route = '\n[[routes]]\nhops = [{ provider = "twilio" }]\n'
    live, _ = read(route)
    assert (live.provider.active, live.provider.carriers) == (live.provider.routes, ("twilio",))
    tried, faults = read(route, TWILIO.replace('use = "twilio"', 'use = "sandbox"'))
    assert faults == []
    assert len(tried.provider.routes) == 1
    assert (tried.provider.active, tried.provider.carriers) == ((), ("sandbox",))


@pytest.mark.parametrize(
    ("route", "line", "field", "says"),
    [
        ('hops = [{ provider = "twilo" }]', 6, "hops[0].provider", "is 'twilo'"),
        ('hops = [{ provider = "sandbox" }]', 6, "hops[0].provider", "sends nothing"),
        ("countries = ['GB']", 5, "hops", "names nobody"),
        ('countries = ["UK"]\nhops = [{ provider = "twilio" }]', 6, "countries", "'UK'"),
        ('purposes = ["offers"]\nhops = [{ provider = "twilio" }]', 6, "purposes", "'offers'"),
        ('channel = "fax"\nhops = [{ provider = "twilio" }]', 6, "channel", "'fax'"),
        (
            'hops = [{ provider = "twilio", senders = ["+1", "+1"] }]',
            6,
            "hops[0].senders",
            "'+1' twice",
        ),
        (
            '[[routes.hops]]\nprovider = "twilio"\nsenders = ["+1"]\n'
            '[[routes.hops]]\nprovider = "twilio"\nsenders = ["+1", "+2"]',
            11,
            "hops[1].senders",
            "which a hop before it has too",
        ),
        (
            'hops = [{ provider = "twilio" }, { provider = "twilio" }]',
            6,
            "hops[1].provider",
            "twilio again",
        ),
        (
            'channel = "whatsapp"\nhops = [{ provider = "twilio", senders = ["+12025550100"] }]',
            7,
            "hops[0].senders",
            "which speaks on sms",
        ),
        ('hops = [{ provider = "twilio", sender = "+1" }]', 6, "hops[0].sender", "not known"),
    ],
)
def test_a_route_at_fault_is_named_with_its_line(
    read: Read, route: str, line: int, field: str, says: str
) -> None:
    _, faults = read(f"\n[[routes]]\n{route}\n")
    found = [item for item in told(faults) if item[1] == f"routes[0].{field}"]
    assert [item[0] for item in found] == [line], told(faults)
    assert says in found[0][2]


def test_a_provider_without_settings_carries_nothing(read: Read) -> None:
    sandbox = '\n[provider]\nuse = "sandbox"\n'
    _, faults = read('\n[[routes]]\nhops = [{ provider = "twilio" }]\n', sandbox)
    assert [fault.message for fault in faults] == ["is twilio, which has no settings"]


def test_a_channel_that_the_provider_does_not_carry_is_a_fault(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.providers.twilio import Twilio

    monkeypatch.setattr(Twilio, "channels", frozenset({"sms"}))
    _, faults = read("""
[[routes]]
channel = "rcs"
hops = [{ provider = "twilio", senders = ["rcs:shop"] }]
""")
    assert [fault.message for fault in faults] == ["is twilio, which carries sms and no rcs"]


def test_a_route_that_is_never_asked_is_a_fault(read: Read) -> None:
    _, faults = read("""
[[routes]]
name = "all"
hops = [{ provider = "twilio" }]
[[routes]]
name = "uk"
countries = ["GB"]
hops = [{ provider = "twilio" }]
""")
    assert told(faults) == [
        (8, "routes[1]", "is never asked: 'all' before it takes all that it names")
    ]


def test_where_only_routes_count_the_operators_own_country_must_have_somebody(read: Read) -> None:
    only = TWILIO.replace('use = "twilio"', 'use = "twilio"\nonly_routes = true')
    uk = '\n[[routes]]\ncountries = ["GB"]\nhops = [{ provider = "twilio" }]\n'
    _, faults = read(uk, only)
    [fault] = faults
    assert fault.field == "provider.only_routes"
    assert fault.message == "leaves nobody for US (marketing, service, system)"
    _, faults = read(f'{uk}[[routes]]\nhops = [{{ provider = "twilio" }}]\n', only)
    assert faults == []
    _, faults = read("", only)
    assert [fault.message for fault in faults] == ["is set, and there is no route"]
