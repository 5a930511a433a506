"""``identity``: whether a page must prove the users it names, and what it is proven with."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import settings
from connector.config.settings import Settings
from connector.errors import Fault
from tests.config.test_settings import ENVIRON, FILE

SECRETS = {"NEW": "a secret of sixteen letters or more", "OLD": "the one that was there before"}
BOTH = 'identity = "verified"\nidentity_secrets = ["env:NEW", "env:OLD"]'


def read(folder: Path, more: str, trust: str = "browser") -> tuple[Settings, list[Fault]]:
    site = f'trust = "{trust}"\n{more}'
    (folder / "config.toml").write_text(FILE.replace('trust = "browser"', site))
    (folder / "old").write_text("before\n")
    faults: list[Fault] = []
    return settings.load(folder / "config.toml", faults, ENVIRON | SECRETS), faults


def test_users_are_believed_as_they_come_unless_they_must_be_signed(tmp_path: Path) -> None:
    for more in ("", 'identity = "claimed"'):
        found, faults = read(tmp_path, more)
        assert (faults, found.sources["site"].identity) == ([], None)


def test_a_verified_source_has_the_secrets_that_sign_its_users(tmp_path: Path) -> None:
    found, faults = read(tmp_path, BOTH)
    assert faults == []
    told = found.sources["site"].identity
    assert told is not None and [each.reveal() for each in told] == list(SECRETS.values())
    assert all(secret not in repr(found) for secret in SECRETS.values())


@pytest.mark.parametrize(
    ("more", "trust", "says"),
    [
        ('identity = "signed"', "browser", "claimed"),
        ('identity = "verified"', "browser", "has nothing to prove users with"),
        ('identity = "verified"\nidentity_secrets = []', "browser", "has nothing to prove"),
        ('identity_secrets = ["env:NEW"]', "browser", "is of no use here"),
        (BOTH, "trusted", "is of no use to a trusted source"),
        (BOTH, "form", "is of no use to a form source"),
        (BOTH.replace("env:OLD", "env:SHOP"), "browser", "is shorter than 16 letters"),
        (BOTH.replace("env:OLD", "env:NONE"), "browser", "does not hold"),
    ],
)
def test_what_could_not_prove_anybody_is_a_fault(
    tmp_path: Path, more: str, trust: str, says: str
) -> None:
    _, faults = read(tmp_path, more, trust)
    assert says in "\n".join(map(str, faults))
