"""How important a log line is, and in which role the process speaks."""

from __future__ import annotations

from enum import Enum, IntEnum, unique


@unique
class LogLevel(IntEnum):
    """The values of ``loglevel``, least important first. ``NOTHING`` is a threshold that no line reaches."""

    DEBUG = 0
    VERBOSE = 1
    NOTICE = 2
    WARNING = 3
    NOTHING = 4

    @classmethod
    def parse(cls, name: str) -> LogLevel:
        """The level that the configuration calls ``name`` (any case). Raises ValueError for another word."""
        try:
            return cls[name.upper()]
        except KeyError:
            raise ValueError(f"unknown log level {name!r}") from None

    @property
    def char(self) -> str:
        """The mark of this level in a line of the legacy format."""
        return ".-*# "[self]

    @property
    def structured_name(self) -> str:
        """The level in logfmt and JSON lines, as Valkey names it: verbose is ``info``."""
        return ("debug", "info", "notice", "warning", "nothing")[self]

    @property
    def syslog_severity(self) -> int:
        """The severity that the syslog protocol gives this level."""
        return (7, 6, 5, 4, 4)[self]


@unique
class Role(Enum):
    """Who writes the line: value is the legacy letter and the name in structured lines."""

    MASTER = ("M", "primary")
    REPLICA = ("S", "replica")
    CHILD = ("C", "RDB/AOF")
    SENTINEL = ("X", "sentinel")

    @property
    def char(self) -> str:
        """The letter behind the process id in a line of the legacy format."""
        return self.value[0]

    @property
    def structured_name(self) -> str:
        """The role in logfmt and JSON lines."""
        return self.value[1]
