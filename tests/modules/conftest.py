"""The host program and the crashing library, compiled once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.modules._crashes import build_crasher, build_host

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def crash_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program that loads a library and calls one of its functions."""
    return build_host(tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="session")
def crasher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the crashing library with debug information, not optimised."""
    return build_crasher(tmp_path_factory.mktemp("plain"), "-g", "-O0")
