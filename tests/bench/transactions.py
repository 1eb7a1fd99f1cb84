"""Transactions as a load, which redis-benchmark cannot send: many connections, each with a few of them under way."""

from __future__ import annotations

import random
import select
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from tests._resp import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests._servers import Server
    from tests.bench.workloads import Workload

READ_BYTES: Final = 1 << 18
VARIANTS: Final = 256  # different requests, with keys of their own
SOCKET_SECONDS: Final = 60.0


class ReplyError(Exception):
    """The server answered otherwise than a transaction that works is answered."""


def request_of(workload: Workload) -> bytes:
    """Return the bytes of ``pipeline`` transactions with random keys."""
    parts = []
    for _ in range(workload.pipeline):
        parts.append(encode(["MULTI"]))
        for _ in range(workload.repeats):
            number = f"{random.randrange(workload.keyspace):012d}"
            value = "x" * workload.value_bytes
            words = [w.replace("__rand_int__", number).replace("__value__", value) for w in workload.command]
            parts.append(encode(words))
        parts.append(encode(["EXEC"]))
    return b"".join(parts)


def answer_of(workload: Workload) -> bytes:
    """Return what the server says to one request, if each command is answered by OK."""
    n = workload.repeats
    return (b"+OK\r\n" + b"+QUEUED\r\n" * n + b"*%d\r\n" % n + b"+OK\r\n" * n) * workload.pipeline


def commands_in(workload: Workload) -> int:
    """Return how many commands one request holds."""
    return (workload.repeats + 2) * workload.pipeline


def exchange(server: Server, workload: Workload, rounds: int, note: Callable[[float], None]) -> float:
    """Send ``rounds`` requests over ``clients`` connections, each one after the answer to the one before.

    Returns the seconds that it took; ``note`` gets the milliseconds of each. Raises ReplyError, OSError.
    """
    requests = [request_of(workload) for _ in range(min(VARIANTS, rounds))]
    answer = answer_of(workload)
    with ExitStack() as stack, select.epoll() as poller:
        socks: dict[int, socket.socket] = {}
        for _ in range(min(workload.clients, rounds)):
            sock = stack.enter_context(socket.create_connection(server.address, SOCKET_SECONDS))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            socks[sock.fileno()] = sock
            poller.register(sock, select.EPOLLIN)
        began = time.perf_counter()
        missing, sent_at = dict.fromkeys(socks, 0), dict.fromkeys(socks, began)
        sent = done = 0
        for sock in socks.values():
            sock.sendall(requests[sent % len(requests)])
            missing[sock.fileno()] = len(answer)
            sent += 1
        while done < rounds:
            for fd, _ in poller.poll(SOCKET_SECONDS):
                data = socks[fd].recv(READ_BYTES)
                at = len(answer) - missing[fd]
                if not data or answer[at : at + len(data)] != data:
                    raise ReplyError(f"{workload.name}: {data[:100]!r}")
                missing[fd] -= len(data)
                if missing[fd]:
                    continue
                now = time.perf_counter()
                note((now - sent_at[fd]) * 1000)
                done += 1
                if sent < rounds:
                    missing[fd], sent_at[fd] = len(answer), now
                    socks[fd].sendall(requests[sent % len(requests)])
                    sent += 1
        return time.perf_counter() - began
