"""The server: who owns what, in what order it starts and stops.

    serve()                       engine, log, listeners
    +- service nursery            pump, cron, modules
       +- client nursery          a task per client

Shutdown goes the other way round: stop accepting, let replies leave within a deadline, close the clients, stop pump and
cron, release the engine. Cancelling :func:`serve` skips the waiting and does the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Final, final

import trio

from trioredis import dispatch
from trioredis.client import Client
from trioredis.commands.runtime import with_modules
from trioredis.commands.schema import Schema
from trioredis.config import Config, ConfigApplyError
from trioredis.engine import (
    CloseReason,
    Engine,
    EngineStats,
    EngineWatch,
    Event,
    EventKind,
    Helpers,
    Obituary,
    ServerEvent,
    take_obituary,
)
from trioredis.inprocess import InProcessClient
from trioredis.listeners import Listener, ListenError, Listeners
from trioredis.modules.supervisor import Modules, StartError
from trioredis.observability import EVENTS, LogOutput, configure
from trioredis.pump import PACE_SHARED, Pace, Pump
from trioredis.settings import ENGINE_DIRECTIVES, LOG_DIRECTIVES, engine_settings, log_settings
from trioredis.subscription import CAPACITY, Subscription, WhenFull
from trioredis.unserved import refuse_unserved, rename_commands, renamed_schema
from trioredis.version import API_VERSION, POINTER_BITS, REDIS_VERSION, VERSION
from trioredis.watch import EngineReporter

Peer = Client | InProcessClient | Subscription

SEED_BYTES: Final = 16
DRAIN_STEP_S: Final = 0.01
CLOSE_DEADLINE_S: Final = 1.0
EXIT_FAILED: Final = 1
ID_BYTES: Final = 20
"""Half the digits of the run id and the replication id."""
BAD_ENDS: Final = frozenset(
    reason.value
    for reason in CloseReason
    if reason not in (CloseReason.NONE, CloseReason.PEER, CloseReason.QUIT, CloseReason.KILLED, CloseReason.SHUTDOWN)
)
"""Close reasons that the engine may have more to say about."""
LISTEN_TEXTS: Final = {
    "port": "Unable to listen on this port. Check server logs.",
    "bind": "Failed to bind to specified addresses.",
}
"""What CONFIG SET says when the server can't listen as the directive wants."""


@final
@dataclass(slots=True)
class Shutdown:
    """A shutdown under way. ``is_final``: clients are being closed, so that it can't be taken back."""

    reason: str
    grace_s: float
    began_ns: int = field(default_factory=time.monotonic_ns)
    is_final: bool = False
    aborted: trio.Event = field(default_factory=trio.Event)


@final
class Server:
    """A running server. Made by :func:`serve`, which also ends it.

    ``engine``, ``config`` and ``log`` are open to the rooms that serve commands.
    """

    def __init__(
        self, config: Config, engine: Engine, output: LogOutput, *, any_port: bool = False, pace: Pace = PACE_SHARED
    ) -> None:
        self.config: Final = config
        self.engine: Final = engine
        self.output: Final = output
        self.log: Final = output.log
        self.started_ns: Final = time.monotonic_ns()
        self.started_us: Final = time.time_ns() // 1000
        self.run_id: Final = os.urandom(ID_BYTES).hex()
        self.replication_id: Final = os.urandom(ID_BYTES).hex()
        self.startup_bytes = 0
        self._clients: dict[int, Peer] = {}
        self._calls: dict[int, trio.CancelScope] = {}
        self._pump: Final = Pump(engine, pace)
        self._listeners: Final = Listeners(engine, config, output.log, any_port=any_port)
        self._reporter: Final = EngineReporter(engine, EngineWatch(engine), config, output.log, lambda: self.listeners)
        self._shutdown: Shutdown | None = None
        self._asked_to_stop = trio.Event()
        self.closing: Final = trio.Event()
        self.stopped: Final = trio.Event()
        engine.set_handlers(partial(dispatch.call_sync, self), self._authenticate, self._pump.nudge)
        config.on_change(ENGINE_DIRECTIVES, self._apply_settings)
        config.on_change(LOG_DIRECTIVES, self._apply_log_settings)
        for name, text in LISTEN_TEXTS.items():
            config.on_change(name, partial(self._listen_anew, text))
        self._apply_settings()
        self._schema: Final = renamed_schema(config)
        rename_commands(engine, config)
        self.helpers: Final = Helpers(engine)
        self.modules: Final = Modules(
            self.helpers,
            config,
            output.log,
            server_version=API_VERSION,
            commands=self._command_names,
            hurrying=self._pump.giving_way,
        )

    @property
    def schema(self) -> Schema:
        """All commands, those of modules too, as of now."""
        return with_modules(self._schema, self.helpers.commands(), self.modules.names())

    def _command_names(self) -> tuple[bytes, ...]:
        """The names of all commands, those of modules too, as modules get them."""
        return tuple(entry.fullname.encode("utf-8", "surrogateescape") for entry in self.schema.walk())

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """The open listening sockets."""
        return self._listeners.open

    @property
    def port(self) -> int:
        """The first TCP port that the server listens on, 0: none."""
        return next((one.port for one in self.listeners if one.port), 0)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the first TCP listener."""
        return next(((one.host, one.port) for one in self.listeners if one.port), ("", 0))

    def open_client(self) -> InProcessClient:
        """A client inside this process: no socket, the same commands. Close it, best by ``async with``.

        Raises:
            EngineError: no memory.
        """
        client = InProcessClient(self.engine, self._forget_client)
        self._clients[client.ident] = client
        return client

    @asynccontextmanager
    async def subscribe(
        self,
        *channels: str | bytes,
        pattern: str | bytes | Sequence[str | bytes] = (),
        shard: str | bytes | Sequence[str | bytes] = (),
        capacity: int = CAPACITY,
        when_full: WhenFull = WhenFull.END,
    ) -> AsyncIterator[Subscription]:
        """Listen to channels for the length of an ``async with``, which yields a Trio receive channel of messages::

            async with server.subscribe("news", pattern="chat.*") as messages:
                async for message in messages:
                    print(message.channel, message.data)

        Every message published after the block was entered arrives, once for each way in which it matches, in the order
        of publishing. No publisher ever waits for the reader: when ``capacity`` messages wait already, ``when_full``
        decides whether the subscription ends (:exc:`SlowReaderError` after the waiting ones) or which message is
        dropped and counted. There is no password to give, and no socket.

        Args:
            pattern: one glob-style pattern or several, whose channels are listened to as well.
            shard: the same for shard channels, by name.
            capacity: messages that may wait for the reader, at least 1.
            when_full: what happens to one more.

        Raises:
            ValueError: there is nothing to listen to, or no room.
            ReplyError: the server refuses, for want of memory.
            ClosedError: the connection was closed before it was confirmed.
            EngineError: no memory for the connection.

        Cancelled: the subscription ends.
        """
        wanted = {"SUBSCRIBE": channels, "PSUBSCRIBE": _several(pattern), "SSUBSCRIBE": _several(shard)}
        commands = [(verb, *names) for verb, names in wanted.items() if names]
        if not commands:
            raise ValueError("a subscription needs a channel or a pattern")
        subscription = Subscription(self.engine, self._forget_client, capacity, when_full)
        self._clients[subscription.ident] = subscription
        try:
            await subscription.begin(commands)
            yield subscription
        finally:
            subscription.close()

    def _forget_client(self, ident: int) -> None:
        self._clients.pop(ident, None)

    def statistics(self) -> EngineStats:
        """Counters and sizes, at this moment."""
        return self.engine.stats()

    @property
    def is_stopping(self) -> bool:
        """Whether a shutdown is under way."""
        return self._shutdown is not None

    def stop(self, reason: str = "the program", *, grace_s: float = 0.0) -> None:
        """Begin the shutdown; returns at once.

        Args:
            reason: for the log.
            grace_s: seconds that replies may take to leave.
        """
        if self._shutdown is None:
            self._shutdown = Shutdown(reason, grace_s)
            self._asked_to_stop.set()

    def abort_stop(self) -> bool:
        """Take a shutdown back while replies still leave; False: there is none, or clients are being closed already.

        The server listens again; an address that another process has taken meanwhile is logged and left out.
        """
        if self._shutdown is None or self._shutdown.is_final:
            return False
        self._shutdown.aborted.set()
        self._shutdown = None
        self._asked_to_stop = trio.Event()
        self.log.emit(EVENTS.SERVER_SHUTDOWN_ABORTED)
        try:
            self._listeners.follow()
        except ListenError as error:
            self._say_listen_failed(error)
        return True

    async def wait_aborted(self) -> None:
        """Return when the shutdown that is under way was taken back; never, when it goes on to its end."""
        assert self._shutdown is not None
        await self._shutdown.aborted.wait()

    def _apply_settings(self) -> None:
        self.engine.apply(engine_settings(self.config))

    def _apply_log_settings(self) -> None:
        settings = log_settings(self.config)
        self.output.level = settings.level
        self.output.set_format(settings.format, settings.timestamps)

    def _listen_anew(self, text: str) -> None:
        """Follow a change of port or bind. ConfigApplyError: an address can't be had."""
        if self.is_stopping:
            return
        try:
            self._listeners.follow()
        except ListenError as error:
            self._say_listen_failed(error)
            raise ConfigApplyError(text) from error

    def _say_listen_failed(self, error: ListenError) -> None:
        self.log.emit(EVENTS.LISTENER_FAILED, listener=error.name, error=error.reason)

    def _authenticate(self, client_id: int, user: bytes | None, password: bytes) -> bool:
        secret = self.config.requirepass.encode("utf-8", "surrogateescape")
        ok = user in (None, b"default") and (not secret or _equal(password, secret))
        if not ok:
            info = self.engine.client(client_id)
            name = "default" if user is None else user.decode("utf-8", "replace")
            self.log.emit(EVENTS.CLIENT_AUTH_FAILED, client_id=client_id, addr=info.addr if info else "", user=name)
        return ok

    async def run(self, *, task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until :meth:`stop`. "Started" means: all listeners are bound.

        Cancelled: connections are cut, everything is closed.

        Raises:
            ListenError: an address can't be listened on.
            StartError: a module of the configuration can't be loaded.
        """
        try:
            await self._run_services(task_status)
        finally:
            self._listeners.close()
            for ident, client in list(self._clients.items()):  # nobody else tells them any more
                client.tell(Event(EventKind.CLOSED, ident, CloseReason.SHUTDOWN.value))

    async def _run_services(self, task_status: trio.TaskStatus[Server]) -> None:
        failure: ListenError | StartError | None = None
        async with trio.open_nursery() as service_nursery:
            async with trio.open_nursery() as client_nursery:
                service_nursery.start_soon(self._pump.run, partial(self._dispatch, client_nursery))
                service_nursery.start_soon(self._cron)
                await service_nursery.start(self.modules.run)
                try:
                    await self._begin()
                except (ListenError, StartError) as error:
                    failure = error  # raised outside of the nurseries, so that it comes as what it is
                else:
                    self._say_ready()
                    task_status.started(self)
                    await self._wait_for_the_end()
                    self.helpers.happens(ServerEvent.SHUTDOWN, now=True)
                client_nursery.cancel_scope.deadline = trio.current_time() + CLOSE_DEADLINE_S
            service_nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _begin(self) -> None:
        """Load the modules of the configuration, then listen. ListenError, StartError: one of these is not possible."""
        await self.modules.load_configured()
        self._listeners.follow()
        self.startup_bytes = self.engine.stats().used_memory

    def _say_ready(self) -> None:
        names = [one.name for one in self.listeners]
        self.log.emit(EVENTS.SERVER_READY, listeners=names, startup_ms=_process_age_ms())

    def say_stopped(self) -> None:
        """Everything is closed: log it and tell who waits for :attr:`stopped`."""
        now = time.monotonic_ns()
        self.log.emit(
            EVENTS.SERVER_STOPPED,
            uptime_s=(now - self.started_ns) // 1_000_000_000,
            shutdown_ms=(now - (self._shutdown.began_ns if self._shutdown else now)) // 1_000_000,
        )
        self.stopped.set()

    async def _wait_for_the_end(self) -> None:
        """Return when a shutdown was asked for and not taken back, and every client has been told to go."""
        while self._shutdown is None or not self._shutdown.is_final:
            await self._asked_to_stop.wait()
            if self._shutdown is not None:
                await self._drain(self._shutdown)
        self._reporter.look(last=True)
        self.closing.set()
        for ident in list(self.engine.clients()):
            peer = self._clients.get(ident)
            if isinstance(peer, Subscription):  # what was published before the end is heard, although no turn follows
                peer.tell(Event(EventKind.OUTPUT, ident, 0))
            self.engine.kill(ident, CloseReason.SHUTDOWN)

    async def _drain(self, shutdown: Shutdown) -> None:
        """Stop accepting and let replies leave, until all have, the grace is over, or the shutdown is taken back."""
        clients = len(list(self.engine.clients()))
        self.log.emit(EVENTS.SERVER_SHUTDOWN, reason=shutdown.reason, clients=clients)
        self._listeners.close()
        with trio.move_on_after(shutdown.grace_s):
            # The engine tells nobody when the last byte has left, so it is asked.
            while self.engine.drain() and not shutdown.aborted.is_set():  # noqa: ASYNC110
                await trio.sleep(DRAIN_STEP_S)
        shutdown.is_final = not shutdown.aborted.is_set()

    def _dispatch(self, client_nursery: trio.Nursery, events: Iterable[Event]) -> None:
        for event in events:
            if event.kind is EventKind.MODULES:
                self.modules.take_events()
            elif event.kind is EventKind.OPENED:
                client = Client(event.id, self.engine, partial(dispatch.call_async, self), self.log)
                self._clients[event.id] = client
                client_nursery.start_soon(client.run)
            elif event.kind is EventKind.CALL and not isinstance(self._clients.get(event.id), Client):
                client_nursery.start_soon(self._call, event.id)
            elif event.kind is EventKind.CLOSED:
                self._cancel_call(event.id)
                obituary = take_obituary(self.engine, event.id) if event.code in BAD_ENDS else None
                self._tell(self._clients.pop(event.id, None), event, obituary)
            else:
                self._tell(self._clients.get(event.id), event)

    async def _call(self, ident: int) -> None:
        """Run the asynchronous command of a client that has no task of its own; its leaving cancels it."""
        with trio.CancelScope() as self._calls[ident]:
            await dispatch.call_async(self, ident)
        self._calls.pop(ident, None)

    def _cancel_call(self, ident: int) -> None:
        call = self._calls.pop(ident, None)
        if call is not None:
            call.cancel()

    def _tell(self, client: Peer | None, event: Event, obituary: Obituary | None = None) -> None:
        if isinstance(client, Client):
            client.obituary = obituary
        if client is not None:
            client.tell(event)

    async def _cron(self) -> None:
        """Do the engine's regular work, ``hz`` times a second."""
        while True:
            await trio.sleep(1 / self.config.hz)
            self.engine.cron()
            self._reporter.look()


def _several(names: str | bytes | Sequence[str | bytes]) -> Sequence[str | bytes]:
    """One name or several, as several."""
    return (names,) if isinstance(names, (str, bytes)) else names


def _equal(a: bytes, b: bytes) -> bool:
    """Compare in a time that tells nothing about where they differ."""
    import hmac

    return hmac.compare_digest(a, b)


def _process_age_ms() -> int:
    """Milliseconds since this process began."""
    with open("/proc/self/stat", "rb") as stat:
        started = int(stat.read().rsplit(b")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
    return max(0, round((time.clock_gettime(time.CLOCK_BOOTTIME) - started) * 1000))


async def serve(
    config: Config | None = None,
    *,
    any_port: bool = False,
    pace: Pace = PACE_SHARED,
    output: LogOutput | None = None,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a server until it is stopped (SHUTDOWN, :meth:`Server.stop`).

    Use it with ``await nursery.start(trioredis.serve, config)``, which returns the :class:`Server` when it listens.

    Args:
        config: the configuration; None: the defaults.
        any_port: ``port 0`` lets the kernel choose a port; otherwise it means no TCP, as in redis.conf.
        pace: how long the program's other tasks may have to wait while there is traffic.
        output: an open log, which stays the caller's; None: as the configuration has it.

    Cancelled: connections are cut and everything is closed.

    Raises:
        ListenError: an address can't be listened on.
        EngineError: no memory, or a poller that this system lacks.
        UnservableError: the configuration asks for what this version can't do and must not leave out.
    """
    config = config or Config()
    refuse_unserved(config)
    if output is not None:
        await _serve_logged(config, output, task_status, any_port=any_port, pace=pace)
        return
    with closing(configure(log_settings(config))) as own_output:
        await _serve_logged(config, own_output, task_status, any_port=any_port, pace=pace)


async def _serve_logged(
    config: Config, output: LogOutput, task_status: trio.TaskStatus[Server], *, any_port: bool, pace: Pace
) -> None:
    server: Server | None = None
    engine = Engine(seed=os.urandom(SEED_BYTES), databases=config.databases, poller=config.poller)
    try:
        output.log.emit(
            EVENTS.SERVER_START, version=VERSION, redis_version=REDIS_VERSION, bits=POINTER_BITS, poller=engine.poller
        )
        output.log.emit(EVENTS.CONFIG_LOADED, file=config.path, directives=config.given)
        server = Server(config, engine, output, any_port=any_port, pace=pace)
        await server.run(task_status=task_status)
    finally:
        engine.close()
        if server is not None:
            server.say_stopped()


@asynccontextmanager
async def open_server(config: Config | None = None, **directives: object) -> AsyncIterator[Server]:
    """Run a server inside any Trio program, for the length of an ``async with``.

    Args:
        config: the configuration to start from; None: the defaults.
        directives: redis.conf directives with underscores for dashes: ``port=0``, ``maxmemory="100mb"``.

    Raises:
        BadValueError, KeyError: a directive is not known or can't have that value.
        ListenError: an address can't be listened on.
    """
    config = config or Config()
    for name, value in directives.items():
        text = "yes" if value is True else "no" if value is False else str(value)
        config.assign(name.replace("_", "-"), *text.split() or [""])
    async with trio.open_nursery() as nursery:
        server: Server = await nursery.start(partial(serve, config, any_port=True))
        try:
            yield server
        finally:
            server.stop()
