"""Messages for a program around the server: a Trio receive channel at the end of a subscription, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, final

import trio

from trioredis.engine import CloseReason, Engine, EngineError, Event, EventKind
from trioredis.inprocess import ClosedError
from trioredis.resp import PushMessage, ReplyError, ReplyReader, encode_command

CAPACITY: Final = 1000
"""Messages that wait for their reader unless the program says otherwise."""

_CONFIRMATIONS: Final = frozenset({b"subscribe", b"psubscribe", b"ssubscribe"})


class SlowReaderError(Exception):
    """Messages were lost, because the reader was slower than the publishers. The subscription has ended."""


class WhenFull(Enum):
    """What happens to a message that finds no room, since the reader has not taken earlier ones."""

    END = "end"
    """The subscription ends: what waits can still be read, then comes :exc:`SlowReaderError`."""
    DROP_OLDEST = "drop-oldest"
    """The message that waits longest goes, and is counted."""
    DROP_NEWEST = "drop-newest"
    """The message itself goes, and is counted."""


@final
@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``pattern`` is the one that its channel matches; None: the channel itself was subscribed to."""

    channel: bytes
    data: bytes
    pattern: bytes | None = None


@final
@dataclass(frozen=True, slots=True)
class SubscriptionStatistics:
    """Messages that wait now, that there is room for, that have come, and that were dropped since the beginning."""

    waiting: int
    capacity: int
    received: int
    dropped: int


@final
class Subscription(trio.abc.ReceiveChannel[Message]):
    """The messages of some channels and patterns, in the order in which they were published.

    Made by :meth:`Server.subscribe`. Several tasks may read; each message goes to one of them. Between the publisher
    and the reader stand at most ``capacity`` messages here, and for the length of one turn of the server's loop as
    many bytes as ``client-output-buffer-limit pubsub`` allows; over that the subscription ends as with ``END``.
    """

    def __init__(
        self,
        engine: Engine,
        forget: Callable[[int], None],
        capacity: int = CAPACITY,
        when_full: WhenFull = WhenFull.END,
    ) -> None:
        if capacity < 1:
            raise ValueError("a subscription needs room for a message")
        self._engine = engine
        self._forget = forget
        self._when_full = when_full
        self._reader = ReplyReader()
        self._put, self._messages = trio.open_memory_channel[Message](capacity)
        self._capacity = capacity
        self._received = self._dropped = self._unconfirmed = 0
        self._confirmed = trio.Event()
        self._error: ReplyError | None = None
        self._too_slow = self._closed = False
        self.ident: Final = engine.open_fed()

    async def begin(self, commands: Iterable[Sequence[str | bytes]]) -> None:
        """Send these SUBSCRIBE commands and return when all are confirmed (for the server).

        Raises:
            ReplyError: one is refused.
            ClosedError: the connection was closed before.

        Cancelled: some may be confirmed.
        """
        wanted = list(commands)
        self._unconfirmed = sum(len(words) - 1 for words in wanted)
        self._engine.set_client_flag(self.ident, "authenticated", True)
        request = b"".join(encode_command(words) for words in (("HELLO", "3"), *wanted))
        try:
            self._engine.feed(self.ident, request)
        except EngineError as error:
            raise ClosedError(str(error)) from error
        await self._confirmed.wait()
        if self._error is not None:
            raise self._error
        if self._closed:
            raise ClosedError("the connection was closed before the subscription")

    async def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            SlowReaderError: the reader was too slow and has read what was left.
            trio.EndOfChannel: the server has stopped, or somebody killed the connection.
            trio.ClosedResourceError: the subscription was closed here.

        Cancelled: no message is lost.
        """
        try:
            return await self._messages.receive()
        except trio.EndOfChannel:
            if self._too_slow:
                raise SlowReaderError(f"more than {self._capacity} messages waited for their reader") from None
            raise

    async def aclose(self) -> None:
        """Unsubscribe and forget what waits. Idempotent."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """The same without a checkpoint."""
        self._messages.close()
        self._end()

    def statistics(self) -> SubscriptionStatistics:
        """What has come and what waits, at this moment."""
        waiting = self._messages.statistics().current_buffer_used
        return SubscriptionStatistics(waiting, self._capacity, self._received, self._dropped)

    def tell(self, event: Event) -> None:
        """Take an event of the engine (for the server)."""
        if event.kind is EventKind.OUTPUT and not self._closed:
            self._take(self._engine.fed_output(self.ident))
        elif event.kind is EventKind.CLOSED:
            self._too_slow = self._too_slow or event.code == CloseReason.OUTPUT_LIMIT.value
            self._end(is_gone=True)

    def _end(self, *, is_gone: bool = False) -> None:
        if self._closed:
            return
        self._closed = True
        self._put.close()
        self._confirmed.set()
        self._forget(self.ident)
        if not is_gone:
            self._engine.kill(self.ident, CloseReason.QUIT)

    def _take(self, data: bytes) -> None:
        self._reader.feed(data)
        while not self._closed:
            found, reply = self._reader.next()
            if not found:
                return
            if isinstance(reply, PushMessage):
                self._take_push(reply.items)
            elif isinstance(reply, ReplyError):
                self._error = reply
                self._confirmed.set()

    def _take_push(self, items: list[Any]) -> None:
        kind, *rest = items
        if kind in _CONFIRMATIONS:
            self._unconfirmed -= 1
            if self._unconfirmed == 0:
                self._confirmed.set()
        elif kind == b"pmessage":
            self._keep(Message(rest[1], rest[2], rest[0]))
        else:
            self._keep(Message(rest[0], rest[1]))

    def _keep(self, message: Message) -> None:
        self._received += 1
        try:
            self._put.send_nowait(message)
        except trio.WouldBlock:
            self._make_do(message)
        except trio.BrokenResourceError:  # the reader has closed its end
            self._end()

    def _make_do(self, message: Message) -> None:
        """Do without room for one message, as the program wants it."""
        self._dropped += 1
        if self._when_full is WhenFull.DROP_OLDEST:
            self._messages.receive_nowait()
            self._put.send_nowait(message)
        elif self._when_full is WhenFull.END:
            self._too_slow = True
            self._end()
