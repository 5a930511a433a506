"""Suppression lists as values: who is on them, until when, and why."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Fault
from connector.rules.lists import Entries, Listed, Lists, Reading, SuppressionList

TODAY = date(2026, 11, 21)
ANN = "+12125550101"


def lists(*entries: Listed, name: str = "partners.csv", faults: tuple[Fault, ...] = ()) -> Lists:
    return Lists((SuppressionList(name, "d", lambda: Reading(Entries(entries), faults)),))


def test_a_number_on_a_list_is_found_with_the_list_and_the_reason() -> None:
    found = lists(Listed(ANN, "asked by phone"), Listed("+12125550102"))
    assert found.find(ANN, "", TODAY) == "partners.csv: asked by phone"
    assert found.find("+12125550102", "", TODAY) == "partners.csv"
    assert found.find("+12125550103", "ann@shop.example", TODAY) == ""


def test_an_address_is_found_in_any_case_by_itself_or_by_any_domain_above_it() -> None:
    found = lists(Listed("@rival.example"), Listed("eve@shop.example", "press"))
    assert found.find("", "Eve@Shop.example ", TODAY) == "partners.csv: press"
    assert found.find("", "joe@mail.RIVAL.example", TODAY) == "partners.csv"
    assert found.find("", "joe@rival.example.org", TODAY) == ""
    assert found.find("", "ann@notrival.example", TODAY) == ""


def test_an_entry_counts_through_its_last_day() -> None:
    found = lists(Listed(ANN, "trial", TODAY))
    assert found.find(ANN, "", TODAY) == "partners.csv: trial"
    assert found.find(ANN, "", TODAY + timedelta(days=1)) == ""


def test_of_two_entries_of_one_number_the_one_that_still_counts_is_found() -> None:
    past = Listed(ANN, "old", TODAY - timedelta(days=1))
    assert lists(past, Listed(ANN, "new")).find(ANN, "", TODAY) == "partners.csv: new"
    assert lists(Listed(ANN, "new"), past).find(ANN, "", TODAY) == "partners.csv: new"


def test_a_list_with_a_fault_says_so_and_still_names_whom_it_could_read() -> None:
    fault = Fault("mappings/suppression/partners.csv", 3, "", "is no number")
    found = lists(Listed(ANN), faults=(fault,))
    assert found.fault == str(fault)
    assert found.faults() == (fault,)
    assert found.find(ANN, "", TODAY)
    assert lists(Listed(ANN)).fault == ""


def test_a_file_is_read_once_and_only_when_it_is_asked() -> None:
    read = []

    def reading() -> Reading:
        read.append(1)
        return Reading(Entries([Listed(ANN)]))

    each = SuppressionList("a.txt", "d", reading)
    assert read == []
    assert [len(each.reading.entries), len(each.reading.entries)] == [1, 1]
    assert read == [1]


def test_the_content_that_a_policys_version_rests_on_names_each_list_and_its_digest() -> None:
    assert lists(Listed(ANN)).content == "# list partners.csv sha256:d"
    assert Lists().content == ""
    assert not Lists()


values = st.integers(2_000_000_000, 9_999_999_999).map(lambda digits: f"+1{digits}")
days = st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(st.lists(st.builds(Listed, values, st.sampled_from(["", "a", "b"]), days), max_size=60))
def test_whoever_has_an_entry_that_still_counts_is_found_and_nobody_else(
    entries: list[Listed],
) -> None:
    found = Entries(entries)
    counting = {each.value for each in entries if each.until is None or each.until >= TODAY}
    for each in entries:
        assert (found.find(each.value, TODAY) is not None) == (each.value in counting)
    assert found.find("+19999999990", TODAY) is None or "+19999999990" in counting
    assert len(found) == len(entries)
