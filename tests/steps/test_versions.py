"""Files that change while somebody is on the way: own versions, adopted and removed ones."""

from __future__ import annotations

import pytest

from connector.model import Subject
from connector.rules.plays import (
    Experiment,
    Goal,
    Mode,
    Step,
)
from connector.steps import versions
from tests.steps.build import DAY, HOUR, MINUTE, NOW, segment, when
from tests.steps.way import AB, OpenShop, begun, change, play, said, ways


def test_a_text_that_is_planned_leaves_as_its_own_version_says_it(open_shop: OpenShop) -> None:
    shop = begun(open_shop, play(*AB))
    shop.walk()
    change(shop, version="v2", steps=(Step("a", template="c"),), stages=("customer",))
    assert shop.dispatch() == 1
    assert said(shop) == ["a"]
    assert shop.rows("SELECT DISTINCT version FROM sends") == [{"version": "v1"}]


def test_two_changes_on_the_way_are_no_change_to_one_who_began_before_both(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))
    change(shop, version="v2", steps=(Step("a", template="c"),))
    shop.tell("signed_up", Subject(user_id="bob", phone="+12125550102"), key="k")
    shop.consent(phone="+12125550102")
    change(shop, version="v3", steps=(Step("a", template="d"),))
    shop.go()
    shop.go(HOUR)
    assert sorted(said(shop)) == ["a", "b", "c"]


def test_the_goal_and_the_exits_of_one_on_the_way_are_those_of_their_version(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB, exits=("left",), goal=Goal("paid", DAY)))
    change(shop, version="v2", exits=("gone",), goal=Goal("bought", DAY))
    shop.tell("gone", at=NOW + MINUTE)
    shop.tell("bought", at=NOW + MINUTE)
    assert ways(shop)["way"] == ("waiting", "")
    shop.tell("left", at=NOW + MINUTE)
    assert ways(shop)["way"] == ("ended", "exit:left")


def test_a_segment_is_what_it_was_in_the_version_that_is_walked(open_shop: OpenShop) -> None:
    step = Step("a", template="a", where=when("in_segment('keen')"))
    own = {"keen": segment("keen", "did('signed_up')")}
    shop = begun(open_shop, play(step, segments=own))
    shop.rt.segments = {"keen": segment("keen", "did('paid')")}
    shop.go()
    assert said(shop) == ["a"]


def test_a_play_that_is_off_today_ends_also_for_those_of_an_older_version(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))
    change(shop, version="v2", mode=Mode.off)
    assert shop.go() == 0
    assert ways(shop)["way"] == ("ended", "play_off")


def test_a_version_that_can_no_longer_be_read_goes_on_by_the_newest_and_its_arm(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))
    other = play(Step("a", template="d"), arm="other", version="v2")
    test = Experiment("words", "steps", {"other": 1.0}, {"other": other})
    change(shop, version="v2", experiment=test)
    shop.rt.revive = lambda name, content: None
    with shop.store.write() as tx:
        tx.run("UPDATE enrolments SET arm = 'other'")
    shop.go()
    assert said(shop) == ["d"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (("a", "b", "c"), ["a", "b", "c"]),
        (("b", "a", "c"), ["a", "b", "c"]),  # a has been said already
        (("x", "a", "b"), ["a", "b"]),
        (("a", "c"), ["a", "c"]),  # b is gone: what stands in its place
        (("a",), ["a"]),
    ],
)
def test_an_adopted_file_goes_on_at_the_step_of_the_same_name_and_says_nothing_twice(
    open_shop: OpenShop, steps: tuple[str, ...], expected: list[str]
) -> None:
    shop = begun(open_shop, play(*AB))
    shop.go()
    made = tuple(Step(name, template="d" if name == "x" else name) for name in steps)
    change(shop, version="v2", steps=made, adopt=True)
    shop.tick(HOUR)
    while shop.go():
        shop.tick(MINUTE)
    assert said(shop) == expected
    assert len(shop.sends()) == len({row["step"] for row in shop.sends()})
    assert ways(shop)["way"] in (("done", ""), ("ended", "no_step"))


@pytest.mark.parametrize("when_", ["planned", "in flight"])
def test_an_adopted_file_that_ends_before_the_step_of_a_text_is_done_with_it(
    open_shop: OpenShop, when_: str
) -> None:
    shop = begun(open_shop, play(*AB))
    shop.go()
    shop.tick(HOUR)
    shop.walk()

    def shortened(message: object = None) -> None:
        change(shop, version="v2", steps=AB[:1], adopt=True)

    if when_ == "planned":
        shortened()
    else:
        shop.carrier.before = shortened
    assert shop.dispatch() == (0 if when_ == "planned" else 1)
    assert ways(shop)["way"] == ("done", "")


def test_a_condition_may_read_at_which_step_the_walk_stands(open_shop: OpenShop) -> None:
    first = Step("a", template="a", where=when("walk.step == 'a' and walk.texts == 0"))
    second = Step("b", template="b", where=when("walk.step == 'b' and walk.texts == 1"))
    shop = begun(open_shop, play(first, second))
    shop.go()
    shop.go()
    assert said(shop) == ["a", "b"]


def test_a_text_whose_step_an_adopted_file_no_longer_has_does_not_leave(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))
    shop.walk()
    change(shop, version="v2", steps=(Step("c", template="c"), AB[1]), adopt=True)
    assert shop.dispatch() == 0
    assert shop.decisions("send") == [("stop", "no_longer_wanted")]
    shop.go(HOUR)
    assert said(shop) == ["b"]


def test_a_play_that_is_removed_while_its_text_is_in_flight_ends_when_that_was_taken(
    open_shop: OpenShop,
) -> None:
    shop = begun(open_shop, play(*AB))

    def removed(message: object) -> None:
        shop.rt.plays = {}

    shop.carrier.before = removed
    assert shop.go() == 1
    [row] = shop.enrolments()
    assert (row["state"], row["exit_reason"]) == ("ended", "play_removed")
    assert row["first_text_at"] is not None


def test_a_place_is_found_by_its_name_wherever_it_stands(open_shop: OpenShop) -> None:
    three = play(Step("a"), Step("b"), Step("c"))
    row = {"step": 1, "step_name": "b"}
    assert versions.step_at(three, row) == 1
    assert versions.step_at(play(Step("b"), Step("a")), row) == 0
    assert versions.step_at(play(Step("a"), Step("x")), row) == 1
    assert versions.step_at(three, {"step": 0, "step_name": ""}) == 0
    assert versions.step_at(play(Step("a")), {"step": 5, "step_name": "z"}) == 5
