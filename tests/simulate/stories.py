"""Small stories, each of people who are new, by which everything that may happen is reached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from connector.clock import text
from connector.model import Status
from tests.simulate.village import Village, write_play

Story = Callable[[Village], None]
DAY, NIGHT = 19, 8  #: hours (UTC) at which all of the town's people may be texted, and none
ROBOT = "facebookexternalhit/1.1"


def go(village: Village, person: int, word: str, key: str = "", **more: object) -> None:
    village.say(person, "sp_go2", key or f"{word}{village.events}", word=word, **more)  # type: ignore[arg-type]


def ends(village: Village) -> None:
    """A play that waits, or walks, is ended in each of the ways that signals know."""
    village.until(DAY)
    people = [village.fresh() for _ in range(11)]
    for person in people:
        village.say(person, "sp_go", f"k{person}", value=1)
    stopped, goal_before, left, reached, late, gone, former, again, *early = people
    village.minutes(5)
    village.say(early[0], "sp_leave")
    village.identify_alone(early[1], plan="gone")
    village.say(early[2], "sp_former")
    village.say(stopped, "sp_stop")
    village.say(goal_before, "sp_goal")
    village.say(again, "sp_go", f"k{again}", value=2)  # the timer starts anew
    village.minutes(60)
    village.say(again, "sp_go", f"k{again}", value=2)  # already walked
    village.say(left, "sp_leave")
    village.say(reached, "sp_goal")
    village.identify_alone(gone, plan="gone")
    village.say(former, "sp_customer")
    village.say(former, "sp_former")
    village.minutes(90)
    village.say(late, "sp_goal")
    village.hours(4)


def refusals(village: Village) -> None:
    """What begins a play is refused for each reason that a start knows."""
    village.until(DAY)
    person = village.fresh()
    village.say(person, "sp_go")  # its condition reads what is not there
    village.say(village.fresh(), "sp_go", "old", value=1, late=timedelta(hours=60))
    village.say(village.fresh(), "sp_go", "fill", value=1, back_fill=True)
    go(village, village.fresh(), "link", late=timedelta(hours=60))
    go(village, village.fresh(), "link", back_fill=True)
    village.say(person, "sp_leave")
    village.say(person, "sp_go", "over", value=1, late=timedelta(minutes=10))
    go(village, person, "whom")
    go(village, person, "stage")
    go(village, person, "appointment", day="some day")
    later = text(village.clock.at + timedelta(hours=5))
    go(village, person, "appointment", day=later)
    for key in ("a", "a", "b"):
        go(village, person, "once", key)
    village.minutes(40)
    go(village, person, "once", "a")
    nobody = village.fresh(first_name="Nobody")
    go(village, nobody, "once")


def stages(village: Village) -> None:
    """Somebody moves on before the text does."""
    village.until(DAY)
    person = village.fresh()
    village.say(person, "sp_lead")
    go(village, person, "stage")
    village.say(person, "sp_customer")
    village.hours(2)


def numbers(village: Village) -> None:
    """Numbers that cannot be texted, and consents that are not there."""
    village.until(DAY)
    for traits in (
        {"phone": ""},
        {"phone": "+18005550199"},
        {"phone": "+79161234567"},
        {"consents": False},
        {"hold_back": True},
        {"do_not_contact": True},
    ):
        village.say(village.fresh(**traits), "sp_go", "n", value=1)
    village.minutes(40)
    for risk in ({}, {"risk": "high"}, {"risk": 5}, {"risk": 1}):
        go(village, village.fresh(**risk), "risk")
    go(village, village.fresh(), "hole")
    village.hours(1)


def nights(village: Village) -> None:
    """What is planned at night waits, and is asked again before it goes."""
    village.until(NIGHT)
    people = [village.fresh(timezone="America/New_York") for _ in range(7)]
    waits, changed, left, clock, stopped, short, both = people
    for word in ("low", "high"):
        go(village, both, word)
    village.identify_alone(left, club=True)
    village.say(waits, "sp_go", "w", value=1)
    go(village, clock, "clock", until=text(village.clock.at + timedelta(hours=2)))
    go(village, left, "left")
    go(village, stopped, "low")
    go(village, short, "short")
    village.say(changed, "sp_go", "c", value=1)
    village.minutes(61)
    village.reply(stopped, "STOP")
    village.identify_alone(left, club=False)
    village.until(DAY, weekday=False)
    village.reply(stopped, "START")
    village.reply(stopped, "HELP")
    village.until(NIGHT)
    village.say(changed, "sp_go", "c2", value=1, late=timedelta(minutes=31))
    go(village, village.fresh(timezone="America/New_York"), "low")
    village.jump(timedelta(days=3, hours=11))  # nobody works, and what waited is too late
    village.hours(1)


def seconds(village: Village) -> None:
    """The second text is planned just after the hours, and unwanted in the morning."""
    village.until(2)
    person = village.fresh(timezone="America/New_York")
    village.minutes(38)  # 21:38 there, and the service hours end at 22:00
    village.say(person, "sp_go", "s", value=1, late=timedelta(minutes=29))
    village.minutes(20)
    village.identify_alone(person, second=False)
    village.until(DAY)


def talks(village: Village) -> None:
    """Unclear replies, and a person of ours who answers one."""
    village.until(DAY)
    unclear, talking, lapses = (village.fresh() for _ in range(3))
    for person in (unclear, talking, lapses):
        go(village, person, "brief")
    village.minutes(5)
    village.reply(unclear, "don't stop")
    village.reply(lapses, "please don't cancel my order")
    village.reply(talking, "when do you open?")
    village.answer()
    village.until(DAY, weekday=False)
    village.minutes(60)
    for person in (unclear, talking):
        go(village, person, "brief")
        go(village, person, "low")
        go(village, person, "short")
    village.minutes(90)
    village.close_talk(village.phone(talking))
    village.consent(village.phone(unclear), "marketing", False)
    village.reply(unclear, "don't stop")
    village.release(village.phone(unclear))
    village.hours(80)
    village.reply(talking, "wrong number")


def answers_again(village: Village) -> None:
    """Somebody is talked with just as a play wants to speak."""
    village.until(DAY)
    person = village.fresh()
    village.say(person, "sp_go", "t", value=1)
    village.minutes(31)
    village.reply(person, "and the price?")
    village.answer()
    go(village, person, "short")
    village.say(person, "sp_go", "t2", value=1)
    village.hours(5)
    village.trial()


def ranks(village: Village) -> None:
    """One conversation at a time, and the one that matters more goes first."""
    village.until(DAY)
    one, other, third = village.fresh(), village.fresh(), village.fresh()
    go(village, one, "low")
    go(village, other, "high")
    go(village, third, "low")
    village.minutes(70)
    for person in (one, other, third):
        go(village, person, "brief")  # too soon, and the day's cap is full
        go(village, person, "short")
    village.hours(25)
    go(village, one, "high")
    go(village, other, "low")
    go(village, other, "short")
    village.hours(30)
    village.reply(other, "thanks")
    village.hours(2)


def pauses(village: Village) -> None:
    """Plays are paused, and all of them at once."""
    village.until(DAY)
    dropped, held, waits = (village.fresh() for _ in range(3))
    go(village, dropped, "drop")
    village.say(held, "sp_go", "p", value=1)
    village.minutes(2)
    village.pause("sp_drop")
    go(village, dropped, "drop")
    village.pause("sp_main")
    village.minutes(60)
    village.pause("*")
    go(village, waits, "short")
    go(village, waits, "link")
    village.minutes(40)
    for play in ("*", "sp_main", "sp_drop"):
        village.resume(play)
    village.minutes(30)


def starts(village: Village) -> None:
    """Each thing that may start a play does."""
    village.until(14)
    people = [village.fresh() for _ in range(9)]
    watched, changed, level, dated, moved, viewer, member, crm, other = people
    village.identify_alone(watched, watch=True)
    village.identify_alone(changed, plan="free")
    village.identify_alone(changed, plan="pro")
    for used in (10, 85, 50, 90):
        village.say(level, "sp_go2", "m", word="x", used=used, limit=100)
    village.identify_alone(dated, sp_day=text(village.clock.at + timedelta(hours=3)))
    village.identify_alone(moved, sp_day=text(village.clock.at + timedelta(hours=3)))
    village.say(viewer, "sp_viewed", "item")
    village.say(0, "sp_stock", "item", value=5)
    village.identify_alone(member, club=True)
    village.crm_change(crm, stage="one")
    village.crm_change(crm, stage="two")
    village.by_hand("sp_hand", other)
    village.minutes(90)
    village.identify_alone(moved, sp_day=text(village.clock.at + timedelta(days=9)))
    village.hours(3)
    village.say(watched, "sp_viewed", "item")  # while what follows the silence waits
    village.hours(7)
    village.identify_alone(member, club=False)
    village.hours(1)


def answered(village: Village) -> None:
    """What the provider answers, and what it tells later; links that are tapped."""
    village.until(DAY)
    for kind in ("refused", "deferred", "uncertain"):
        village.trouble(kind)
        village.say(village.fresh(), "sp_go", "r", value=1, late=timedelta(minutes=31))
        village.minutes(3)
    village.receipt(Status.delivered)
    person = village.fresh()
    go(village, person, "link")
    village.minutes(2)
    village.receipt(Status.delivered)
    village.click(agent=ROBOT)
    village.click()
    village.hours(1)
    go(village, village.fresh(), "link")
    village.hours(7)


def deaths(village: Village) -> None:
    """The worker dies before, while and after a text is handed over, and as it writes."""
    village.until(DAY)
    for when in ("before", "after"):
        village.witness.dies = when
        village.say(village.fresh(), "sp_go", "d", value=1, late=timedelta(minutes=31))
        village.minutes(40)
    for count in (1, 3, 6, 9):
        village.die_within(count)
        person = village.fresh()
        go(village, person, "link")
    village.restart()
    village.minutes(30)


def ones(village: Village) -> None:
    """Two turn out to be one, in the middle of the same play."""
    village.until(DAY)
    one, other, third, fourth = (village.fresh() for _ in range(4))
    for person in (one, other):
        village.say(person, "sp_go", "same", value=1)
    go(village, one, "low")
    go(village, third, "low")
    village.alias(one, other)
    village.minutes(40)
    village.say(one, "sp_go", "same", value=1)
    village.merge_by_hand(third, fourth)
    village.hours(4)
    village.split()
    village.say(fourth, "sp_go", "after", value=1)
    village.hours(4)


def shadows(village: Village) -> None:
    """Some are held out, and some plays only pretend."""
    village.until(DAY)
    for _ in range(5):
        person = village.fresh()
        go(village, person, "shadow")
        go(village, person, "held")
    village.hours(3)


def validity(village: Village) -> None:
    """A play's last day is over."""
    village.until(DAY)
    while village.clock.at.day < 22 and village.clock.at.month == 11:
        village.hours(24)
    village.until(DAY)
    go(village, village.fresh(), "valid")
    village.minutes(5)


def consents(village: Village) -> None:
    """Operators record what people said elsewhere."""
    village.until(DAY)
    one, other = village.fresh(), village.fresh()
    village.consent(village.phone(one), "service", False)
    village.consent(village.phone(other), "all", False)
    village.consent(village.phone(other), "service", True, "paper")
    for person in (one, other):
        village.say(person, "sp_go", "c", value=1, late=timedelta(minutes=31))
    village.consent(village.phone(one), "service", True, "paper")
    village.say(one, "sp_go", "c2", value=1, late=timedelta(minutes=31))
    village.minutes(20)


STORIES: Final[tuple[Story, ...]] = (
    *(ends, refusals, stages, numbers, starts, nights, seconds, talks, answers_again, ranks),
    *(pauses, answered, deaths, ones, shadows, consents, validity),
)


def same_files(village: Village) -> None:
    """The files are read again, and are what they were."""
    village.reload()


def shortened(village: Village) -> None:
    """Files change within the hour in which people wait."""
    village.until(DAY)
    people = [village.fresh(timezone="America/New_York") for _ in range(6)]
    off, gone, heard, adopted, older, newer = people
    go(village, adopted, "adopt")
    village.minutes(3)
    go(village, off, "off")
    go(village, gone, "gone")
    go(village, heard, "gone")
    village.say(older, "sp_go", "v", value=1)
    village.minutes(3)
    village.edit("sp_off", lambda old: old.replace("holdout = 0", 'holdout = 0\nmode = "off"'))
    village.remove("sp_gone")
    village.edit("sp_main", lambda old: old.replace("value > 0", "value > 1"))
    village.edit("sp_adopt", lambda old: old[: old.rindex("[[steps]]")])
    village.say(heard, "sp_viewed", "x")
    village.say(newer, "sp_go", "v", value=1)
    village.restart()
    village.hours(3)
    village.until(NIGHT)
    planned = village.fresh(timezone="America/New_York")
    go(village, planned, "link")
    village.edit("sp_link", lambda old: old.replace("holdout = 0", 'holdout = 0\nmode = "off"'))
    village.reload(lambda folder: write_play(folder, "sp_new", "nonsense = 1"))  # refused whole
    village.until(DAY, weekday=False)


CHANGES: Final[tuple[Story, ...]] = (same_files, shortened)
"""Stories in which files change: by those of now the past cannot be made again."""
