"""The engine as the rest of the server sees it: plain Python values around the C extension.

Nothing outside this package names ``ffi`` or ``lib``. All methods are synchronous, belong to the thread that
made the engine, and never wait for a client; :meth:`Engine.block` alone may run in another.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, Final, final

from trioredis.engine._native import ffi, lib
from trioredis.engine.types import (
    POLICY_BITS,
    ClientInfo,
    CloseReason,
    CommandStats,
    DatabaseStats,
    EngineError,
    EngineStats,
    Event,
    EventKind,
    Polled,
    Settings,
)

EVENTS_PER_TAKE: Final = 256

CallHandler = Callable[["RunningCommand"], None]
AuthHandler = Callable[[int, "bytes | None", bytes], bool]

_POLLERS: Final = {
    "auto": lib.TR_POLLER_AUTO,
    "epoll": lib.TR_POLLER_EPOLL,
    "poll": lib.TR_POLLER_POLL,
    "select": lib.TR_POLLER_SELECT,
}
_EVENT_CLASSES: Final = {
    "g": lib.TR_EV_GENERIC,
    "$": lib.TR_EV_STRING,
    "l": lib.TR_EV_LIST,
    "s": lib.TR_EV_SET,
    "h": lib.TR_EV_HASH,
    "z": lib.TR_EV_ZSET,
    "x": lib.TR_EV_EXPIRED,
    "e": lib.TR_EV_EVICTED,
    "t": lib.TR_EV_STREAM,
    "m": lib.TR_EV_KEY_MISS,
    "d": lib.TR_EV_MODULE,
    "n": lib.TR_EV_NEW,
}
_OUT_CLASSES: Final = ("normal", "replica", "pubsub")


def check(code: int) -> int:
    """Return ``code``, a count or 0.

    Raises:
        EngineError: it is a negative error code of the engine.
    """
    if code < 0:
        raise EngineError(code, ffi.string(lib.tr_err_text(code)).decode(), ffi.errno)
    return code


class Blocking(Enum):
    """Whether another thread waits in the engine."""

    NO = 0
    ANNOUNCED = 1
    IN_C = 2


@final
class RunningCommand:
    """The command that a client runs right now. Valid only until the handler that got it returns or awaits."""

    __slots__ = ("_c",)

    def __init__(self, c: Any) -> None:
        self._c = c

    @property
    def client_id(self) -> int:
        """The client's id, as CLIENT ID shows it."""
        return int(lib.tr_api_client_id(self._c))

    @property
    def proto(self) -> int:
        """2 or 3."""
        return int(lib.tr_api_client_proto(self._c))

    @property
    def name(self) -> str:
        """The full name, such as ``client|list``."""
        return str(ffi.string(lib.tr_api_client_command(self._c)), "ascii")

    def argv(self) -> list[bytes]:
        """All arguments, copied; the name first."""
        size = ffi.new("size_t *")
        return [ffi.buffer(lib.tr_api_arg(self._c, i, size), size[0])[:] for i in range(lib.tr_api_argc(self._c))]

    def reply(self, data: bytes) -> None:
        """Append RESP bytes to the client's output."""
        lib.tr_api_reply(self._c, data, len(data))

    def reply_error(self, text: bytes) -> None:
        """Append an error reply, ``text`` beginning with its code, and count it."""
        lib.tr_api_reply_error(self._c, text, len(text))


@ffi.def_extern()  # type: ignore[untyped-decorator]
def trioredis_call_python(ctx: Any, c: Any) -> None:
    """Run a synchronous Python command for the engine. The handler catches everything itself."""
    engine: Engine = ffi.from_handle(ctx)
    engine._on_call(RunningCommand(c))


@ffi.def_extern(error=0)  # type: ignore[untyped-decorator]
def trioredis_authenticate(ctx: Any, c: Any, user: Any, user_len: int, password: Any, password_len: int) -> int:
    """Check a user and password for the engine; an error counts as a wrong password."""
    engine: Engine = ffi.from_handle(ctx)
    name = None if user == ffi.NULL else ffi.buffer(user, user_len)[:]
    return int(engine._on_auth(int(lib.tr_api_client_id(c)), name, ffi.buffer(password, password_len)[:]))


def _refuse_call(command: RunningCommand) -> None:
    command.reply_error(b"ERR no server runs Python commands for this engine")


def _no_loop() -> None:
    """Nobody runs a loop for this engine yet."""


def _refuse_auth(client_id: int, user: bytes | None, password: bytes) -> bool:
    return False


@final
class Engine:
    """One engine: keyspace, connections, statistics.

    Args:
        seed: 16 random bytes; they decide hash codes, random keys and eviction samples.
        databases: how many.
        poller: auto, epoll, poll or select.

    Raises:
        EngineError: no memory, or the poller is not there on this system.
    """

    def __init__(self, *, seed: bytes, databases: int = 16, poller: str = "auto") -> None:
        out = ffi.new("tr_engine **")
        words = ffi.new("uint64_t[2]", [int.from_bytes(seed[:8], "little"), int.from_bytes(seed[8:16], "little")])
        self._open: Any = None
        self._blocking = Blocking.NO
        self._block_lock = threading.Lock()
        self._unblocked = threading.Event()
        check(lib.tr_engine_open(databases, _POLLERS[poller], words, out))
        self._open = out[0]
        self._settings = lib.tr_api_settings(self._g)
        self._handle = ffi.new_handle(self)
        self._on_call: CallHandler = _refuse_call
        self._on_auth: AuthHandler = _refuse_auth
        self._nudge: Callable[[], None] = _no_loop
        self._events = ffi.new("tr_event[]", EVENTS_PER_TAKE)
        self._more = ffi.new("int *")
        self._busy = ffi.new("int *")
        lib.tr_api_set_hooks(self._g, self._handle, lib.trioredis_call_python, lib.trioredis_authenticate)

    def close(self) -> None:
        """Close every connection and free all memory. Idempotent."""
        if self._open is not None:
            g, self._open = self._g, None
            lib.tr_engine_close(g)

    @property
    def _g(self) -> Any:
        """The engine in C, for a call: no other thread is in it."""
        if self._blocking is not Blocking.NO:
            self.end_block()
        return self._open

    def __del__(self) -> None:
        if getattr(self, "_open", None) is not None:
            warnings.warn("an engine was not closed", ResourceWarning, source=self, stacklevel=2)
            self.close()

    def set_handlers(self, call: CallHandler, authenticate: AuthHandler, nudge: Callable[[], None]) -> None:
        """Set who runs synchronous Python commands, who checks passwords, and whom to tell that a call from outside the
        loop has left work or events for it. None of them may raise.
        """
        self._on_call = call
        self._on_auth = authenticate
        self._nudge = nudge

    def apply(self, settings: Settings) -> None:
        """Put these settings into force, at once."""
        s = self._settings
        s.maxclients = settings.maxclients
        s.idle_seconds = settings.idle_seconds
        s.keepalive_seconds = settings.keepalive_seconds
        s.query_buffer_max = settings.query_buffer_bytes
        s.bulk_max = settings.bulk_bytes
        s.protected_mode = settings.protected_mode
        s.hz = settings.hz
        for i, name in enumerate(_OUT_CLASSES):
            limit = s.out_limits[i]
            limit.hard_bytes, limit.soft_bytes, limit.soft_seconds = settings.output_limits[name]
        s.maxmemory = settings.maxmemory
        s.maxmemory_samples = settings.maxmemory_samples
        s.lfu_log_factor = settings.lfu_log_factor
        s.lfu_decay_minutes = settings.lfu_decay_minutes
        s.latency_tracking = settings.latency_tracking
        who = {"no": lib.TR_DEBUG_NO, "local": lib.TR_DEBUG_LOCAL, "yes": lib.TR_DEBUG_YES}
        s.debug_enabled, s.module_enabled = who[settings.debug], who[settings.modules]
        s.password_set = settings.password_set
        s.slowlog_than_us = settings.slowlog_than_us
        s.slowlog_max_len = settings.slowlog_max_len
        s.latency_threshold_ms = settings.latency_threshold_ms
        s.client_memory_max = settings.client_memory_max
        s.notify_classes = sum(bit for letter, bit in _EVENT_CLASSES.items() if letter in settings.notify_events)
        s.notify_keyspace = "K" in settings.notify_events
        s.notify_keyevent = "E" in settings.notify_events
        s.module_command_ms = settings.module_command_ms
        s.module_durability = settings.module_durability
        s.busy_reply_ms = settings.busy_reply_ms
        lib.tr_api_set_policy(self._g, POLICY_BITS[settings.maxmemory_policy])
        lib.tr_engine_apply(self._g)

    # Listening.

    def listen_tcp(self, host: str, port: int, backlog: int) -> tuple[int, int]:
        """Listen on an address; returns the listener's number and the port (the kernel's choice for 0).

        Raises:
            EngineError: in use (TR_EADDRINUSE), not permitted (TR_EACCES), no such address (TR_EIO, errno).
        """
        fd = ffi.new("int *")
        check(lib.tr_sock_listen_tcp(host.encode(), port, backlog, fd))
        return self._add_listener(fd[0], is_unix=False)

    def listen_unix(self, path: str, mode: int, backlog: int) -> int:
        """Listen on a Unix socket; returns the listener's number. ``mode`` 0: as the umask has it.

        Raises as :meth:`listen_tcp`.
        """
        fd = ffi.new("int *")
        check(lib.tr_sock_listen_unix(path.encode(), mode, backlog, fd))
        return self._add_listener(fd[0], is_unix=True)[0]

    def _add_listener(self, fd: int, *, is_unix: bool) -> tuple[int, int]:
        port = 0 if is_unix else lib.tr_sock_port(fd)
        code = lib.tr_engine_listen(self._g, fd, is_unix)
        if code < 0:
            lib.tr_sock_close(fd)
        return check(code), int(port)

    def unlisten(self, ident: int | None = None) -> None:
        """Close one listener, or all."""
        if ident is None:
            lib.tr_engine_unlisten(self._g)
        else:
            lib.tr_engine_unlisten_one(self._g, ident)

    # The loop.

    @property
    def fd(self) -> int | None:
        """A descriptor that is readable when there is work; None: this poller has none, use :meth:`block`."""
        fd = lib.tr_engine_fd(self._g)
        return None if fd < 0 else int(fd)

    @property
    def poller(self) -> str:
        """The poller's name: epoll, poll or select."""
        return str(ffi.string(lib.tr_api_poller_name(self._g)), "ascii")

    def poll(self, *, eager: bool, linger_us: int, budget_us: int) -> Polled:
        """Serve what is ready; see ``tr_engine_poll`` in csrc/engine/engine.h."""
        events = lib.tr_engine_poll(self._g, eager, linger_us, budget_us, self._more, self._busy)
        return Polled(bool(events), bool(self._more[0]), bool(self._busy[0]))

    def take_events(self) -> Iterator[Event]:
        """Yield the events that wait, all of them."""
        count = EVENTS_PER_TAKE
        while count == EVENTS_PER_TAKE:
            count = lib.tr_engine_take_events(self._g, self._events, EVENTS_PER_TAKE)
            batch = [(e.kind, e.id, e.code) for e in self._events[0:count]]
            for kind, ident, code in batch:
                yield Event(EventKind(kind), ident, code)

    def cron(self) -> None:
        """Do the regular work: expiry, timeouts, resizing, samples."""
        if lib.tr_engine_cron(self._g):
            self._nudge()
        self._nudge()

    def begin_block(self) -> None:
        """Announce a :meth:`block` in another thread. Any other call from here on ends it, or prevents it."""
        self._unblocked.clear()
        self._blocking = Blocking.ANNOUNCED

    def block(self, timeout_us: int) -> None:
        """Wait until something is ready, or not at all when the announcement was taken back; in another thread."""
        with self._block_lock:
            if self._blocking is Blocking.NO:
                return
            self._blocking = Blocking.IN_C
        lib.tr_engine_block(self._open, timeout_us)
        self._blocking = Blocking.NO
        self._unblocked.set()

    def end_block(self) -> None:
        """End the :meth:`block` of another thread, or prevent it; return when that thread is not in the engine."""
        with self._block_lock:
            if self._blocking is Blocking.ANNOUNCED:
                self._blocking = Blocking.NO
        if self._blocking is Blocking.IN_C:
            lib.tr_engine_wake(self._open)
            self._unblocked.wait()

    def drain(self) -> int:
        """Send what can be sent; returns how many connections still have output."""
        return int(lib.tr_engine_drain(self._g))

    # Clients.

    def clients(self) -> Iterator[int]:
        """Yield the ids of all clients, oldest first. Closing one meanwhile ends the walk early."""
        ident = lib.tr_api_next_client(self._g, 0)
        while ident:
            after = lib.tr_api_next_client(self._g, ident)
            yield ident
            ident = after

    def client(self, ident: int, *, names: bool = True) -> ClientInfo | None:
        """Facts about a client, or None: there is no such one. ``names``: with its addresses."""
        out = ffi.new("tr_api_client *")
        if not lib.tr_api_read_client(self._g, ident, out, names):
            return None
        return _client_info(out)

    def running(self, ident: int) -> RunningCommand | None:
        """The command for which this client waits, or None when it is gone."""
        c = lib.tr_api_client_of(self._g, ident)
        return None if c == ffi.NULL else RunningCommand(c)

    def finish(self, ident: int) -> None:
        """The asynchronous command of this client has replied; it may go on."""
        lib.tr_engine_finish(self._g, ident)
        self._nudge()

    def kill(self, ident: int, reason: CloseReason = CloseReason.KILLED, *, gently: bool = False) -> bool:
        """End a client, gently: after its output has left. False: there is no such one."""
        found = bool(lib.tr_engine_kill(self._g, ident, reason.value, gently))
        self._nudge()
        return found

    def set_client_text(self, ident: int, which: str, text: bytes) -> bool:
        """Set ``name``, ``lib-name`` or ``lib-ver``. False: there are characters in it that may not be.

        Raises:
            EngineError: no memory, or no such client.
        """
        c = self._client(ident)
        code = lib.tr_api_client_set_text(c, ("name", "lib-name", "lib-ver").index(which), text, len(text))
        if code == lib.TR_EINVAL:
            return False
        check(code)
        return True

    def set_client_flag(self, ident: int, flag: str, on: bool) -> None:
        """Set or clear ``no-evict``, ``no-touch`` or ``authenticated``."""
        bits = {
            "no-evict": lib.TR_CLIENT_NO_EVICT,
            "no-touch": lib.TR_CLIENT_NO_TOUCH,
            "authenticated": lib.TR_CLIENT_AUTHENTICATED,
        }
        lib.tr_api_client_set_flag(self._client(ident), bits[flag], on)

    def _client(self, ident: int) -> Any:
        c = lib.tr_api_client_of(self._g, ident)
        if c == ffi.NULL:
            check(lib.TR_ENOENT)
        return c

    def pause(self, *, everything: bool, until_ms: int) -> None:
        """Make clients wait (CLIENT PAUSE) until this time, milliseconds since 1970."""
        lib.tr_api_pause(self._g, everything, until_ms)

    def unblock(self, ident: int, *, error: bool) -> bool:
        """End a client's blocking as if its time were up, or with an error. False: it can't be, or isn't blocked."""
        done = bool(lib.tr_engine_unblock(self._g, ident, error))
        self._nudge()
        return done

    def unpause(self) -> None:
        """End a pause."""
        lib.tr_engine_unpause(self._g)
        self._nudge()

    # Fed connections.

    def open_fed(self) -> int:
        """Open a connection without a socket; returns its client's id.

        Raises:
            EngineError: no memory.
        """
        ident = int(lib.tr_engine_open_fed(self._g, 0))
        if ident == 0:
            check(lib.TR_ENOMEM)
        return ident

    def feed(self, ident: int, data: bytes) -> None:
        """Hand bytes to a fed connection; complete commands in it run at once.

        Raises:
            EngineError: it is closed (TR_ECLOSED), or no memory.
        """
        code = lib.tr_api_feed(self._g, ident, data, len(data))
        self._nudge()
        check(code)

    def fed_output(self, ident: int) -> bytes:
        """Take all output of a fed connection."""
        pieces = []
        p, size = ffi.new("char **"), ffi.new("size_t *")
        while lib.tr_api_fed_output(self._g, ident, p, size):
            pieces.append(ffi.buffer(p[0], size[0])[:])
            lib.tr_api_fed_consume(self._g, ident, size[0])
        return b"".join(pieces)

    # Commands.

    def get_keys(self, argv: Sequence[bytes]) -> list[tuple[int, int]]:
        """Position and ``TR_KEY_...`` flags of each key of the command that ``argv`` holds.

        Raises:
            ValueError: no such command, its arity does not fit, or its arguments contradict each other.
            EngineError: no memory.
        """
        limit = len(argv)
        words = [ffi.from_buffer(a) for a in argv]
        positions, flags = ffi.new("int[]", limit), ffi.new("uint32_t[]", limit)
        pointers, sizes = ffi.new("char *[]", words), ffi.new("size_t[]", [len(a) for a in argv])
        count = lib.tr_api_get_keys(self._g, limit, pointers, sizes, positions, flags, limit)
        if count in (lib.TR_EINVAL, lib.TR_ENOENT, lib.TR_ERANGE):
            raise ValueError(ffi.string(lib.tr_err_text(count)).decode())
        return [(positions[i], flags[i]) for i in range(min(check(count), limit))]

    # Figures.

    @property
    def now_us(self) -> int:
        """Wall clock of the running command, microseconds since 1970."""
        return int(lib.tr_api_now_us(self._g))

    def stats(self) -> EngineStats:
        """All counters and sizes, at this moment."""
        out = ffi.new("tr_api_stats *")
        lib.tr_api_read_stats(self._g, out)
        return EngineStats(*(int(getattr(out, name)) for name in EngineStats.__slots__))

    def database(self, index: int) -> DatabaseStats:
        """Keys and expiries of one database."""
        out = ffi.new("tr_api_db *")
        lib.tr_api_read_db(self._g, index, out)
        return DatabaseStats(
            keys=out.keys,
            expires=out.expires,
            avg_ttl_ms=out.avg_ttl_ms,
            table_bytes=out.table_bytes,
            ttl_bytes=out.ttl_bytes,
            is_rehashing=bool(out.rehashing),
        )

    def command_stats(self) -> list[CommandStats]:
        """What was counted for each command that was called or rejected."""
        out = ffi.new("tr_api_command *")
        found = []
        for i in range(self.stats().command_count):
            lib.tr_api_read_command(self._g, i, out)
            if out.calls or out.rejected or out.failed:
                buckets = () if out.buckets == ffi.NULL else tuple(out.buckets[0 : lib.TR_LATENCY_BUCKETS])
                name = ffi.string(out.fullname).decode()
                found.append(CommandStats(name, out.calls, out.ns, out.rejected, out.failed, buckets))
        return found

    def error_stats(self) -> dict[str, int]:
        """Error replies by their first word."""
        count = ffi.new("uint64_t *")
        found = {}
        for i in range(self.stats().error_kinds):
            code = ffi.string(lib.tr_api_read_error(self._g, i, count)).decode("latin-1")
            found[code] = int(count[0])
        return found

    def reset_stats(self) -> None:
        """Set the counters to zero (CONFIG RESETSTAT)."""
        lib.tr_api_reset_stats(self._g)

    def flush_all(self) -> int:
        """Delete all keys; returns how many there were."""
        return int(lib.tr_api_flush_all(self._g))

    def fail_allocation(self, nth: int) -> None:
        """Make the nth allocation from now fail, once; 0: none. For tests."""
        lib.tr_api_mem_fail_at(self._g, nth)


def _text(p: Any, size: int) -> bytes:
    return b"" if p == ffi.NULL else ffi.buffer(p, size)[:]


def _client_info(out: Any) -> ClientInfo:
    return ClientInfo(
        id=out.id,
        addr=ffi.string(out.addr).decode("utf-8", "surrogateescape"),
        laddr=ffi.string(out.laddr).decode("utf-8", "surrogateescape"),
        fd=out.fd,
        name=_text(out.name, out.name_len),
        lib_name=_text(out.lib_name, out.lib_name_len),
        lib_ver=_text(out.lib_ver, out.lib_ver_len),
        age_us=out.age_us,
        idle_us=out.idle_us,
        database=out.db,
        proto=out.proto,
        last_command=None if out.last_command == ffi.NULL else ffi.string(out.last_command).decode(),
        commands=out.commands,
        bytes_in=out.bytes_in,
        bytes_out=out.bytes_out,
        query_bytes=out.query_bytes,
        query_free=out.query_free,
        argv_bytes=out.argv_memory,
        output_bytes=out.out_bytes,
        output_nodes=out.out_nodes,
        output_memory=out.out_memory,
        output_chunk=out.out_chunk,
        memory=out.memory,
        queued_commands=None if out.queued < 0 else out.queued,
        queue_bytes=out.queue_bytes,
        watched_keys=out.watched,
        channels=out.channels,
        patterns=out.patterns,
        shard_channels=out.shard_channels,
        blocked=out.wait == lib.TR_WAIT_KEYS,
        paused=out.wait == lib.TR_WAIT_PAUSE,
        closing_now=bool(out.flags & lib.TR_CLIENT_CLOSE_NOW),
        closing_after_reply=bool(out.flags & lib.TR_CLIENT_CLOSE_AFTER_REPLY),
        wants_read=bool(out.readable_wanted),
        wants_write=bool(out.writable_wanted),
        is_unix=bool(out.flags & lib.TR_CLIENT_UNIX),
        is_fed=bool(out.flags & lib.TR_CLIENT_FED),
        is_local=bool(out.flags & lib.TR_CLIENT_LOCAL),
        is_replica=bool(out.flags & lib.TR_CLIENT_REPLICA),
        is_pubsub=bool(out.flags & lib.TR_CLIENT_PUBSUB),
        is_monitor=bool(out.flags & lib.TR_CLIENT_MONITOR),
        authenticated=bool(out.flags & lib.TR_CLIENT_AUTHENTICATED),
        no_evict=bool(out.flags & lib.TR_CLIENT_NO_EVICT),
        no_touch=bool(out.flags & lib.TR_CLIENT_NO_TOUCH),
    )


def compiler() -> str:
    """Version of the C compiler that built the engine, such as ``12.2.0``."""
    return str(ffi.string(lib.tr_api_compiler()), "ascii")


def error_codes(names: Sequence[str]) -> dict[str, int]:
    """The engine's error codes by name, for those who tell one from another."""
    return {name: int(getattr(lib, name)) for name in names}
