"""A plugin of pytest: ``-p tests.governance.without --without CHECK`` leaves a check out."""

from __future__ import annotations

import pytest

from tests.governance.guards import take_out


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which check is taken out."""
    parser.addoption("--without", default="", help="the check that is taken out")


def pytest_configure(config: pytest.Config) -> None:
    """Take it out before anything is collected."""
    if name := config.getoption("--without"):
        take_out(str(name))
