"""A live run: random commands on three connections of two servers, in lock step, with all that connections keep.

Transactions, watched keys, subscriptions, databases and expiry are mixed; after each command all that the connection
got on both servers, messages included, is read and compared. What has come is known by a PING behind the command, or in
a transaction by the one answer that is due. A key that expires during the run does so on both servers before anything
else happens.

Where messages stand among the replies is not compared: 7.0 puts what a client tells itself in the middle of its reply.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests._resp import RespClient, encode
from tests.differential.compare import same

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests._resp import Reply
    from tests._servers import Server

Line = tuple[bytes, ...]

PROTOCOLS: Final = ("2", "2", "3")
"""Of the connections."""
FAR: Final = b"100000"
PROBES_MAX: Final = 1_000_000
HISTORY_SHOWN: Final = 40
DATABASES: Final = (b"0", b"0", b"0", b"1")
SHARE_WRONG: Final = 0.02
SHARE_RARE: Final = 0.02
SHARE_OF_EXPIRY: Final = 0.02
SHARE_END_OF_MULTI: Final = 0.25
SHARE_DONE_LISTENING: Final = 0.1
"""So often a connection that has subscribed begins anew; with RESP2 it may do little else."""

POOLS: Final[dict[bytes, tuple[bytes, ...]]] = {
    b"K": (b"a", b"b", b"c", b"n", b"m"),
    b"V": (b"1", b"7", b"-3", b"abc", b"", b"x" * 50),
    b"C": (b"news", b"news:1", b"other"),
    b"P": (b"news*", b"*", b"__key*@*__:*", b"n?ws"),
    b"D": DATABASES,
}
"""What a word of one capital letter in a template stands for."""


def templates(text: str) -> tuple[Line, ...]:
    """Return the commands in ``text``, one a line, without empty ones."""
    return tuple(tuple(line.encode().split()) for line in text.splitlines() if line.strip())


DATA: Final = templates(
    f"""
    SET K V\n SET K V\n GET K\n GET K\n DEL K\n DEL K K\n INCR K\n DECRBY K 3\n APPEND K V\n STRLEN K\n GETSET K V
    SET K V NX\n SET K V XX KEEPTTL\n SET K V EX {FAR.decode()}\n SETRANGE K 2 zz\n MSET K V K V\n MSETNX K V K V
    MGET K K\n GETDEL K\n GETEX K PERSIST\n GETEX K EX {FAR.decode()}\n RENAME K K\n RENAMENX K K\n COPY K K REPLACE
    TOUCH K\n EXPIRE K {FAR.decode()}\n EXPIRE K -1\n PEXPIREAT K 1000\n PERSIST K\n TTL K\n EXISTS K K\n TYPE K
    DBSIZE\n KEYS *\n UNLINK K\n MOVE K D\n OBJECT ENCODING K\n GETRANGE K 0 1\n PING
    """
)
TALK: Final = templates(
    """
    SUBSCRIBE C\n PSUBSCRIBE P\n SSUBSCRIBE C\n UNSUBSCRIBE C\n PUNSUBSCRIBE P\n SUNSUBSCRIBE C
    PUBLISH C V\n PUBLISH C V\n PUBLISH C V\n SPUBLISH C V\n PUBSUB NUMSUB C C\n PUBSUB NUMPAT\n PUBSUB SHARDNUMSUB C
    """
)
END_OF_MULTI: Final = templates("EXEC\n EXEC\n EXEC\n EXEC\n DISCARD")
CONTROL: Final = templates("MULTI\n MULTI\n MULTI\n WATCH K\n WATCH K\n WATCH K K\n UNWATCH\n DISCARD\n EXEC")
WRONG: Final = templates("GET\n NOSUCH a\n SET a b BAD\n INCRBY a x\n EXEC x\n SELECT 99\n WATCH\n SUBSCRIBE\n MULTI x")
RARE: Final = templates("FLUSHDB\n FLUSHALL\n SWAPDB 0 1\n SELECT D\n SELECT 0\n RESET\n HELLO 2\n HELLO 3")


SUBSCRIBED: Final = frozenset(
    {b"subscribe", b"psubscribe", b"ssubscribe", b"unsubscribe", b"punsubscribe", b"sunsubscribe"}
)
MESSAGES: Final = frozenset({b"message", b"pmessage", b"smessage"})


def is_message(frame: Reply) -> bool:
    """Whether this was published by somebody."""
    return frame[0] in ("array", "push") and bool(frame[1]) and frame[1][0][1] in MESSAGES


class LiveClient(RespClient):
    """A connection that puts messages aside, also those in the middle of a reply."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address)
        self.messages: list[Reply] = []

    def answer(self) -> Reply:
        """Read the next frame that is no message."""
        while is_message(frame := self.read()):
            self.messages.append(frame)
        return frame

    def take_messages(self) -> list[Reply]:
        """Return the messages so far. Those of one publishing are sorted, as patterns have no order."""
        out: list[Reply] = []
        same_text: list[Reply] = []
        for frame in self.messages:
            if same_text and frame[1][-2:] != same_text[-1][1][-2:]:
                out += sorted(same_text)
                same_text = []
            same_text.append(frame)
        self.messages = []
        return out + sorted(same_text)

    def _many(self, count: int) -> tuple[Reply, ...]:
        return tuple(self.answer() for _ in range(count))


@dataclass
class Peer:
    """One connection, on both servers, and what is known of its state."""

    ends: tuple[LiveClient, LiveClient]
    protocol: str
    is_reset: bool = False
    listens: bool = False
    in_multi: bool = False
    queued: list[Line] = field(default_factory=list)


class LiveRun:
    """Runs on two servers, ours and a stock one, which lose all their keys.

    Args:
        stack: closes the connections.
        seed: of the random choices.
    """

    def __init__(self, servers: tuple[Server, Server], stack: ExitStack, seed: int) -> None:
        def ends() -> tuple[LiveClient, LiveClient]:
            ours, stock = (stack.enter_context(LiveClient(server.address)) for server in servers)
            return ours, stock

        self._rng: Final = random.Random(seed)
        self._number = 0
        self._history: list[tuple[int, Line]] = []
        self._probe: Final = ends()
        self._peers: Final = [Peer(ends(), protocol) for protocol in PROTOCOLS]
        for client in self._probe:
            client.call("FLUSHALL")
            client.call("CONFIG", "SET", "notify-keyspace-events", "KEA")
        for peer in self._peers:
            for client in peer.ends:
                client.call("HELLO", peer.protocol)

    def end(self) -> None:
        """Set the servers back."""
        for client in self._probe:
            client.call("CONFIG", "SET", "notify-keyspace-events", "")
            client.call("FLUSHALL")

    def run(self, steps: int) -> None:
        """Take so many steps. Raises AssertionError: the servers disagree."""
        for _ in range(steps):
            number = self._rng.randrange(len(self._peers))
            if self._rng.random() < SHARE_OF_EXPIRY:
                self._let_a_key_expire()
            else:
                self.step(number, self._choose(self._peers[number]))

    def step(self, number: int, line: Line) -> None:
        """Send one command on a connection of both servers and compare what comes."""
        peer = self._peers[number]
        self._history.append((number, line))
        ours, stock = (self._exchange(client, peer, line) for client in peer.ends)
        queued = tuple(peer.queued) if line[0] == b"EXEC" else ()
        if not self._agree(line, queued, ours, stock):
            story = "\n".join(f"{who}: {words}" for who, words in self._history[-HISTORY_SHOWN:])
            raise AssertionError(f"{story}\nours:  {ours}\nstock: {stock}")
        self._follow(peer, line, ours)

    def _choose(self, peer: Peer) -> Line:
        rng = self._rng
        if peer.is_reset:
            return (b"HELLO", peer.protocol.encode())
        if peer.listens and rng.random() < SHARE_DONE_LISTENING:
            return (b"RESET",)
        chance = rng.random()
        if chance < SHARE_WRONG:
            return rng.choice(WRONG)
        if chance < SHARE_WRONG + SHARE_RARE:
            table = RARE
        elif peer.in_multi and rng.random() < SHARE_END_OF_MULTI:
            table = END_OF_MULTI
        else:
            table = rng.choice((DATA, DATA, DATA, DATA, TALK, CONTROL, CONTROL))
        return tuple(rng.choice(POOLS.get(word, (word,))) for word in rng.choice(table))

    def _let_a_key_expire(self) -> None:
        """Give a key a short life and wait, on both servers, until it is over."""
        key = self._rng.choice(POOLS[b"K"])
        self._history.append((-1, (b"PEXPIRE", key, b"1")))
        found = [client.call("PEXPIRE", key, "1") for client in self._probe]
        assert found[0] == found[1], f"{self._history[-HISTORY_SHOWN:]}: {found}"
        for client in self._probe:
            for _ in range(PROBES_MAX):
                if client.call("EXISTS", key) == ("int", 0):
                    break
            else:
                raise AssertionError(f"{key!r} does not expire")

    def _exchange(self, client: LiveClient, peer: Peer, line: Line) -> list[Reply]:
        """Return all that the connection gets up to the end of this command's answer, messages last."""
        self._number += 1
        frames: list[Reply] = []
        queues = peer.in_multi and line[0] not in (b"EXEC", b"DISCARD", b"RESET")
        if queues or line[0] == b"MULTI":  # a PING would be queued, too; there is one answer
            client.send(encode(line))
            frames.append(client.answer())
            return frames + client.take_messages()
        mark = b"mark-%d" % self._number
        client.send(encode(line) + encode([b"PING", mark]))
        while (frame := client.answer()) != ("bulk", mark) and frame != ("array", (("bulk", b"pong"), ("bulk", mark))):
            frames.append(frame)
        return frames + client.take_messages()

    @staticmethod
    def _follow(peer: Peer, line: Line, frames: list[Reply]) -> None:
        """Keep track of transaction and subscriptions."""
        peer.is_reset = line == (b"RESET",)
        for frame in frames:
            if frame[0] in ("array", "push") and frame[1] and frame[1][0][1] in SUBSCRIBED:
                peer.listens = frame[1][2] != ("int", 0)
        if peer.is_reset:
            peer.listens = False
        if line == (b"MULTI",) and ("simple", b"OK") in frames:
            peer.in_multi, peer.queued = True, []
        elif peer.in_multi and ("simple", b"QUEUED") in frames:
            peer.queued.append(line)
        elif line[0] in (b"EXEC", b"DISCARD", b"RESET"):
            peer.in_multi, peer.queued = False, []

    def _agree(self, line: Line, queued: tuple[Line, ...], ours: list[Reply], stock: list[Reply]) -> bool:
        if len(ours) != len(stock):
            return False
        return all(_agree_on(line, queued, one, other) for one, other in zip(ours, stock, strict=True))


def _agree_on(line: Line, queued: tuple[Line, ...], one: Reply, other: Reply) -> bool:
    if is_message(one) or is_message(other):
        return one == other
    if queued and one[0] == other[0] == "array" and len(one[1]) == len(other[1]) == len(queued):
        return all(same(words, a, b) for words, a, b in zip(queued, one[1], other[1], strict=True))
    return same(line, one, other)
