"""Rows of the table: how modules are run, restarted, reported on and walled in."""

from __future__ import annotations

from typing import Any, Final

from trioredis.config import walls
from trioredis.config.directive import INT_MAX, LONG_MAX, UINT_MAX, Directive, Group
from trioredis.config.rows import choice, fixed_text, flag, memory, number, text

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_MINUTE_MS: Final = 60_000


def _wall(make: Any, name: str, *rest: Any, **more: Any) -> Directive:
    """Return a row of the walls: a client may not widen them unless protected directives are open to it."""
    row: Directive = make(walls.WALL_PREFIX + name, *rest, own=True, since_7_0=False, protected=True, **more)
    return row


LIFE: Final = (
    choice(
        "module-restart",
        "on-crash",
        ("always", "on-crash", "never"),
        Group.SCRIPTS,
        "Whether the process of a module that ended is started anew: after any end, after any but an exit with"
        " status 0 while it had nothing to do, or not at all.",
        own=True,
        since_7_0=False,
    ),
    number(
        "module-restart-backoff-ms",
        100,
        0,
        _MINUTE_MS,
        Group.SCRIPTS,
        "Milliseconds before the second restart within a minute; each one more doubles it, up to ten seconds. The first"
        " one is immediate.",
        own=True,
        since_7_0=False,
    ),
    number(
        "module-restarts-per-minute",
        10,
        0,
        INT_MAX,
        Group.SCRIPTS,
        "How often a module may be restarted within a minute; one more end and it is parked: its commands fail with"
        " `MODULEDOWN` until it is unloaded and loaded again. 0 for no limit.",
        own=True,
        since_7_0=False,
    ),
    choice(
        "module-durability",
        "on",
        ("on", "off"),
        Group.SCRIPTS,
        "Whether the server keeps what it takes to give the values of a module's data types to its next process. With"
        " `off`, keys of such types are deleted when the process of their module ends.",
        own=True,
        since_7_0=False,
    ),
    number(
        "module-command-timeout",
        30_000,
        0,
        LONG_MAX // 1_000_000,
        Group.SCRIPTS,
        "Milliseconds that a module may keep the keyspace to itself in one command or callback; then its process is"
        " ended as after a crash. 0 for no limit.",
        own=True,
        since_7_0=False,
    ),
    text(
        "module-report-dir",
        "",
        Group.SCRIPTS,
        "Folder for the reports of modules that crashed; empty for `module-reports` in the folder of `dir`. It is made"
        " when the first report is written.",
        own=True,
        since_7_0=False,
        protected=True,
    ),
    number(
        "module-reports-max",
        100,
        1,
        100_000,
        Group.SCRIPTS,
        "How many reports are kept; the oldest go.",
        own=True,
        since_7_0=False,
    ),
)

WALLS: Final = (
    _wall(
        memory,
        "memory",
        4 * _GIB,
        Group.SCRIPTS,
        "Address space of a module's process, which is more than what it uses: each of its threads reserves some 130"
        " megabytes. 0 for no limit.",
    ),
    _wall(memory, "file-size", 64 * _MIB, Group.SCRIPTS, "Largest file that a module may write, where it may write."),
    _wall(number, "files", 256, 16, UINT_MAX, Group.SCRIPTS, "Files and sockets that a module may have open."),
    _wall(number, "threads", 64, 0, UINT_MAX - 1, Group.SCRIPTS, "Threads that a module may start."),
    _wall(number, "processes", 4, 0, UINT_MAX, Group.SCRIPTS, "Children alive at once of a module that may have any."),
    _wall(
        number,
        "cpu",
        0,
        0,
        UINT_MAX,
        Group.SCRIPTS,
        "Seconds of processor time for a module's process; 0 for no limit.",
    ),
    _wall(
        choice,
        "network",
        "none",
        ("none", "tcp", "all"),
        Group.SCRIPTS,
        "Which sockets a module may open: none, TCP, or any of the internet and Unix.",
    ),
    _wall(
        flag,
        "fork",
        False,
        Group.SCRIPTS,
        "Let modules start processes. Values are saved by a copy of the module's process in any case.",
    ),
    _wall(flag, "exec", False, Group.SCRIPTS, "Let modules run programs that they may read; implies `code`."),
    _wall(
        flag,
        "code",
        False,
        Group.SCRIPTS,
        "Let modules make or load executable code while they serve, as compilers at run time do.",
    ),
    _wall(
        text,
        "read-paths",
        "",
        Group.SCRIPTS,
        "What modules may read besides their own folder and the system's libraries: absolute paths, `:` between them; a"
        " folder stands for all that is in it.",
        check=walls.absolute_paths,
    ),
    _wall(
        text,
        "write-paths",
        "",
        Group.SCRIPTS,
        "What modules may read and write; absolute paths, `:` between them.",
        check=walls.absolute_paths,
    ),
    _wall(
        text,
        "env",
        "",
        Group.SCRIPTS,
        "The environment of modules, which is empty otherwise: words `NAME=VALUE`, quoted as in a shell.",
        check=walls.environment,
    ),
    _wall(
        text,
        "require",
        "",
        Group.SCRIPTS,
        "Walls without which a module must not be loaded, spaces between them; any other that the system can't put up"
        " is a warning. [Modules](../modules.md#walls) lists them.",
        check=walls.wall_names,
    ),
    fixed_text(
        "module-sandbox-wrapper",
        "",
        Group.SCRIPTS,
        "A command that starts modules' processes, such as `gdbserver :0` or `valgrind`; words quoted as in a shell."
        " For debugging: deadlines of the start don't count then.",
        check=walls.shell_words,
        own=True,
        since_7_0=False,
    ),
)

ROWS: Final = (*LIFE, *WALLS)
