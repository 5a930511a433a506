"""The ``[traffic]`` table: whose events are no customer's."""

from __future__ import annotations

from ipaddress import ip_network

from connector import phone
from connector.config.toml import Table
from connector.rules.traffic import Network, Traffic


def traffic(table: Table) -> Traffic:
    """Read the table; faults go where the table's go."""
    found = Traffic(
        robots=table.flag("robots", True),
        tests=table.flag("tests", True),
        staff_emails=_emails(table, "staff_emails"),
        staff_numbers=_numbers(table, "staff_numbers"),
        staff_users=frozenset(table.words("staff_users", ())),
        staff_networks=_networks(table),
        test_emails=_emails(table, "test_emails"),
        test_numbers=_numbers(table, "test_numbers"),
    )
    table.done()
    return found


def _emails(table: Table, key: str) -> frozenset[str]:
    found = set()
    for written in table.words(key, ()):
        email = written.strip().lower()
        name, mark, domain = email.rpartition("@")
        if not mark or "." not in domain or " " in email or "@" in name:
            remedy = "write ann@shop.example, or @shop.example for everybody there"
            table.fault(key, f"holds {written!r:.60}, no e-mail address", remedy)
        else:
            found.add(email)
    return frozenset(found)


def _numbers(table: Table, key: str) -> frozenset[str]:
    found = set()
    for number in table.words(key, ()):
        try:
            found.add(phone.parse(number, "").e164)
        except phone.NotANumber as error:
            table.fault(key, f"holds {number!r:.20}: it {error}", "write it as +12025550123")
    return frozenset(found)


def _networks(table: Table) -> tuple[Network, ...]:
    found = []
    for written in table.words("staff_networks", ()):
        try:
            found.append(ip_network(written.strip(), strict=False))
        except ValueError:
            remedy = "write 203.0.113.0/24, 2001:db8::/48 or one address"
            table.fault("staff_networks", f"holds {written!r:.60}, no network", remedy)
    return tuple(found)
