"""Typed access to the directives that the server itself reads."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from trioredis.config.directive import OutputLimits, SavePoint, Value


class TypedView:
    """Directives by type, and the common ones as attributes."""

    __slots__ = ()

    @abstractmethod
    def __getitem__(self, name: str) -> Value:
        """Return a directive's value by name or alias."""

    def flag(self, name: str) -> bool:
        """Return a yes/no directive.

        Raises:
            TypeError: the directive is of another kind.
        """
        value = self[name]
        if not isinstance(value, bool):
            raise TypeError(f"{name} is not yes or no")
        return value

    def integer(self, name: str) -> int:
        """Return a number, in the unit the table gives; sizes are in bytes.

        Raises:
            TypeError: the directive is of another kind.
        """
        value = self[name]
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} is not a number")
        return value

    def text(self, name: str) -> str:
        """Return a string or the one chosen word.

        Raises:
            TypeError: the directive is of another kind.
        """
        value = self[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} is not a text")
        return value

    @property
    def port(self) -> int:
        """TCP port, 0 for none."""
        return self.integer("port")

    @property
    def bind(self) -> tuple[str, ...]:
        """Addresses to listen on, some with a leading ``-``: may be missing."""
        return cast("tuple[str, ...]", self["bind"])

    @property
    def tcp_backlog(self) -> int:
        """Length of the queue of connections to accept."""
        return self.integer("tcp-backlog")

    @property
    def tcp_keepalive(self) -> int:
        """Seconds between probes, 0 for none."""
        return self.integer("tcp-keepalive")

    @property
    def timeout(self) -> int:
        """Seconds an idle client may stay, 0 for ever."""
        return self.integer("timeout")

    @property
    def unixsocket(self) -> str:
        """Path of the Unix socket, empty for none."""
        return self.text("unixsocket")

    @property
    def unixsocketperm(self) -> int:
        """File mode of the Unix socket, 0 to leave it alone."""
        return self.integer("unixsocketperm")

    @property
    def protected_mode(self) -> bool:
        """Whether clients from elsewhere are refused while there is no password."""
        return self.flag("protected-mode")

    @property
    def poller(self) -> str:
        """``auto``, ``epoll``, ``poll`` or ``select``."""
        return self.text("poller")

    @property
    def maxclients(self) -> int:
        """How many clients may be connected."""
        return self.integer("maxclients")

    @property
    def client_output_buffer_limit(self) -> OutputLimits:
        """Limits on unread replies, by class."""
        return cast("OutputLimits", self["client-output-buffer-limit"])

    @property
    def databases(self) -> int:
        """Number of databases."""
        return self.integer("databases")

    @property
    def directory(self) -> str:
        """Absolute working directory (``dir``)."""
        return self.text("dir")

    @property
    def daemonize(self) -> bool:
        """Whether to run in the background."""
        return self.flag("daemonize")

    @property
    def supervised(self) -> str:
        """``no``, ``systemd``, ``upstart`` or ``auto``."""
        return self.text("supervised")

    @property
    def pidfile(self) -> str:
        """Path of the process id file, empty for none."""
        return self.text("pidfile")

    @property
    def hz(self) -> int:
        """Background rounds per second, 1 to 500."""
        return self.integer("hz")

    @property
    def logfile(self) -> str:
        """Path of the log file, empty for standard output."""
        return self.text("logfile")

    @property
    def loglevel(self) -> str:
        """``debug``, ``verbose``, ``notice``, ``warning`` or ``nothing``."""
        return self.text("loglevel")

    @property
    def log_format(self) -> str:
        """``legacy``, ``logfmt`` or ``json``."""
        return self.text("log-format")

    @property
    def requirepass(self) -> str:
        """Password of the default user, empty for none."""
        return self.text("requirepass")

    @property
    def maxmemory(self) -> int:
        """Bytes that the data may use, 0 for no limit."""
        return self.integer("maxmemory")

    @property
    def maxmemory_policy(self) -> str:
        """Name of the eviction policy."""
        return self.text("maxmemory-policy")

    @property
    def save(self) -> tuple[SavePoint, ...]:
        """When to take snapshots."""
        return cast("tuple[SavePoint, ...]", self["save"])

    @property
    def notify_keyspace_events(self) -> str:
        """Letters of the published event classes, ``A`` spelled out."""
        return self.text("notify-keyspace-events")

    @property
    def slowlog_log_slower_than(self) -> int:
        """Microseconds; 0 logs everything, negative nothing."""
        return self.integer("slowlog-log-slower-than")

    @property
    def slowlog_max_len(self) -> int:
        """Entries of the slow log."""
        return self.integer("slowlog-max-len")

    @property
    def latency_monitor_threshold(self) -> int:
        """Milliseconds, 0 for never."""
        return self.integer("latency-monitor-threshold")
