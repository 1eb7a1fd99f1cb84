"""What a command that Python answers may use: the server around it and the client that asked.

These are the views that handlers are written against; ``trioredis.dispatch.Context`` and
``trioredis.server.Server`` fit them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from trioredis.observability.collect import Subject

if TYPE_CHECKING:
    from trioredis.commands.registry import ClientHandle
    from trioredis.commands.reply import Proto
    from trioredis.commands.schema import Schema
    from trioredis.engine import Helpers
    from trioredis.modules.supervisor import Modules
    from trioredis.observability import Log


class ServerView(Subject, Protocol):
    """The parts of the server that commands use."""

    @property
    def schema(self) -> Schema:
        """All commands, by the names that they have here."""

    @property
    def log(self) -> Log:
        """Where events go."""

    @property
    def modules(self) -> Modules:
        """The modules that are loaded."""

    @property
    def helpers(self) -> Helpers:
        """Their processes, as the engine has them."""

    def stop(self, reason: str, *, grace_s: float = 0.0) -> None:
        """Begin the shutdown; returns at once."""

    def abort_stop(self) -> bool:
        """Take a shutdown back that has not closed any client yet; False: there is none to take back."""

    async def wait_aborted(self) -> None:
        """Return when the shutdown that is under way was taken back."""


class CommandView(Protocol):
    """Where a command runs."""

    @property
    def server(self) -> ServerView:
        """The server."""

    @property
    def client(self) -> ClientHandle:
        """The client that sent the command."""

    @property
    def proto(self) -> Proto:
        """The protocol of its replies."""
