"""One process of the host program: from its start to its end.

:meth:`Host.run` owns the process. It reads the control channel and both outputs, answers the greeting, matches answers
with questions, and ends when the process has. Nothing that comes is trusted: a packet that breaks the rules is
*trouble*, which is told once, and from then on nothing of this host is listened to; whoever supervises it ends it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar, final

import trio

from trioredis.modules.output import Allowance, log_line, log_output, log_walls
from trioredis.modules.protocol import (
    NEST_MAX,
    QUEUE_MAX,
    VERSION_MAX,
    VERSION_MIN,
    Crash,
    Hello,
    HelloAnswer,
    LoadModuleAnswer,
    Log,
    Ping,
    PingAnswer,
    UnloadModuleAnswer,
    Walls,
)
from trioredis.modules.session import ControlSession
from trioredis.modules.wire import HEADER_BYTES, Body, WireError

if TYPE_CHECKING:
    from trioredis.modules.spawn import Spawned
    from trioredis.observability import Log as ServerLog

PACKET_BYTES: Final = (1 << 20) + HEADER_BYTES
LINE_BYTES: Final = 8192
"""A line of output that is longer comes in pieces."""
REST_S: Final = 1.0
"""How long what a process has left in its pipes is read, once it has ended."""
LAST_WORDS_S: Final = 0.5
"""A channel that closes is the process's end, unless it lives on after this time."""
WITNESS_S: Final = 1.0
"""How long a process that took too long may take to write down where."""
END_S: Final = 5.0
"""How long the kernel may take to bring a killed process to its end."""
MESSAGE_BYTES_MAX: Final = 537919488

B = TypeVar("B", bound=Body)


class HostLost(Exception):
    """The host has ended, or is in trouble; the text says what happened."""


@final
@dataclass(slots=True)
class Slot:
    """Where an answer goes."""

    arrived: trio.Event = field(default_factory=trio.Event)
    body: Body | None = None


@final
class Host:
    """A process and the channel to it. Whoever makes one runs :meth:`run`, which closes everything.

    ``trouble`` says what it did wrong, ``last_words`` what it said before it died, ``status`` how it ended, as in
    ``subprocess``. ``module_pid`` is that of the host itself, which a wrapper may have started; ``attached``: the
    engine serves it.
    """

    def __init__(self, spawned: Spawned, log: ServerLog, on_trouble: Callable[[], None]) -> None:
        self.log = log
        self.trouble = ""
        self.last_words = ""
        self.status: int | None = None
        self.attached = False
        self.load_answer: LoadModuleAnswer | None = None
        self.unload_answer: UnloadModuleAnswer | None = None
        self.walls: tuple[str, ...] = ()
        self.module_pid = spawned.process.pid
        self.gone: Final = trio.Event()
        self.ended: Final = trio.Event()
        self._spawned: Final = spawned
        self._memory = spawned.memory
        self._socket: Final = trio.socket.from_stdlib_socket(spawned.control)
        self._session: Final = ControlSession()
        self._on_trouble: Final = on_trouble
        self._slots: dict[int, Slot] = {}
        self._hello: tuple[int, Hello] | None = None
        self._greeted: Final = trio.Event()
        self._lines: Final = Allowance()
        self._outputs = {
            "stdout": os.dup(spawned.process.stdout.fileno()) if spawned.process.stdout else -1,
            "stderr": os.dup(spawned.process.stderr.fileno()) if spawned.process.stderr else -1,
        }

    @property
    def memory(self) -> int:
        """The descriptor of the shared memory, until :meth:`close`."""
        return self._memory

    async def run(self) -> None:
        """Read what the process has to say until it has ended. Cancelled: it is killed."""
        try:
            async with trio.open_nursery() as reader_nursery:
                reader_nursery.start_soon(self._read_control)
                for stream, fd in self._outputs.items():
                    reader_nursery.start_soon(self._read_output, stream, fd)
                await trio.lowlevel.wait_readable(self._spawned.pidfd)
                self.gone.set()
                self.kill()  # what is left of its group, which may hold the pipes
                reader_nursery.cancel_scope.deadline = trio.current_time() + REST_S
        finally:
            await self._end()

    async def wait_ended(self, seconds: float) -> None:
        """Return when the process has ended and all that it said has been read, or after so many seconds."""
        with trio.move_on_after(seconds):
            await self.ended.wait()

    async def _end(self) -> None:
        """Have the process end, learn how it ended, and wake who waits for it."""
        process = self._spawned.process
        self.kill()
        with trio.move_on_after(END_S, shield=True):
            await trio.lowlevel.wait_readable(self._spawned.pidfd)
        self.status = process.poll()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        self._socket.close()
        os.close(self._spawned.pidfd)
        self.gone.set()
        self._wake_all()
        self.ended.set()

    def close(self) -> None:
        """Give the shared memory back; the last thing that is done with a host. Idempotent."""
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    async def kill_later(self) -> None:
        """End the process if it does not by itself, as it has been asked to; so a record of where it hung is left."""
        await self.wait_ended(WITNESS_S)
        self.kill()

    def kill(self) -> None:
        """End the process at once, and all that it has started: it leads a group that nobody in it can leave.

        An ended process keeps the group's number until it has been asked for its status, which is done last of all.
        """
        if self.status is None and self._spawned.process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._spawned.process.pid, signal.SIGKILL)

    # What comes.

    async def _read_control(self) -> None:
        room = bytearray(PACKET_BYTES)
        try:
            while size := await self._socket.recv_into(room):
                self._take(bytes(memoryview(room)[:size]))
        except WireError as wrong:
            self._say_trouble(f"it broke the protocol of the control channel: {wrong}")
            return
        except OSError as error:
            self._say_trouble(f"its control channel failed: {os.strerror(error.errno or 0)}")
            return
        with trio.move_on_after(LAST_WORDS_S):
            await self.gone.wait()
            return
        self._say_trouble("it closed its control channel")

    def _take(self, data: bytes) -> None:
        """Serve one packet. WireError: it is none that may come now."""
        request_id, body = self._session.came(data)
        match body:
            case Hello():
                self._hello = (request_id, body)
                self._greeted.set()
            case Log():
                log_line(self.log, self._lines, body)
            case Walls():
                self.walls += log_walls(self.log, body)
            case Crash():
                self.last_words = body.text.decode("utf-8", "replace")
            case _:
                if isinstance(body, LoadModuleAnswer):
                    self.load_answer = body
                elif isinstance(body, UnloadModuleAnswer):
                    self.unload_answer = body
                slot = self._slots.pop(request_id, None)
                if slot is not None:
                    slot.body = body
                    slot.arrived.set()

    def _say_trouble(self, what: str) -> None:
        if not self.trouble:
            self.trouble = what
            self._wake_all()
            self._on_trouble()

    def _wake_all(self) -> None:
        self._greeted.set()
        for slot in self._slots.values():
            slot.arrived.set()

    async def _read_output(self, stream: str, fd: int) -> None:
        async with trio.lowlevel.FdStream(fd) as pipe:
            kept = b""
            async for part in pipe:
                *lines, kept = (kept + part).split(b"\n")
                if len(kept) >= LINE_BYTES:
                    lines, kept = [*lines, kept], b""
                for line in lines:
                    log_output(self.log, self._lines, stream, line)
            if kept:
                log_output(self.log, self._lines, stream, kept)

    # What is said.

    async def greet(self, *, server_version: int, command_ms_max: int, wrapped: bool) -> None:
        """Wait for the greeting and answer it.

        Raises:
            HostLost: it ended, or said something else.
        """
        await self._greeted.wait()
        if self._hello is None:
            raise HostLost(self._why_lost())
        request_id, hello = self._hello
        if hello.version_min > VERSION_MAX or hello.version_max < VERSION_MIN:
            raise HostLost(f"it speaks versions {hello.version_min} to {hello.version_max} of the protocol")
        if not wrapped and hello.pid != self._spawned.process.pid:
            raise HostLost("it gave another process's id")
        if wrapped and not is_descendant(hello.pid, self._spawned.process.pid):
            raise HostLost("it gave the id of a process that its wrapper has not started")
        self.module_pid = hello.pid
        answer = HelloAnswer(
            version=min(VERSION_MAX, hello.version_max),
            server_version=server_version,
            build_id=b"",
            nest_max=NEST_MAX,
            queue_max=QUEUE_MAX,
            command_ms_max=min(command_ms_max, 0xFFFFFFFF),
            message_bytes_max=MESSAGE_BYTES_MAX,
        )
        await self._send(self._session.answer(request_id, answer))
        self._session.phase = "ready"

    async def ask(self, body: Body, kind: type[B]) -> B:
        """Ask and wait for the answer, which is of ``kind``. Cancelled: the answer is dropped when it comes.

        Raises:
            HostLost: the host ended, or is in trouble.
        """
        return await self.answer_of(await self.post(body), kind)

    async def post(self, body: Body) -> Slot:
        """Send a question; returns what :meth:`answer_of` takes. HostLost: as :meth:`ask`."""
        try:
            request_id, data = self._session.ask(body)
        except WireError as wrong:
            raise HostLost(str(wrong)) from wrong
        slot = self._slots[request_id] = Slot()
        await self._send(data)
        return slot

    async def answer_of(self, slot: Slot, kind: type[B]) -> B:
        """Wait for the answer to a question that was sent. HostLost: as :meth:`ask`."""
        if not (self.trouble or self.gone.is_set()):
            await slot.arrived.wait()
        if not isinstance(slot.body, kind):
            raise HostLost(self._why_lost())
        return slot.body

    async def ping(self, token: int) -> PingAnswer:
        """Ask how the module is; answered while it runs. HostLost: as :meth:`ask`."""
        return await self.ask(Ping(token), PingAnswer)

    async def _send(self, data: bytes) -> None:
        try:
            await self._socket.send(data)
        except OSError as error:
            with trio.move_on_after(LAST_WORDS_S):
                await self.gone.wait()
            raise HostLost(self._why_lost()) from error

    def serving(self) -> None:
        """The module is loaded: from here on the host may say what a serving one may."""
        self._session.phase = "idle"

    def _why_lost(self) -> str:
        return self.trouble or "its process ended"


def is_descendant(pid: int, ancestor: int) -> bool:
    """Whether a process is another one or was started by it, over any number of generations."""
    for _ in range(16):
        if pid == ancestor:
            return True
        try:
            with open(f"/proc/{pid}/stat", "rb") as stat:
                pid = int(stat.read().rsplit(b")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            return False
        if pid <= 1:
            return False
    return False


def pidfd_of(host: Host) -> int:
    """Return a descriptor for the host's own process, which is the caller's. OSError: it has ended."""
    return os.pidfd_open(host.module_pid)
