"""``connector init``: a folder to start from, never overwriting what is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connector import starters
from connector.cli import cli


def init(folder: Path) -> Result:
    return CliRunner().invoke(cli, ["init", str(folder)])


def test_all_starters_are_copied_byte_for_byte(tmp_path: Path) -> None:
    result = init(tmp_path / "new" / "shop")
    assert result.exit_code == 0
    names = [name for name, _ in starters.files()]
    assert Path("config.toml") in names
    assert Path("mappings/policy.toml") in names
    assert Path("templates/welcome.en.txt") in names
    for name, source in starters.files():
        assert (tmp_path / "new" / "shop" / name).read_bytes() == source.read_bytes()
    assert f"{len(names)} files written" in result.output


def test_what_is_there_stays_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('brand = "Mine"\n')
    result = init(tmp_path)
    assert result.exit_code == 0
    assert (tmp_path / "config.toml").read_text() == 'brand = "Mine"\n'
    assert "kept config.toml" in result.output
    again = init(tmp_path)
    assert "0 files written" in again.output


def test_it_says_which_secrets_to_set_and_what_to_type_next(tmp_path: Path) -> None:
    folder = tmp_path / "corner shop"
    output = init(folder).output
    assert "export SITE_KEY=$(openssl rand -hex 16)" in output
    assert "TWILIO" not in output, "it is commented out, so it need not be set"
    assert f"connector -C '{folder}' check" in output


def test_an_older_faulty_config_does_not_stop_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[broken")
    result = init(tmp_path)
    assert result.exit_code == 0
    assert "export" not in result.output


def test_a_place_that_cannot_be_written_fails_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = init(tmp_path / "file" / "shop")
    assert result.exit_code == 1
    assert result.output.startswith("Error: cannot write")
    assert "choose a folder" in result.output


def test_starters_are_found_in_the_repository_and_in_a_wheel(tmp_path: Path) -> None:
    assert (starters.root() / "config.example.toml").is_file()
    package = tmp_path / "connector"
    (package / "starters" / "mappings").mkdir(parents=True)
    shutil.copyfile(starters.__file__, package / "starters.py")
    found: dict[str, object] = {"__file__": str(package / "starters.py"), "__name__": "starters"}
    exec((package / "starters.py").read_text(), found)  # as an installed wheel has it
    root = found["root"]
    assert callable(root)
    assert root() == package / "starters"


@pytest.mark.parametrize("name", [name for name, _ in starters.files()], ids=str)
def test_no_starter_is_hidden_or_empty(name: Path) -> None:
    assert not name.name.startswith(".")
    assert (
        (starters.root() / ("config.example.toml" if name.name == "config.toml" else name))
        .stat()
        .st_size
    )
