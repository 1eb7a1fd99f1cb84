"""What the engine noticed, as log lines: connections turned away, slow turns, evictions, flushes, paused listeners.

Asked at every run of the regular work. The first case of a kind is logged at once; what follows within a second is
summed up in one line, so that a flood of cases is no flood of lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, final

import trio

from trioredis.config import Config
from trioredis.engine import Engine, EngineWatch, WatchNotes, slow_entries
from trioredis.listeners import Listener
from trioredis.observability import EVENTS, Log

PERIOD_S: Final = 1.0
"""Lines of one kind are at least that far apart."""
SLOW_TURN_MS: Final = 250
"""Turns of the loop that take longer are logged."""
SLOW_LINES: Final = 50
"""Slow commands that are logged one by one in a second; the others are counted."""
PAUSE_MS: Final = 200
"""How long a listener in trouble pauses; TR_LISTENER_PAUSE_MS of csrc/engine/engine.h."""
NS_PER_MS: Final = 1_000_000


@final
@dataclass(slots=True)
class Sum:
    """What has gathered of one kind since its last line; ``last`` is the newest case."""

    count: int = 0
    amount: int = 0
    last: WatchNotes | None = None
    began_s: float = 0.0
    said_s: float = field(default=-PERIOD_S)

    def add(self, now_s: float, notes: WatchNotes, count: int, amount: int = 0) -> None:
        """Put ``count`` cases more to those that gather."""
        if count == 0:
            return
        if self.count == 0:
            self.began_s = now_s
        self.count += count
        self.amount += amount
        self.last = notes

    def say(self, now_s: float, emit: Callable[[Sum, WatchNotes], None]) -> None:
        """Log what has gathered, unless a line of this kind is too near; then begin anew."""
        if self.last is None or now_s - self.said_s < PERIOD_S:
            return
        emit(self, self.last)
        self.count, self.amount, self.last = 0, 0, None
        self.said_s = now_s


@final
class EngineReporter:
    """Logs what one engine noticed.

    Args:
        watch: says what the engine noticed.
        listeners: gives the open listening sockets.
    """

    def __init__(
        self,
        engine: Engine,
        watch: EngineWatch,
        config: Config,
        log: Log,
        listeners: Callable[[], Sequence[Listener]],
    ) -> None:
        self._engine: Final = engine
        self._config: Final = config
        self._log: Final = log
        self._listeners: Final = listeners
        self._watch: Final = watch
        self._rejected: Final = Sum()
        self._denied: Final = Sum()
        self._browsers: Final = Sum()
        self._evicted: Final = Sum()
        self._flushed: Final = Sum()
        self._swapped: Final = Sum()
        self._slow: Final = Sum()
        self._busy: Final = Sum()
        self._slow_seen = 0
        self._slow_room, self._slow_room_s, self._slow_left_out = SLOW_LINES, -PERIOD_S, 0
        self._was_over_limit = False
        self._troubled: dict[int, str] = {}

    def look(self, *, last: bool = False) -> None:
        """Log what there is to say; ``last``: what has gathered too, because nobody will look again. Never waits."""
        now_s = trio.current_time()
        say_s = math.inf if last else now_s
        notes = self._watch.take()
        self._rejected.add(now_s, notes, notes.rejected)
        self._rejected.say(say_s, self._say_rejected)
        self._denied.add(now_s, notes, notes.denied)
        self._denied.say(say_s, self._say_denied)
        self._browsers.add(now_s, notes, notes.cross_protocol)
        self._browsers.say(say_s, self._say_browsers)
        self._evicted.add(now_s, notes, notes.evicted_keys, notes.evicted_bytes)
        self._evicted.say(say_s, self._say_evicted)
        self._flushed.add(now_s, notes, notes.flushes, notes.flushed_keys)
        self._flushed.say(say_s, self._say_flushed)
        self._swapped.add(now_s, notes, notes.swaps)
        self._swapped.say(say_s, self._say_swapped)
        self._busy.add(now_s, notes, notes.busy)
        self._busy.say(say_s, self._say_busy)
        if notes.slow_next != self._slow_seen:
            self._look_at_slow(now_s, notes.slow_next)
        self._look_at_turns(now_s, say_s, notes)
        self._look_at_memory()
        self._look_at_listeners()

    def _say_rejected(self, cases: Sum, last: WatchNotes) -> None:
        self._log.emit(
            EVENTS.CLIENT_REJECTED, addr=last.rejected_addr, times=cases.count, maxclients=self._config.maxclients
        )

    def _say_denied(self, cases: Sum, last: WatchNotes) -> None:
        self._log.emit(EVENTS.SERVER_PROTECTED_MODE_DENIED, addr=last.denied_addr, times=cases.count)

    def _say_browsers(self, cases: Sum, last: WatchNotes) -> None:
        self._log.emit(
            EVENTS.SECURITY_CROSS_PROTOCOL,
            client_id=last.cross_client,
            addr=last.cross_addr,
            times=cases.count,
            sign=last.cross_sign,
        )

    def _say_evicted(self, cases: Sum, last: WatchNotes) -> None:
        self._log.emit(
            EVENTS.MEMORY_EVICTED,
            keys=cases.count,
            freed_bytes=cases.amount,
            period_ms=round((trio.current_time() - cases.began_s) * 1000),
            policy=self._config.maxmemory_policy,
        )

    def _say_flushed(self, cases: Sum, last: WatchNotes) -> None:
        self._by(last.flush_client).emit(
            EVENTS.DB_FLUSHED,
            scope="all" if last.flush_db < 0 else str(last.flush_db),
            keys=cases.amount,
            lazy=last.flush_lazy,
            times=cases.count,
        )

    def _say_swapped(self, cases: Sum, last: WatchNotes) -> None:
        first, second = last.swapped
        self._by(last.swap_client).emit(EVENTS.DB_SWAPPED, first=first, second=second, times=cases.count)

    def _by(self, ident: int) -> Log:
        """The log with the client that did it; its address is unknown when it has left already."""
        info = self._engine.client(ident)
        return self._log.bind(client_id=ident, addr=info.addr) if info else self._log.bind(client_id=ident)

    def _look_at_turns(self, now_s: float, say_s: float, notes: WatchNotes) -> None:
        slow = self._slow
        if notes.turn_ns >= SLOW_TURN_MS * NS_PER_MS and (slow.last is None or notes.turn_ns > slow.last.turn_ns):
            slow.add(now_s, notes, 1)
        slow.say(say_s, self._say_slow)

    def _say_slow(self, cases: Sum, last: WatchNotes) -> None:
        self._log.emit(
            EVENTS.PUMP_SLOW_TURN,
            turn_ms=round(last.turn_ns / NS_PER_MS, 1),
            commands=last.turn_commands,
            slowest=last.slowest,
            slowest_ms=round(last.slowest_ns / NS_PER_MS, 1),
        )

    def _say_busy(self, cases: Sum, last: WatchNotes) -> None:
        self._log.emit(
            EVENTS.COMMAND_BUSY,
            command=last.busy_command,
            duration_ms=last.busy_ns // NS_PER_MS,
            client_id=last.busy_client,
            times=cases.count,
        )

    def _look_at_slow(self, now_s: float, upto: int) -> None:
        """Log what entered the slow log: each command, but in a flood of them only the first of each second."""
        if now_s - self._slow_room_s >= PERIOD_S:
            self._slow_room, self._slow_room_s = SLOW_LINES, now_s
        logged = 0
        for entry in slow_entries(self._engine, self._slow_seen) if self._slow_room else ():
            self._slow_left_out += entry.id - self._slow_seen  # those that the slow log has dropped already
            self._slow_seen = entry.id + 1
            self._log.emit(
                EVENTS.COMMAND_SLOW,
                command=entry.command,
                duration_us=entry.duration_us,
                argc=entry.argc,
                slowlog_id=entry.id,
                client_id=entry.client_id,
                addr=entry.addr,
                client_name=entry.client_name or None,
                left_out=self._slow_left_out or None,
            )
            self._slow_left_out = 0
            logged += 1
            if logged == self._slow_room:
                break
        self._slow_room -= logged
        self._slow_left_out += upto - self._slow_seen
        self._slow_seen = upto

    def _look_at_memory(self) -> None:
        over = self._watch.is_over_limit()
        if over and not self._was_over_limit:
            self._log.emit(
                EVENTS.MEMORY_LIMIT,
                used_bytes=self._watch.counted_memory(),
                maxmemory_bytes=self._config.maxmemory,
                policy=self._config.maxmemory_policy,
            )
        self._was_over_limit = over

    def _look_at_listeners(self) -> None:
        before, self._troubled = self._troubled, {}
        for one in self._listeners():
            trouble = self._watch.listener_trouble(one.ident)
            if trouble:
                self._troubled[one.ident] = trouble
            if trouble and one.ident not in before:
                self._log.emit(EVENTS.LISTENER_PAUSED, listener=one.name, error=trouble, pause_ms=PAUSE_MS)
            elif one.ident in before and not trouble:
                self._log.emit(EVENTS.LISTENER_RESUMED, listener=one.name)
