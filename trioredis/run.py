"""A server in a process of its own: how it starts, which signals it follows, and with what status it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Final

import trio

from trioredis.config import Config
from trioredis.engine import EngineError
from trioredis.listeners import ListenError
from trioredis.modules.supervisor import StartError
from trioredis.observability import EVENTS, Log, LogOutput, configure, error_text, traceback_text
from trioredis.process import PROGRAM, Process, StartupError
from trioredis.pump import PACE_ALONE
from trioredis.server import Server, serve
from trioredis.settings import log_settings
from trioredis.unserved import UnservableError

EXIT_FAILED: Final = 1
STEPS: Final[dict[type[BaseException], str]] = {
    ListenError: "listen",
    EngineError: "engine",
    UnservableError: "config",
    StartError: "modules",
}
"""What was being done when an error of a kind stopped the start, for the log."""


def run(config: Config) -> int:
    """Run a server in a process of its own until a signal or SHUTDOWN ends it; the exit status.

    A start that fails is one line of the log and one on standard error.
    """
    process = Process(config)
    try:
        process.begin()
        output = configure(log_settings(config))
    except (StartupError, OSError) as error:
        return _say_failed(process, None, error)
    try:
        return _run_logged(config, process, output)
    finally:
        process.end()
        output.close()


def _run_logged(config: Config, process: Process, output: LogOutput) -> int:
    try:
        process.settle(output.log)
        trio.run(_main, config, process, output)
    except StartupError as error:
        return _say_failed(process, output.log, error)
    except BaseExceptionGroup as group:
        known, unknown = group.split((ListenError, EngineError, UnservableError, StartError, OSError))
        if known is None or unknown is not None or process.is_ready:
            output.log.emit(EVENTS.SERVER_CRASHED, error=error_text(group), traceback=traceback_text(group))
            raise
        return max(_say_failed(process, output.log, error) for error in _leaves(known))
    return 0


def _say_failed(process: Process, log: Log | None, error: BaseException) -> int:
    line = f"{PROGRAM}: cannot start: {error}"
    if log is not None:
        step = error.step if isinstance(error, StartupError) else STEPS.get(type(error), "start")
        log.emit(EVENTS.SERVER_STARTUP_FAILED, error=str(error), step=step)
    process.failed(line)
    print(line, file=sys.stderr)
    return EXIT_FAILED


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _main(config: Config, process: Process, output: LogOutput) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with trio.open_nursery() as nursery:
            server: Server = await nursery.start(partial(serve, config, output=output, pace=PACE_ALONE))
            process.ready(server.log)
            nursery.start_soon(_watch_signals, server, signals)
            await server.closing.wait()
            process.stopping(server.log)
            await server.stopped.wait()
            nursery.cancel_scope.cancel()


async def _watch_signals(server: Server, signals: AsyncIterator[int]) -> None:
    """SIGHUP opens the log again; SIGTERM and SIGINT stop the server, the second one at once."""
    async for number in signals:
        name = signal.Signals(number).name
        if number == signal.SIGHUP:
            server.log.emit(EVENTS.SIGNAL_RECEIVED, signal=name, effect="opens the log file again")
            server.output.reopen()
        elif server.is_stopping:
            os._exit(EXIT_FAILED)
        else:
            server.log.emit(EVENTS.SIGNAL_RECEIVED, signal=name, effect="stops the server")
            server.stop(name, grace_s=_grace_s(server.config, number))


def _grace_s(config: Config, number: int) -> float:
    """How long replies may take to leave when this signal stops the server, seconds."""
    words = config["shutdown-on-sigint" if number == signal.SIGINT else "shutdown-on-sigterm"]
    assert isinstance(words, tuple)
    return 0.0 if "now" in words else float(config.integer("shutdown-timeout"))
