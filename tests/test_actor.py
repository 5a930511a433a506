"""Who acts is what the machine knows of them, never what the environment says."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from connector import actor


@pytest.mark.parametrize("name", ["USER", "LOGNAME", "SUDO_USER", "USERNAME"])
def test_no_variable_makes_anybody_somebody_else(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = actor.operator()
    monkeypatch.setenv(name, "mallory")
    assert actor.operator() == before
    assert "mallory" not in before


def test_behind_sudo_the_one_who_logged_in_acts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = next(user for user in pwd.getpwall() if user.pw_uid != os.getuid())
    login = tmp_path / "loginuid"
    login.write_text(str(other.pw_uid))
    monkeypatch.setattr(actor, "LOGIN", login)
    assert actor.operator() == f"operator:{other.pw_name}"


@pytest.mark.parametrize("kept", [str(actor.UNSET), "", "strange"])
def test_where_nobody_logged_in_the_process_acts_as_its_own_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: str
) -> None:
    login = tmp_path / "loginuid"
    login.write_text(kept)
    monkeypatch.setattr(actor, "LOGIN", login)
    assert actor.operator() == f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    monkeypatch.setattr(actor, "LOGIN", tmp_path / "none")
    assert actor.operator() == f"operator:{pwd.getpwuid(os.getuid()).pw_name}"


def test_a_user_without_a_name_is_known_by_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    login = tmp_path / "loginuid"
    login.write_text("54321")
    monkeypatch.setattr(actor, "LOGIN", login)
    assert actor.operator() == "operator:54321"
