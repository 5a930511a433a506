"""The ``[start]`` table: each of its forms, what goes with which, and what may be read by it."""

from __future__ import annotations

import tomllib
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from connector.config.plays.starts import read_start
from connector.config.supply import Supply
from connector.config.toml import Table
from connector.errors import Fault
from connector.rules.plays import Change, Date, Edge, FanOut, Kind, Schedule, Silence, Start
from tests.config.shelf import HEAD, STEPS, read, told
from tests.pages import blocks

CRON = 'schedule = "0 10 * * MON"\nzone = "America/New_York"\nsegment = "vip"'
THING = 'signal = "back_in_stock"\ncares = ["viewed"]'
USAGE = 'signal = "usage_reported"\nmeasure = "signal.used / signal.limit"\nthreshold = 0.8'
FORMS = {
    Kind.signal: 'signal = "cart_updated"',
    Kind.silence: 'silence = "7d"',
    Kind.change: 'changed = "contact.plan"',
    Kind.threshold: USAGE,
    Kind.date: 'date = "contact.birthday"',
    Kind.thing: THING,
    Kind.segment: 'enters = "vip"',
    Kind.schedule: CRON,
    Kind.hand: "hand = true",
}


def start(folder: Path, *lines: str) -> tuple[Start, list[tuple[str, str, str]]]:
    play, faults = read(folder, "\n".join((HEAD, "[start]", *lines, STEPS)))
    return play.start, told(faults)


@pytest.mark.parametrize(("kind", "lines"), FORMS.items())
def test_a_start_is_told_by_its_keys(tmp_path: Path, kind: Kind, lines: str) -> None:
    found, faults = start(tmp_path, lines)
    assert faults == []
    assert found.kind is kind


def test_a_signal_may_be_counted_or_the_first(tmp_path: Path) -> None:
    found, faults = start(tmp_path, FORMS[Kind.signal], 'count = 2\nwithin = "24h"')
    assert (found.count, found.within, faults) == (2, timedelta(days=1), [])
    found, faults = start(tmp_path, FORMS[Kind.signal], "first = true")
    assert (found.first, faults) == (True, [])


def test_a_signal_may_bear_a_date(tmp_path: Path) -> None:
    lines = 'signal = "booked"\ndate = "signal.starts_at"\noffset = "-24h"\nat = "10:00"'
    found, faults = start(tmp_path, lines, 'unless = ["viewed"]')
    assert (found.kind, faults) == (Kind.signal, [])
    assert found.date == Date("signal.starts_at", timedelta(days=-1), time(10))


def test_a_silence_counts_from_activity_unless_it_says_first_seen(tmp_path: Path) -> None:
    assert start(tmp_path, FORMS[Kind.silence])[0].silence == Silence(timedelta(days=7))
    found, faults = start(tmp_path, FORMS[Kind.silence], 'since = "first_seen"')
    assert (found.silence, faults) == (Silence(timedelta(days=7), "first_seen"), [])


@pytest.mark.parametrize("path", ["stage", "contact.plan", "crm.renewal"])
def test_what_may_change_is_the_stage_and_the_fields_that_are_supplied(
    tmp_path: Path, path: str
) -> None:
    found, faults = start(tmp_path, f'changed = "{path}"\nto = ["customer"]')
    assert (found.change, faults) == (Change(path, (), ("customer",)), [])


def test_a_change_may_ask_what_it_changed_from(tmp_path: Path) -> None:
    _, faults = start(tmp_path, FORMS[Kind.change], "where = \"change.before != 'x'\"")
    assert faults == []


def test_a_threshold_is_armed_again_below_itself_unless_said(tmp_path: Path) -> None:
    form = start(tmp_path, USAGE)[0].threshold
    assert form and (form.level, form.rearm_below, form.own) == (0.8, 0.8, 0.8)
    assert form.measure({"signal": {"used": 4, "limit": 5}}) == 0.8
    form = start(tmp_path, USAGE, "rearm_below = 0.5")[0].threshold
    assert form and form.rearm_below == 0.5


def test_a_date_has_an_offset_an_hour_and_a_year(tmp_path: Path) -> None:
    lines = 'date = "crm.renewal"\noffset = "-30d"\nat = "09:30"\nyearly = true'
    found, faults = start(tmp_path, lines, 'leap_day = "03-01"\nlook_back = "10d"')
    assert faults == []
    assert found.date == Date(
        "crm.renewal", timedelta(days=-30), time(9, 30), True, "03-01", timedelta(days=10)
    )


def test_a_thing_is_told_to_those_who_cared_or_to_a_segment(tmp_path: Path) -> None:
    found, faults = start(tmp_path, THING, 'within = "7d"\nlimit = 50')
    assert (found.fan_out, faults) == (FanOut(("viewed",), timedelta(days=7), "", 50), [])
    found, faults = start(tmp_path, 'signal = "back_in_stock"\nsegment = "vip"')
    assert (found.fan_out, faults) == (FanOut(segment="vip"), [])


def test_a_segment_is_entered_or_left(tmp_path: Path) -> None:
    assert start(tmp_path, 'enters = "vip"')[0].edge == Edge("vip", entering=True)
    assert start(tmp_path, 'leaves = "vip"')[0].edge == Edge("vip", entering=False)


def test_a_schedule_is_a_line_a_zone_and_a_segment(tmp_path: Path) -> None:
    found = start(tmp_path, CRON, "limit = 9")[0].schedule
    assert found == Schedule("0 10 * * MON", "America/New_York", "vip", 9)


@pytest.mark.parametrize(
    ("lines", "field", "says", "remedy"),
    [
        ("", "signal", "is missing", "one of signal, silence, changed"),
        ('signal = "viewed"\nenters = "vip"', "enters", "does not go with signal", "keep one"),
        ('silence = "7d"\nhand = true', "hand", "does not go with silence", "keep one"),
        (f'{USAGE}\ndate = "signal.used"', "date", "does not go with threshold", "keep one"),
        ('silence = "7d"\ncount = 2', "count", "does not go with silence", "goes with signal"),
        ('silence = "7d"\nwithin = "7d"', "within", "not go with silence", "signal or cares"),
        ('enters = "vip"\nkey = "\'a\'"', "key", "does not go with enters", "goes with signal"),
        ('signal = "viewed"\noffset = "1d"', "offset", "not go with signal", "goes with date"),
        ('signal = "booked"\ndate = "signal.starts_at"\nyearly = true', "yearly", "signal", "date"),
        (f'{CRON}\nwhere = "true"', "where", "does not go with schedule", "the play's audience"),
        ('hand = true\nafter = "1h"', "after", "does not go with hand", "let the first step wait"),
        ("hand = false", "hand", "is false", "hand = true"),
        ('silence = "0d"', "silence", "is no time at all", "7d"),
        ('silence = "400d"', "silence", "is over 365 days", "365d or less"),
        ('changed = "contact.plam"', "changed", "nothing supplies", "did you mean contact.plan?"),
        ('changed = "plan"', "changed", "which nothing supplies", ""),
        ('changed = "stage"\nto = ["custmer"]', "to", "holds 'custmer'", "mean 'customer'?"),
        ('signal = "viewed"\nmeasure = "1"', "threshold", "is missing", "measure ="),
        ('signal = "viewed"\nthreshold = 1', "measure", "is missing", "measure ="),
        (f"{USAGE}\nrearm_below = 0.9", "rearm_below", "is above the threshold", "or less"),
        ('date = "contact.brithday"', "date", "nothing supplies", "did you mean contact.birthday?"),
        ('date = "contact.birthday"\nat = "25:00"', "at", "no hour of the day", "09:30"),
        ('date = "contact.birthday"\noffset = "-x"', "offset", "is 'x'", "write a span"),
        ('date = "contact.birthday"\nleap_day = "02-29"', "leap_day", "is '02-29'", "03-01"),
        ('signal = "viewed"\ncares = ["viewed"]', "signal", "is 'viewed'", "back_in_stock"),
        ('signal = "back_in_stock"', "signal", "speaks of a thing", "say whom to tell"),
        (f'{THING}\nsegment = "vip"', "cares", "one of them only", "say whom to tell"),
        (f"{THING}\nwhere = \"contact.plan == 'x'\"", "where", "reads contact", "audience"),
        (f"{THING}\nwhere = \"did('viewed')\"", "where", "asks what a person did", "audience"),
        ('enters = "vp"', "enters", "no segment of segments.toml", "did you mean vip?"),
        (CRON.replace("0 10", "0 30"), "schedule", "is no cron line", "five fields"),
        (CRON.replace("0 10 * * MON", "@daily"), "schedule", "is no cron line", "five fields"),
        (CRON.replace("MON", "1"), "schedule", "counts weekdays", "MON-FRI"),
        (CRON.replace("* * MON", "30 2 *"), "schedule", "is never due", "a day that the month"),
        (CRON.replace("New_York", "Nowhere"), "zone", "no zone", "IANA"),
        ('signal = "viewed"\ncount = 2', "count", "has no window", 'within = "24h"'),
        ('signal = "viewed"\nwithin = "1d"', "within", "counts nothing", "add count = 2"),
        ('signal = "viewed"\nfirst = true\ncount = 2\nwithin = "1d"', "first", "count", "keep one"),
        ('signal = "viewed"\nunless = ["booked"]', "unless", "no time to happen", "after ="),
        ('signal = "viewed"\nwhere = "change.before"', "where", "reads change.before", ""),
    ],
)
def test_each_fault_says_what_would_be_right(
    tmp_path: Path, lines: str, field: str, says: str, remedy: str
) -> None:
    _, faults = start(tmp_path, lines)
    found = [fault for fault in faults if fault[0] == f"start.{field}"]
    assert found, faults
    assert says in found[0][1]
    assert remedy in found[0][2]


@pytest.mark.parametrize("step", ["*/2", "MON-FRI/2"])
def test_a_stride_over_weekdays_is_no_number_of_a_weekday(tmp_path: Path, step: str) -> None:
    _, faults = start(tmp_path, CRON.replace("MON", step))
    assert not [fault for fault in faults if "counts weekdays" in fault[1]]


@pytest.mark.parametrize("root", ["change.before == 'x'", "before.stock == 0"])
def test_what_is_known_as_it_starts_is_not_known_to_later_steps(tmp_path: Path, root: str) -> None:
    kind = Kind.change if root.startswith("change") else Kind.thing
    text = f'{HEAD}[start]\n{FORMS[kind]}\n{STEPS}where = "{root}"\n'
    assert [fault[0] for fault in told(read(tmp_path, text)[1])] == ["steps[0].where"]


def test_what_the_connector_hears_itself_may_start_and_end_a_play(tmp_path: Path) -> None:
    lines = 'signal = "reply"\nwhere = "signal.answer == \'1\'"\nafter = "1h"\nunless = ["click"]'
    found, faults = start(tmp_path, lines)
    assert (found.unless, faults) == (("click",), [])


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        (Kind.silence, "days"),
        (Kind.change, "field"),
        (Kind.date, "date"),
        (Kind.segment, "segment"),
        (Kind.schedule, "at"),
        (Kind.hand, "whatever_was_said"),
    ],
)
def test_a_text_may_read_what_began_its_play(tmp_path: Path, kind: Kind, fact: str) -> None:
    task = f'[[steps]]\nname = "t"\ntask = "{{{{ signal.{fact} }}}}"\n'
    play = f"{HEAD}[start]\n{FORMS[kind]}\n{task}"
    assert told(read(tmp_path, play)[1]) == []
    wrong = told(read(tmp_path, play.replace(f"signal.{fact}", "signal.nothing"))[1])
    assert bool(wrong) is (kind is not Kind.hand)


def test_a_fact_of_a_thing_that_is_sensitive_never_enters_a_text(tmp_path: Path) -> None:
    for root in ("signal", "thing"):
        task = f'[[steps]]\nname = "t"\ntask = "{{{{ {root}.cost }}}}"\n'
        faults = told(read(tmp_path, f"{HEAD}[start]\n{THING}\n{task}")[1])
        assert [fault[1] for fault in faults] == [
            f"reads {root}.cost, which is sensitive and never enters a text"
        ]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.signal, Kind.hand)])
def test_the_same_key_can_only_be_asked_of_a_signal(tmp_path: Path, kind: Kind) -> None:
    goal = '[goal]\nsignal = "order_completed"\nwithin = "7d"\nsame_key = true\n'
    faults = told(read(tmp_path, f"{HEAD}[start]\n{FORMS[kind]}\n{STEPS}{goal}")[1])
    assert [fault[0] for fault in faults] == ["goal.same_key"]


def test_a_signal_about_a_thing_ends_nobodys_way(tmp_path: Path) -> None:
    text = f'exits = ["back_in_stock"]\n{HEAD}[start]\n{FORMS[Kind.signal]}\n{STEPS}'
    assert [fault[0] for fault in told(read(tmp_path, text)[1])] == ["exits"]


def test_days_and_reviews_are_dates_without_quotes(tmp_path: Path) -> None:
    head = f'{HEAD}valid_until = 2027-01-31\nreview_every = "90d"\nreviewed = 2026-11-01\n'
    text = f"{head}[start]\n{FORMS[Kind.signal]}\n{STEPS}"
    play, faults = read(tmp_path, text)
    assert (play.valid_until, play.reviewed, faults) == (date(2027, 1, 31), date(2026, 11, 1), [])
    quoted = told(read(tmp_path, text.replace("2027-01-31", '"2027-01-31"'))[1])
    assert [fault[:2] for fault in quoted] == [("valid_until", "is no date")]
    alone = told(read(tmp_path, text.replace('review_every = "90d"\n', ""))[1])
    assert [fault[:2] for fault in alone] == [("reviewed", "says nothing alone")]


def test_every_start_that_is_shown_is_one_and_each_form_is_shown() -> None:
    kinds = set()
    for block in blocks():
        table = tomllib.loads(block.text).get("start", {}) if block.kind == "toml" else {}
        if block.page.name == "plays.md" and table:
            faults: list[Fault] = []
            found = read_start(Table(str(block), table, faults, {}), Supply(complete=False))
            assert faults == []
            kinds.add(found.kind)
    assert kinds == set(Kind) - {Kind.hand}, "a hand's is shown in its sentence"
