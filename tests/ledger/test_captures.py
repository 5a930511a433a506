"""Captures are bounded in number, bytes and time, for their owner alone, and go by themselves."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConnectorError
from connector.ledger import captures
from connector.ledger.captures import Capture
from tests.ledger.build import TEN

HOUR = timedelta(hours=1)


def asked(name: str = "shop", count: int = 3, **changes: Any) -> Capture:
    return Capture(name, TEN + HOUR, count, TEN, **changes)


def bodies(folder: Path, name: str = "shop") -> list[Any]:
    return [captures.read(path)["body"] for path in captures.kept(folder, name)]


def test_deliveries_are_kept_in_order_until_there_are_enough(tmp_path: Path) -> None:
    captures.open_(tmp_path, asked())
    for number in range(3):
        found = captures.current(tmp_path, "shop", TEN)
        assert found is not None
        assert captures.keep(tmp_path, found, {"body": number})
    assert captures.current(tmp_path, "shop", TEN) is None, "it is full"
    assert not captures.keep(tmp_path, asked(), {"body": 4})
    assert bodies(tmp_path) == [0, 1, 2]


def test_it_is_over_when_its_time_is(tmp_path: Path) -> None:
    captures.open_(tmp_path, asked())
    assert captures.current(tmp_path, "shop", TEN + HOUR - timedelta(seconds=1)) == asked()
    assert captures.current(tmp_path, "shop", TEN + HOUR) is None


@pytest.mark.parametrize("name", ["other", "", "..", "../captures/shop", "Shop", "a" * 41, "a/b"])
def test_a_name_that_nobody_asked_for_keeps_nothing(tmp_path: Path, name: str) -> None:
    captures.open_(tmp_path, asked())
    assert captures.current(tmp_path, name, TEN) is None
    assert not captures.forget(tmp_path, name)
    assert captures.current(tmp_path, "shop", TEN) is not None


def test_no_more_bytes_are_kept_than_a_capture_may_have(tmp_path: Path) -> None:
    captures.open_(tmp_path, asked(count=100))
    kept = 0
    while captures.keep(tmp_path, asked(count=100), {"body": "x" * 400_000}):
        kept += 1
    used = sum(path.stat().st_size for path in captures.kept(tmp_path, "shop"))
    assert kept == captures.MOST_BYTES // 400_100
    assert used <= captures.MOST_BYTES


def test_together_captures_take_no_more_than_a_bounded_room(tmp_path: Path) -> None:
    for number in range(captures.MOST_OPEN):
        captures.open_(tmp_path, asked(f"shop{number}"))
    with pytest.raises(ConnectorError, match=r"10 captures are open .*--stop"):
        captures.open_(tmp_path, asked("one_more"))
    captures.open_(tmp_path, asked("shop3"))  # anew: it takes nobody's place
    assert captures.close(tmp_path, "shop4", TEN)
    captures.open_(tmp_path, asked("one_more"))


def test_many_at_once_do_not_pass_the_bound(tmp_path: Path) -> None:
    captures.open_(tmp_path, asked(count=7))
    with ThreadPoolExecutor(8) as pool:
        each = pool.map(
            lambda number: captures.keep(tmp_path, asked(count=7), {"body": number}), range(40)
        )
    assert sum(each) == 7
    assert len(set(bodies(tmp_path))) == 7


def test_only_their_owner_can_read_them(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        captures.open_(tmp_path, asked())
        captures.keep(tmp_path, asked(), {"body": 1})
    finally:
        os.umask(before)
    place = tmp_path / captures.FOLDER / "shop"
    assert place.stat().st_mode & 0o777 == 0o700
    for path in place.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_a_closed_one_takes_nothing_and_goes_a_day_later(tmp_path: Path) -> None:
    captures.open_(tmp_path, asked())
    captures.keep(tmp_path, asked(), {"body": 1})
    assert captures.close(tmp_path, "shop", TEN + HOUR / 2)
    assert not captures.close(tmp_path, "shop", TEN + HOUR / 2)
    assert captures.current(tmp_path, "shop", TEN + HOUR / 2) is None
    gone = TEN + HOUR / 2 + captures.KEPT
    assert captures.tidy(tmp_path, gone - timedelta(seconds=1)) == 0
    assert bodies(tmp_path) == [1]
    assert captures.tidy(tmp_path, gone) == 1
    assert not (tmp_path / captures.FOLDER / "shop").exists()
    assert captures.tidy(tmp_path, gone) == 0


def test_one_that_is_begun_anew_has_forgotten_what_was_before(tmp_path: Path) -> None:
    captures.open_(tmp_path, asked())
    captures.keep(tmp_path, asked(), {"body": 1})
    captures.open_(tmp_path, asked())
    assert bodies(tmp_path) == []
    assert captures.forget(tmp_path, "shop")
    assert captures.asked(tmp_path, "shop") is None


def test_what_cannot_be_read_is_no_capture(tmp_path: Path) -> None:
    captures.open_(tmp_path, asked())
    place = tmp_path / captures.FOLDER / "shop"
    for broken in (b"", b"[]", b'{"until": "soon"}', b"{"):
        (place / captures.OPEN).write_bytes(broken)
        assert captures.asked(tmp_path, "shop") is None
        assert captures.current(tmp_path, "shop", TEN) is None
    assert captures.tidy(tmp_path / "nowhere", TEN) == 0


def test_one_that_is_being_closed_is_never_without_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what it kept, which names people, would never go away by itself."""
    captures.open_(tmp_path, asked())
    captures.keep(tmp_path, asked(), {"body": 1})

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            captures.close(tmp_path, "shop", TEN)
    assert captures.asked(tmp_path, "shop") == asked()
    assert captures.close(tmp_path, "shop", TEN)
    assert captures.tidy(tmp_path, TEN + captures.KEPT) == 1
