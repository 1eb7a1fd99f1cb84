"""Aim: the log names slow commands, slow readers pay for monitoring themselves, and a transaction is one run.

Method: each in a real server of this program, whose log is read; the limits of the log on an engine without a server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
import trio

from tests.server.kit import ask, connect, line, receive, rest
from tests.server.test_close_events import logged
from trioredis.config import Config
from trioredis.engine import Engine, EngineWatch, Settings
from trioredis.observability import EVENTS
from trioredis.observability.capture import LogCapture
from trioredis.watch import PERIOD_S, SLOW_LINES, EngineReporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import trio.testing

QUEUED: Final = 100_000


async def test_a_slow_command_is_logged(tmp_path: Path) -> None:
    async with logged(tmp_path, slowlog_log_slower_than=0) as log, await connect(log.server.port) as client:
        await ask(client, b"CLIENT SETNAME somebody\r\n", b"+OK\r\n")
        await ask(client, b"SET secret_key secret_value\r\n", b"+OK\r\n")
        while (found := await log.wait("command.slow"))["command"] != "set":
            await trio.lowlevel.checkpoint()
        host, port = client.socket.getsockname()
        assert (found["argc"], found["client_name"], found["addr"]) == (3, "somebody", f"{host}:{port}")
        assert found["duration_us"] >= 0
        assert "secret" not in log.path.read_text()


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine(seed=bytes(16))
    yield found
    found.close()


async def test_a_flood_of_slow_commands(mock_clock: trio.testing.MockClock, engine: Engine) -> None:
    engine.apply(Settings(slowlog_than_us=0, slowlog_max_len=1000))
    capture, ident = LogCapture(), engine.open_fed()
    reporter = EngineReporter(engine, EngineWatch(engine), Config(), capture.log, tuple)

    def lines() -> list[tuple[object, object]]:
        return [(one.fields["slowlog_id"], one.fields.get("left_out")) for one in capture.of(EVENTS.COMMAND_SLOW)]

    engine.feed(ident, b"PING\r\n" * (SLOW_LINES + 30))
    reporter.look()
    assert lines() == [(i, None) for i in range(SLOW_LINES)]
    engine.feed(ident, b"PING\r\n")
    reporter.look()
    assert len(lines()) == SLOW_LINES
    mock_clock.jump(PERIOD_S)
    engine.feed(ident, b"PING\r\n")
    reporter.look()
    assert lines()[SLOW_LINES:] == [(SLOW_LINES + 31, 31)]


async def test_entries_that_are_gone_already(mock_clock: trio.testing.MockClock, engine: Engine) -> None:
    engine.apply(Settings(slowlog_than_us=0, slowlog_max_len=2))
    capture, ident = LogCapture(), engine.open_fed()
    reporter = EngineReporter(engine, EngineWatch(engine), Config(), capture.log, tuple)
    engine.feed(ident, b"PING\r\n" * 10)
    reporter.look()
    fields = [one.fields for one in capture.of(EVENTS.COMMAND_SLOW)]
    assert [(one["slowlog_id"], one.get("left_out")) for one in fields] == [(8, 8), (9, None)]


async def test_a_monitor_that_does_not_read(tmp_path: Path) -> None:
    async with (
        logged(tmp_path, client_output_buffer_limit="normal 1mb 0 0") as log,
        await connect(log.server.port) as monitor,
        await connect(log.server.port) as client,
    ):
        await ask(monitor, b"MONITOR\r\n", b"+OK\r\n")
        while not log.of("client.output_limit"):
            await ask(client, b"PING " + b"x" * 60_000 + b"\r\n", b"$60000\r\n" + b"x" * 60_000 + b"\r\n")
        (found,) = log.of("client.output_limit")
        host, port = monitor.socket.getsockname()
        assert (found["addr"], found["client_class"]) == (f"{host}:{port}", "normal")
        await rest(monitor)
        await ask(client, b"PING\r\n", b"+PONG\r\n")


async def test_a_large_transaction_is_one_run(tmp_path: Path) -> None:
    """Whoever reads meanwhile sees nothing of it or all; the log says that everybody waited."""
    seen: set[bytes] = set()

    async def look(port: int, done: trio.Event) -> None:
        async with await connect(port) as reader:
            while not done.is_set():
                await reader.send_all(b"GETEX n\r\n")
                head = await line(reader)
                seen.add(b"" if head == b"$-1" else (await receive(reader, int(head[1:]) + 2))[:-2])

    async with (
        logged(tmp_path, busy_reply_threshold=5) as log,
        await connect(log.server.port) as client,
        trio.open_nursery() as nursery,
    ):
        done = trio.Event()
        nursery.start_soon(look, log.server.port, done)
        await ask(client, b"MULTI\r\n", b"+OK\r\n")
        queued = b"+QUEUED\r\n" * 1000
        for _ in range(QUEUED // 1000):
            await ask(client, b"INCR n\r\n" * 1000, queued)
        numbers = b"".join(b":%d\r\n" % number for number in range(1, QUEUED + 1))
        await ask(client, b"EXEC\r\n", b"*%d\r\n" % QUEUED + numbers)
        busy = await log.wait("command.busy")
        assert busy["command"] == "exec"
        assert busy["duration_ms"] >= 5
        done.set()
    assert seen <= {b"", b"%d" % QUEUED}
    assert b"" in seen
