"""Aim: on a control channel the host may say exactly what the table of messages permits; anything else is an error.

Method: every message of the host in every phase, against the table; answers with right and wrong ids; random bytes.
"""

from __future__ import annotations

import random

import pytest

from trioredis.modules.protocol import (
    MESSAGES,
    Crash,
    Hello,
    HelloAnswer,
    Log,
    Ping,
    PingAnswer,
    SetLimits,
    Stop,
    UnloadModule,
    Walls,
)
from trioredis.modules.session import PENDING_MAX, ControlSession
from trioredis.modules.wire import Body, Role, WireError

PHASES = ("greeting", "ready", "idle")
FROM_HOST: list[Body] = [
    Hello(1, 1, b"", 1, 64),
    Walls(1, (b"memory",), (1,), (b"",)),
    Log(0, 0, 1, 0, 0, b"text"),
    Crash(1, 6, 0, 0, 1, b"assertion"),
]
PONG = PingAnswer(5, 0, 0, 0, 0, 0, 0)


def packet(body: Body, request_id: int = 1) -> bytes:
    """Return the packet that the host would send."""
    is_one_way = MESSAGES.by_name[body.TYPE].role is Role.ONE_WAY
    return MESSAGES.encode(body, 0 if is_one_way else request_id)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("body", FROM_HOST, ids=lambda body: body.TYPE)
def test_the_table_holds(body: Body, phase: str) -> None:
    session = ControlSession()
    session.phase = phase
    spec = MESSAGES.by_name[body.TYPE]
    if phase not in spec.states:
        with pytest.raises(WireError):
            session.came(packet(body))
        return
    assert session.came(packet(body))[1] == body
    if "once" in spec.marks:
        with pytest.raises(WireError, match="second time"):
            session.came(packet(body, 2))


def test_answers_meet_their_questions() -> None:
    session = ControlSession()
    session.phase = "idle"
    first, _ = session.ask(Ping(1))
    second, _ = session.ask(UnloadModule())
    for wrong in (packet(PONG, second), packet(PONG, second + 1)):
        with pytest.raises(WireError, match="nobody asked"):
            session.came(wrong)
    assert session.came(packet(PONG, first)) == (first, PONG)
    with pytest.raises(WireError, match="nobody asked"):
        session.came(packet(PONG, first))


def test_our_own_bounds() -> None:
    session = ControlSession()
    with pytest.raises(WireError, match="while greeting"):
        session.ask(Ping(1))
    session.phase = "idle"
    for _ in range(PENDING_MAX):
        session.ask(SetLimits(0, 1, 1, 0, 0, 0))
    with pytest.raises(WireError, match="too many"):
        session.ask(Ping(1))
    session.tell(Stop(0))
    with pytest.raises(WireError, match="second time"):
        session.tell(Stop(0))


def test_the_greeting_is_answered_once() -> None:
    session = ControlSession()
    answer = HelloAnswer(1, 0, b"", 64, 256, 0, 0)
    with pytest.raises(WireError):
        session.answer(1, answer)
    session.came(packet(FROM_HOST[0]))
    session.answer(1, answer)
    with pytest.raises(WireError):
        session.answer(1, answer)


def test_flipped_bits() -> None:
    """Whatever is flipped, there is a message or an error of one kind."""
    source = random.Random(7)
    for body in FROM_HOST:
        whole = packet(body)
        for _ in range(500):
            data = bytearray(whole[: source.randrange(len(whole) + 1)] if source.random() < 0.3 else whole)
            for _ in range(source.randrange(1, 4)):
                if data:
                    data[source.randrange(len(data))] ^= 1 << source.randrange(8)
            try:
                ControlSession().came(bytes(data))
            except WireError:
                continue
