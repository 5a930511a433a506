"""Small stories, each of people who are new, by which everything that may happen is reached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from connector.clock import text
from connector.messages import Carried
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
    one, other, third, fourth = (village.fresh() for _ in range(4))  # some may be held out
    go(village, one, "low")
    go(village, other, "high")
    go(village, third, "low")
    go(village, fourth, "low")
    village.minutes(70)
    for person in (one, other, third):
        go(village, person, "brief")  # too soon, and the day's cap is full
        go(village, person, "short")
    village.hours(25)
    for person in (one, third, fourth):
        go(village, person, "high")
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


def asked(village: Village) -> None:
    """A consent waits for the number's own yes; others are imported, or end of themselves."""
    village.until(DAY)
    says, silent, by_hand, listed, spoken = (village.fresh(consents=False) for _ in range(5))
    for person in (says, silent):
        village.say(person, "sp_offer", agreed=True, wording="Text me.")
    village.request(village.phone(by_hand))
    village.request("+12125550188")  # of nobody known
    village.imports(village.phone(listed), village.phone(listed))
    village.consent(village.phone(spoken), "service", True, "verbal")
    village.minutes(2)
    village.reply(says, "yes")
    village.reply(by_hand, "YES")
    for person in (says, silent, by_hand, listed, spoken):
        village.say(person, "sp_go", "asked", value=1, late=timedelta(minutes=31))
    village.hours(80)
    village.reply(silent, "yes")  # too late
    village.say(spoken, "sp_go", "over", value=1, late=timedelta(minutes=31))
    village.hours(1)


def unfit(village: Village) -> None:
    """Numbers that lists, hands, look-ups and new owners have something against."""
    village.until(DAY)
    people = [village.fresh() for _ in range(4)]
    by_hand, again, passed_on, fixed = people
    people += [listed := village.fresh(email="ann@listed.example")]
    village.witness.kinds[village.phone(fixed)] = "fixed_line"
    village.suppress(by_hand)
    village.suppress(again)
    village.unsuppress(again)
    village.reassign(passed_on)
    for person in people:
        go(village, person, "short", f"u{person}")
        village.say(person, "sp_go", "u", value=1, late=timedelta(minutes=31))
    village.minutes(20)
    village.reassign(passed_on, undo=True)
    village.identify_alone(listed, email="ann@elsewhere.example")
    for person in (passed_on, listed):
        village.say(person, "sp_go", "u2", value=1, late=timedelta(minutes=31))
    village.minutes(20)
    del village.witness.kinds[village.phone(fixed)]


def knows(village: Village) -> None:
    """What the CRM told is too old, and is asked again."""
    village.until(DAY)
    good, bad = village.fresh(), village.fresh()
    for person, status in ((good, "good"), (bad, "bad")):
        village.crm_change(person, sp_status=status)
    for _ in range(2):
        for person in (good, bad):
            go(village, person, "status")
        village.hours(7)


def tires(village: Village) -> None:
    """Who does not answer is texted less, then no more; so is who was not heard of for long."""
    village.until(DAY)
    tired, away = [village.fresh(), village.fresh()], [village.fresh(), village.fresh()]
    for hours in (48, 27, 24 * 7, 24 * 22):
        for person in tired:
            village.say(person, "sp_quiet", f"q{village.events}")
        village.hours(hours)
    for person in away:
        village.say(person, "sp_quiet", "q")
    village.hours(1)


def drives_away(village: Village) -> None:
    """A text after which people leave is paused, until a person has mended it."""
    village.until(DAY)
    people = [village.fresh() for _ in range(7)]
    for person in people[:5]:
        go(village, person, "drive")
        village.minutes(1)
        village.receipt(Status.delivered)
        village.reply(person, "STOP")
    go(village, people[5], "drive")
    village.minutes(20)
    village.resume_text("sp_drive")
    village.minutes(20)
    village.pause_text("sp_drive")
    go(village, people[6], "drive")
    village.hours(1)
    village.resume_text("sp_drive")
    village.minutes(1)


def spends(village: Village) -> None:
    """The budget of a day is used up, and what carriers take of a sender."""
    village.until(DAY)
    people = [village.fresh() for _ in range(8)]
    for person in people:
        go(village, person, "heavy")
    for person in people[:2]:
        go(village, person, "low")
    village.minutes(20)
    village.hours(24)


def carts(village: Village) -> None:
    """A reminder of a cart comes in time, or not at all."""
    village.until(DAY)
    in_time, late = village.fresh(), village.fresh()
    go(village, in_time, "cart", "c1")
    village.minutes(5)
    go(village, in_time, "cart", "c1")  # the same cart
    village.pause("sp_cart")
    go(village, late, "cart", "c2")
    village.hours(50)
    village.resume("sp_cart")
    village.hours(1)


def wrong_clock(village: Village) -> None:
    """The machine's clock is wrong, and marketing waits."""
    village.until(DAY)
    people = [village.fresh(), village.fresh()]
    guard = village.clock_goes_wrong()
    for person in people:
        go(village, person, "low")
        village.say(person, "sp_go", "w", value=1, late=timedelta(minutes=31))
    village.minutes(20)
    village.clock_goes_right(guard)
    village.minutes(20)


def forgotten(village: Village) -> None:
    """Somebody is forgotten while a text waits, and comes back."""
    village.until(DAY)
    person, back = village.fresh(), village.fresh()
    for each in (person, back):
        village.say(each, "sp_go", "f", value=1)
        village.say(each, "sp_go", "f2", value=1, late=timedelta(minutes=31))
    village.minutes(3)
    village.reply(back, "thanks")
    village.forget(person)
    village.forget(back)
    village.minutes(40)
    village.introduce(back)
    village.say(back, "sp_go", "g", value=1, late=timedelta(minutes=31))
    village.minutes(5)
    village.reply(back, "START")
    village.say(back, "sp_go", "g2", value=1, late=timedelta(minutes=31))
    village.minutes(5)


def comes_back(village: Village) -> None:
    """The ledger was a backup; what was due meanwhile is looked up before it goes."""
    village.until(DAY)
    said, clear, near, later = (village.fresh() for _ in range(4))
    began = village.clock.at
    for person in (said, clear, near, later):
        village.say(person, "sp_go", "b", value=1)
    for person, words in ((said, "Corner Shop: hello. Reply STOP to end."), (near, "Something.")):
        told = (f"LOST-{village.events}-{person}", village.phone(person), words)
        village.witness.listed.append(
            Carried("sandbox", *told, began + timedelta(minutes=31), segments=1)
        )
    village.clock.at += timedelta(minutes=32)  # another worker lives, and is lost
    village.restored(began)
    village.minutes(10)
    village.fetch()
    village.minutes(30)
    village.settle(went=False)
    village.hours(5)
    village.witness.listed.clear()


def doubtful(village: Village) -> None:
    """Nobody knows whether texts went, until a person finds out."""
    village.until(DAY)
    for went in (True, False):
        village.trouble("uncertain")
        village.say(village.fresh(), "sp_go", "d", value=1, late=timedelta(minutes=31))
        village.minutes(5)
        village.settle(went)
        village.minutes(20)
    village.hours(4)


def unheard(village: Village) -> None:
    """Replies may have been missed, and marketing waits until they were asked for."""
    village.until(DAY)
    person = village.fresh()
    village.nobody_listens()
    go(village, person, "low")
    village.minutes(20)
    village.replies_are_heard()
    village.minutes(20)


STORIES: Final[tuple[Story, ...]] = (
    *(ends, refusals, stages, numbers, starts, nights, seconds, talks, answers_again, ranks),
    *(pauses, answered, deaths, ones, shadows, consents, validity),
    *(asked, unfit, knows, tires, drives_away, spends, carts, wrong_clock, forgotten),
    *(comes_back, doubtful, unheard),
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
    village.list_fails()
    village.until(DAY)
    for _ in range(2):
        go(village, village.fresh(), "low")
    village.minutes(20)
    village.list_is_mended()
    village.until(NIGHT)
    planned = village.fresh(timezone="America/New_York")
    go(village, planned, "link")
    village.edit("sp_link", lambda old: old.replace("holdout = 0", 'holdout = 0\nmode = "off"'))
    village.reload(lambda folder: write_play(folder, "sp_new", "nonsense = 1"))  # refused whole
    village.until(DAY, weekday=False)


CHANGES: Final[tuple[Story, ...]] = (same_files, shortened)
"""Stories in which files change: by those of now the past cannot be made again."""
