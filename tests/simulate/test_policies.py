"""What another policy would have altered: on a town's history, replayed under both."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.cli import cli
from connector.clock import text as text_of
from connector.config.loaded import load
from connector.ledger import acts, files, forgotten, rulebooks
from connector.simulate import policies, sides
from connector.simulate.altered import Change
from connector.simulate.policies import Diff
from tests.simulate.conftest import CART
from tests.simulate.town import BEGINS, Doing, Town, wander

BIG = """
[[suppress]]
name = "large carts"
when = "signal.value | default(0) > 90"
says = "somebody calls these people"
"""
STEP = """
[[steps]]
name = "reminder"
template = "cart_abandoned"
expires = "72h"

"""


class Draft:
    """A changed copy of a town's policy, beside the town's ledger."""

    def __init__(self, town: Town, path: Path) -> None:
        self.town, self.path = town, path
        self.changes: list[Change] = []
        self.text = (town.folder / "mappings" / "policy.toml").read_text()

    def replaced(self, old: str, new: str) -> str:
        assert old in self.text
        return self.text.replace(old, new)

    def diff(self, a: str, b: str, since: str = "", play: str = "") -> Diff:
        """Under ``a`` and under ``b``; each the text of a policy, or ``now``."""
        own, store = self.town.loaded, self.town.store
        with store.read() as tx:
            kept = sides.kept(rulebooks.versions(tx))
        both = tuple(self._side(letter, text, kept) for letter, text in (("a", a), ("b", b)))
        known = policies.past(store, kept, since)
        until = text_of(self.town.clock.at)
        self.changes.clear()
        return policies.diff(
            store,
            self.town.folder,
            own,
            (both[0], both[1]),
            known,
            since,
            play=play,
            until=until,
            each=self.changes.append,
        )

    def _side(self, letter: str, text: str, kept: list[sides.Kept]) -> sides.Side:
        if "\n" not in text:
            return sides.side(self.town.folder, self.town.loaded, kept, text)
        path = self.path / f"{letter}.toml"
        path.write_text(text)
        return sides.side(self.town.folder, self.town.loaded, kept, str(path))


@pytest.fixture
def draft(town: Town, tmp_path: Path) -> Draft:
    return Draft(town, tmp_path)


def sent(town: Town) -> int:
    sql = "SELECT count(*) AS n FROM sends WHERE accepted_at IS NOT NULL AND cause = 'play'"
    return int(town.rows(sql)[0]["n"])


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_what_was_in_force_comes_out_as_it_was_made_and_means_the_same_in_other_words(
    town: Town, draft: Draft, seed: int
) -> None:
    wander(town, random.Random(seed), 120)
    found = draft.diff("now", f"# the same, told otherwise\n{draft.text}")
    assert found.a.version != found.b.version
    assert found.compared is not None
    assert found.compared.different == 0
    assert found.compared.equal > 40
    assert found.altered.is_empty
    assert not draft.changes
    assert found.altered.whole.texts_a == found.altered.whole.texts_b == sent(town) > 0


# -- a corner shop: one play, whose texts wait for three days ----------------------------------


class Corner(Town):
    """A town with one play; Ann leaves carts, whose policy is changed before her eyes."""

    def cart(self, hours: float, key: str, value: int = 50, person: int = 0) -> None:
        """Somebody leaves a cart so many hours after the beginning."""
        self.go(BEGINS + timedelta(hours=hours) - self.clock.at)
        facts = {"value": value, "cart_url": f"https://corner.example/{key}"}
        self.do(Doing("", {"signal": "cart_updated", "key": key, "facts": facts}), person)

    def three_carts(self) -> None:
        """One at 11 on Friday where she is, one two hours later, one on Saturday at 13."""
        self.introduce(0, first_name="Ann")
        self.cart(0, "c1", value=95)
        self.cart(2, "c2")
        self.cart(26, "c3")
        self.go(timedelta(days=4))

    def govern(self, text: str) -> None:
        """Another policy from now on."""
        (self.folder / "mappings" / "policy.toml").write_text(text)
        self.loaded = load(self.folder, secrets=False)
        self.restart()

    def left(self) -> list[tuple[str, str]]:
        """Which texts went when: their carts, with day and hour, UTC."""
        sql = "SELECT key, accepted_at FROM sends WHERE accepted_at IS NOT NULL ORDER BY key"
        return [(row["key"], row["accepted_at"][8:16]) for row in self.rows(sql)]


@pytest.fixture
def corner(town_folder: Path, tmp_path: Path) -> Iterator[Corner]:
    path = tmp_path / "corner"
    shutil.copytree(town_folder, path)
    for play in (path / "mappings" / "plays").glob("*.toml"):
        play.unlink()
    expires = CART[: CART.index("[[steps]]")] + STEP + CART[CART.index("[goal]") :]
    (path / "mappings" / "plays" / "cart.toml").write_text(expires)
    found = Corner(path)
    found.three_carts()
    yield found
    found.stop()


@pytest.fixture
def drawn(corner: Corner, tmp_path: Path) -> Draft:
    return Draft(corner, tmp_path)


def fates(draft: Draft) -> list[tuple[str, str, str, str]]:
    """Of each text that goes otherwise: its cart, how, and when on either side (day, hour UTC)."""
    found = []
    for change in draft.changes:
        if change.moment == "text":
            a, b = (made.at[8:13] if made else "" for made in (change.a, change.b))
            found.append((change.key, change.what, a, b))
    return sorted(found)


TWICE_A_DAY = ("count = 1\n", "count = 2\n")


def test_a_wider_cap_lets_a_text_go_earlier(corner: Corner, drawn: Draft) -> None:
    assert corner.left() == [("c1", "30T16:00"), ("c2", "31T16:00")]
    found = drawn.diff("now", drawn.replaced(*TWICE_A_DAY))
    assert fates(drawn) == [("c2", "moved", "31T16", "30T20")]
    assert found.altered.changes == {("plan", "wait cap_full", "wait minimum_gap"): 1}
    assert found.altered.beside == 1  # the third cart has the cap of the week against it either way
    assert found.altered.whole.people == found.altered.plays["cart"].people == 1


def test_a_longer_gap_puts_a_text_off(drawn: Draft) -> None:
    wide = drawn.replaced(*TWICE_A_DAY)
    found = drawn.diff(wide, wide.replace('gap = "4h"', 'gap = "5h"', 1))
    assert fates(drawn) == [("c2", "moved", "30T20", "30T21")]
    assert not found.altered.changes
    assert found.compared is None  # neither was in force


def test_a_text_that_is_suppressed_leaves_its_place_to_later_ones(drawn: Draft) -> None:
    found = drawn.diff("now", drawn.text + BIG)
    assert fates(drawn) == [
        ("c1", "only_a", "30T16", ""),
        ("c2", "moved", "31T16", "30T18"),
        ("c3", "only_b", "", "31T18"),
    ]
    assert found.altered.changes == {
        ("plan", "send", "stop suppressed"): 1,
        ("send", "send", "nothing"): 1,
        ("plan", "wait cap_full", "send"): 1,
        ("plan", "stop cap_full", "wait cap_full"): 1,
        ("send", "nothing", "send"): 1,
    }
    whole = found.altered.whole
    assert (whole.texts_a, whole.texts_b, whole.only_a, whole.only_b, whole.moved) == (
        2,
        2,
        1,
        1,
        1,
    )


def test_other_hours_alone_are_a_difference_too(folder: Path, corner: Corner) -> None:
    text = (corner.folder / "mappings" / "hours.toml").read_text()
    path = folder.parent / "later.toml"
    path.write_text(re.sub(r'^hours = "\d\d:\d\d', 'hours = "14:00', text, flags=re.MULTILINE))
    code, told = command(folder, "diff", "now", "now", "--hours", "now", str(path), "--json")
    assert code == 0, told
    found = json.loads(told)
    assert found["a"]["policy"] == found["b"]["policy"]
    assert found["a"]["hours"] != found["b"]["hours"]
    at_noon = {"moment": "plan", "a": "send", "b": "wait quiet_hours", "decisions": 2}
    assert at_noon in found["changes"]
    assert found["recorded"]["different"] == 0


def test_before_the_span_both_sides_are_under_what_was_in_force(
    corner: Corner, drawn: Draft
) -> None:
    begins = text_of(corner.clock.at)
    first = corner.loaded.policy.version
    corner.govern(drawn.text.replace(*TWICE_A_DAY, 1))
    corner.cart(170, "c4")
    corner.cart(191, "c5")  # two in 7 days, as far as c2 went when it did
    corner.go(timedelta(days=3))
    assert [key for key, _ in corner.left()] == ["c1", "c2", "c4", "c5"]
    found = drawn.diff("now", first, since=begins)
    assert found.compared is not None
    assert (found.compared.different, found.recorded) == (0, 4)
    assert [(key, what) for key, what, *_ in fates(drawn)] == [("c5", "moved")]
    whole = drawn.diff("now", first)
    assert whole.compared is None  # each of them decided a part
    assert [key for key, *_ in fates(drawn)] == ["c2", "c5"]


def test_what_was_decided_before_the_span_stays_as_it_was(drawn: Draft) -> None:
    assert not drawn.diff("now", drawn.text + BIG).altered.is_empty
    assert drawn.diff("now", drawn.text + BIG, since="2026-10-30T17:00:00.000000Z").altered.is_empty


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    count=st.integers(1, 3),
    gap=st.sampled_from(["0h", "4h", "30h"]),
    margin=st.sampled_from(["0m", "4h"]),
    rule=st.sampled_from(["", BIG]),
)
def test_any_policy_beside_itself_alters_nothing_and_the_other_way_round_is_the_mirror(
    drawn: Draft, count: int, gap: str, margin: str, rule: str
) -> None:
    other = drawn.text.replace("count = 1\n", f"count = {count}\n", 1)
    other = other.replace('gap = "4h"', f'gap = "{gap}"', 1)
    other = other.replace('window_margin = "15m"', f'window_margin = "{margin}"', 1) + rule
    assert drawn.diff(other, f"# again\n{other}").altered.is_empty
    there = drawn.diff("now", other).altered
    back = drawn.diff(other, "now").altered
    assert {(moment, b, a): n for (moment, a, b), n in back.changes.items()} == there.changes
    assert (back.whole.only_a, back.whole.only_b) == (there.whole.only_b, there.whole.only_a)
    assert (back.same, back.moved, back.beside) == (there.same, there.moved, there.beside)


def test_only_one_play_is_told_where_one_is_named(town: Town, draft: Draft) -> None:
    wander(town, random.Random(3), 200)
    wide = draft.replaced('gap = "4h"', 'gap = "168h"')
    plays = {*draft.diff("now", wide).altered.plays}
    name = next(change.play for change in draft.changes if change.moment == "text")
    assert len(plays) > 1
    assert {*draft.diff("now", wide, play=name).altered.plays} == {name}


# -- the command -------------------------------------------------------------------------------


@pytest.fixture
def folder(corner: Corner) -> Path:
    """The shop's folder as it stands on the disk, its worker gone."""
    corner.cart(17 * 24, "z")
    corner.go(timedelta(hours=2))
    corner.store.checkpoint()
    return corner.folder


def command(folder: Path, *args: str) -> tuple[int, str]:
    wide: dict[str, str | None] = {"COLUMNS": None}
    done = CliRunner().invoke(cli, ["-C", str(folder), "policy", *args], env=wide)
    return done.exit_code, done.output


@pytest.fixture
def changed(drawn: Draft) -> Path:
    path = drawn.path / "draft.toml"
    path.write_text(drawn.text + BIG)
    return path


def test_the_command_tells_it_in_plain_words(folder: Path, changed: Path) -> None:
    code, told = command(folder, "diff", "now", str(changed))
    assert code == 0, told
    assert "Under A all 11 recorded decisions come out as they were made." in told
    assert "Texts: 3 under A, 3 under B; 1 only under A, 1 only under B, 1 at another time." in told
    assert "plan    send           stop suppressed" in told
    assert "+1212***0100" in told
    assert "+12125550100" not in told
    assert "what people would have done with other texts nobody knows" in told
    assert "+12125550100" in command(folder, "diff", "now", str(changed), "--full")[1]


def test_json_and_csv_tell_the_same(folder: Path, changed: Path, tmp_path: Path) -> None:
    table = tmp_path / "changes.csv"
    code, told = command(folder, "diff", "now", str(changed), "--json", "--csv", str(table))
    assert code == 0, told
    found: dict[str, Any] = json.loads(told)
    assert (found["texts_a"], found["texts_b"], found["people"]) == (3, 3, 1)
    assert found["differs"] is True
    assert found["recorded"] == {"decisions": 7, "held": "a", "equal": 11, "different": 0}
    assert found["plays"][0]["play"] == "cart"
    example = found["examples"][0]
    assert (example["a"]["verdict"], example["b"]["reasons"]) == ("send", ["suppressed"])
    assert example["a"]["at"] == example["b"]["at"]
    assert table.stat().st_mode & 0o777 == 0o600
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert len([row for row in rows if row["moment"] == "text"]) == 3
    assert len([row for row in rows if row["what"] in ("changed", "only_a", "only_b")]) >= sum(
        change["decisions"] for change in found["changes"]
    )


def test_versions_are_listed_and_shown_and_compared_by_a_part_of_their_name(
    folder: Path, corner: Corner, drawn: Draft
) -> None:
    first = corner.loaded.policy.version
    corner.govern(drawn.text + BIG)
    corner.store.checkpoint()
    found = [json.loads(line) for line in command(folder, "versions", "--json")[1].splitlines()]
    of_policy = [
        (item["version"], item["decisions"], item["now"])
        for item in found
        if item["kind"] == "policy"
    ]
    assert of_policy == [(first, 7, False), (corner.loaded.policy.version, 0, True)]
    assert first in command(folder, "versions")[1]
    assert command(folder, "show", first[:6])[1] == drawn.text
    assert command(folder, "show")[1] == drawn.text + BIG
    code, told = command(folder, "diff", first[:6], "now", "--json")
    assert code == 0, told
    assert json.loads(told)["only_a"] == 1
    assert json.loads(told)["recorded"]["different"] == 0


def test_a_fault_is_named_with_its_file_and_line_before_anything_runs(
    folder: Path, drawn: Draft
) -> None:
    path = drawn.path / "draft.toml"
    path.write_text(
        drawn.text + '[[caps]]\nname = "x"\npurpose = "marketing"\ncount = "two"\nper = "1d"\n'
    )
    code, told = command(folder, "diff", "now", str(path))
    line = drawn.text.count("\n") + 4
    assert code == 2
    assert f"draft.toml:{line}: caps" in told
    assert "'two'" in told


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("diff", "now", "cafe00"), "no version cafe00 of the policy"),
        (("diff", "now", "a"), "no version a of the policy"),
        (("show", "cafe00"), "connector policy versions"),
        (("diff", "now", "now", "--play", "none"), "no play none"),
    ],
)
def test_what_is_not_there_ends_with_3(folder: Path, args: tuple[str, ...], says: str) -> None:
    code, told = command(folder, *args)
    assert code == 3
    assert says in told


def test_a_version_that_todays_files_cannot_read_is_named(folder: Path, corner: Corner) -> None:
    capped = drawn_cap(corner.folder, "gone")
    with corner.store.write() as tx:
        files.keep(tx, [("policy", "policy", "0ldb00c5", capped)], corner.clock.at)
    corner.store.checkpoint()
    code, told = command(folder, "diff", "0ldb00c5", "now")
    assert code == 2
    assert "policy.toml@0ldb00c5:" in told


def drawn_cap(folder: Path, play: str) -> str:
    """The folder's policy with a cap of a play."""
    text = (folder / "mappings" / "policy.toml").read_text()
    cap = f'name = "{play}"\npurpose = "marketing"\ncount = 1\nper = "1d"\nplay = "{play}"\n'
    return f"{text}\n[[caps]]\n{cap}"


def test_what_cannot_be_known_is_said(folder: Path, corner: Corner, changed: Path) -> None:
    with corner.store.write() as tx:
        forgotten.add(tx, "x", "phone", None, corner.clock.at)
        acts.add(tx, "act_1", "retention", "ledger", who="connector", at=corner.clock.at, why="")
        library = ("library", "tzdata", "2020.1", "")
        files.keep(tx, [library], corner.clock.at)
    corner.store.checkpoint()
    told = command(folder, "diff", "now", str(changed))[1]
    assert "Not known: 1 numbers and names were forgotten" in told
    assert "is no longer kept ([retention])" in told
    assert "library tzdata is" in told
    assert "and was also 2020.1: today's is run on both sides." in told


def test_a_span_without_decisions_says_so(folder: Path, changed: Path) -> None:
    code, told = command(folder, "diff", "now", str(changed), "--since", "2026-12-24")
    assert code == 0
    assert "Nothing was decided in the span" in told
    assert "Nothing differs." in told
