"""Fixtures shared by all tests: a stock redis-server and our own, each one process per session."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests._servers import Server, redis_command, running, trioredis_command

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield the stock redis-server, without persistence; skip when it is not installed."""
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    command += ["--enable-debug-command", "yes"]
    with running("redis", command, tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def trioredis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield our server. Tests share it: begin with FLUSHALL or use keys of your own."""
    command = [*trioredis_command(), "--enable-debug-command", "yes"]
    with running("trioredis", command, tmp_path_factory.mktemp("trioredis")) as server:
        yield server


@pytest.fixture
def start_trioredis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Yield a function that starts one more server with extra arguments, until the test ends."""
    with ExitStack() as stack:

        def start(*args: str) -> Server:
            directory = tmp_path_factory.mktemp("trioredis")
            return stack.enter_context(running("trioredis", [*trioredis_command(), *args], directory))

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the end of our server's log to the report of a failed test that used it."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Server):
                report.sections.append((f"log of {value.name} (port {value.port})", value.log_tail()))
    return report
