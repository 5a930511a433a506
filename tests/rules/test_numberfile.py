"""Files about numbers: what a line of a carrier's list, or of the FCC's answer, says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.rules.numberfile import Entry, columns, entry

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANN = "+12025550123"
DAY = datetime(2026, 3, 2, tzinfo=UTC) - timedelta(microseconds=1)  # 1 March's last instant


def read(header: str, line: str = "", **named: str) -> Entry:
    """What a line of a file with this header (or without one, the line itself) says."""
    at = columns(header.split(","), named)
    return entry((line or header).split(","), at, "US", NOW)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2025550123", Entry(ANN)),
        ("+12025550123,2026-03-01", Entry(ANN, True, DAY)),
        ("20260301,12025550123", Entry(ANN, True, DAY)),
        ("T-Mobile,(202) 555-0123,03/01/2026", Entry(ANN, True, DAY)),
        ("2025550123,yes", Entry(ANN)),
        ("2025550123,03/01/2026,Yes", Entry(ANN, True, None, DAY)),
        ("2025550123,3/1/2026,No", Entry(ANN, False, None, DAY)),
        ("2025550123,2026-03-01,No Data", Entry(ANN, False, None, DAY)),
    ],
)
def test_a_line_without_names_is_known_by_what_its_cells_look_like(line: str, said: Entry) -> None:
    assert read(line) == said


@pytest.mark.parametrize(
    ("header", "line", "said"),
    [
        ("Phone Number,Deactivation Date", "2025550123,2026-03-01", Entry(ANN, True, DAY)),
        ("TN,Query Date,Result", "2025550123,2026-03-01,yes", Entry(ANN, True, None, DAY)),
        ("phone,date,result", "2025550123,2026-03-01,yes", Entry(ANN, True, None, DAY)),
        ("phone,disconnect date,status", "2025550123,2026-03-01,yes", Entry(ANN, True, DAY)),
        ("tn,last_consent_date,response", "2025550123,,no data", Entry(ANN, False)),
        ("carrier,mdn,effective-date", "X,2025550123,", Entry(ANN)),
        ("phone,since", "2025550123,2026-03-01T10:00:00-05:00", Entry(ANN, True, DAY.replace(
            day=1, hour=15, minute=0, second=0, microsecond=0))),
    ],
)  # fmt: skip
def test_named_columns_are_found_by_the_names_that_files_use(
    header: str, line: str, said: Entry
) -> None:
    assert read(header, line) == said


def test_a_day_of_an_answer_is_that_of_the_change_where_a_mapping_says_so() -> None:
    line = ("phone,date,result", "2025550123,2026-03-01,yes")
    assert read(*line, since="date") == Entry(ANN, True, DAY)


def test_a_column_of_another_name_is_told_by_a_mapping() -> None:
    assert read("Handy,Seit", "2025550123,2026-03-01", phone="Handy", since="Seit").since == DAY


@pytest.mark.parametrize(
    ("header", "line", "why"),
    [
        ("phone", "12", "too short"),
        ("phone", "", "holds no number"),
        ("phone,date", "2025550123,soon", "the date is 'soon'"),
        ("phone,date", "2025550123,2026-11-22", "a day to come"),
        ("phone,date", "2025550123,0001-01-01", "nobody can have meant"),
        ("phone,date", "2025550123,9999-12-31", "nobody can have meant"),
        ("phone,query date", "2025550123,0001-01-01T00:00:00+05:00", "nobody can have meant"),
        ("phone,result", "2025550123,maybe", "write yes, no or no data"),
        ("2025550123", "hello", "holds no number"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(header: str, line: str, why: str) -> None:
    at = columns(header.split(","), {})
    with pytest.raises(ValueError, match=why):
        entry(line.split(",") if line else [""], at, "US", NOW)


@pytest.mark.parametrize(
    ("header", "named", "why"),
    [
        ("name,city", {}, "names no column phone"),
        ("phone", {"phone": "Mobile"}, "no column 'Mobile'"),
        ("phone", {"who": "phone"}, "there is no column 'who'"),
    ],
)
def test_a_header_without_a_number_says_what_to_do(
    header: str, named: dict[str, str], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        columns(header.split(","), named)
