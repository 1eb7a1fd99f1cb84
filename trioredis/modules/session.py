"""Who may say what on a control channel: the engine's end, without I/O.

The counterpart of sandbox/wire/session.h for the channel on which Python supervises a host. What the host sends is
hostile: whatever breaks the table, the order or a bound is a ``WireError``, and the caller gives that host up.
"""

from __future__ import annotations

from typing import Final, final

from trioredis.modules.protocol import MESSAGES
from trioredis.modules.wire import Body, Role, WireError

PENDING_MAX: Final = 16
"""Questions of ours that may wait at once; as many as the host keeps."""


@final
class ControlSession:
    """One channel, from the greeting on. ``phase`` is one of the states in sandbox/protocol.toml."""

    def __init__(self) -> None:
        self.phase = "greeting"
        self._asked: dict[int, str] = {}
        self._owed: dict[int, str] = {}
        self._seen: set[str] = set()
        self._last_id = 0

    def ask(self, body: Body) -> tuple[int, bytes]:
        """Return id and bytes of a question of ours. WireError: not now, or too many wait."""
        self._permit(body.TYPE)
        if len(self._asked) >= PENDING_MAX:
            raise WireError("too many requests at once")
        data = MESSAGES.encode(body, self._last_id + 1)
        self._last_id += 1
        self._asked[self._last_id] = body.TYPE
        return self._last_id, data

    def tell(self, body: Body) -> bytes:
        """Return the bytes of a one-way message of ours. WireError: not now."""
        self._permit(body.TYPE)
        return MESSAGES.encode(body)

    def answer(self, request_id: int, body: Body) -> bytes:
        """Return the bytes of the answer to a question of the host's. WireError: it asked nothing of the kind."""
        asked = self._owed.pop(request_id, None)
        if asked is None or MESSAGES.by_name[asked].number + 1 != MESSAGES.by_name[body.TYPE].number:
            raise WireError("an answer that nobody asked for")
        return MESSAGES.encode(body, request_id)

    def came(self, data: bytes) -> tuple[int, Body]:
        """Judge a packet; returns the id that it bears and what is in it. WireError: the host is to be given up."""
        header, body = MESSAGES.decode(data, "host")
        spec = header.spec
        if spec.role is Role.ANSWER:
            asked = self._asked.get(header.request_id)
            if asked is None or MESSAGES.by_name[asked].number + 1 != spec.number:
                raise WireError("an answer that nobody asked for")
            del self._asked[header.request_id]
            return header.request_id, body
        self._permit(spec.name)
        if spec.role is Role.REQUEST:
            if len(self._owed) >= PENDING_MAX or header.request_id in self._owed:
                raise WireError("too many requests at once")
            self._owed[header.request_id] = spec.name
        return header.request_id, body

    def _permit(self, name: str) -> None:
        """Check state and count. WireError: it may not be said now."""
        spec = MESSAGES.by_name[name]
        if self.phase not in spec.states:
            raise WireError(f"{name} while {self.phase}")
        if "once" in spec.marks and name in self._seen:
            raise WireError(f"{name} a second time")
        self._seen.add(name)
