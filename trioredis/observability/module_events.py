"""The part of the catalogue of log events that modules bring about; see :mod:`trioredis.observability.events`."""

from __future__ import annotations

from typing import Final

from trioredis.observability.event import TRACEBACK_CHARS_MAX, Event, integer, items, number, text
from trioredis.observability.levels import LogLevel

_DEBUG, _VERBOSE = LogLevel.DEBUG, LogLevel.VERBOSE
_NOTICE, _WARNING = LogLevel.NOTICE, LogLevel.WARNING
_NOTHING_TO_DO = "Nothing."
_ERROR = text("error", "what the system or the library said")
_MODULE = text("module", "name of the module")
NAMES_CHARS_MAX: Final = 1000
"""Characters of the names in one line: what is longer would be cut for the sake of the line."""
_SAID = (
    _MODULE,
    text("line", "what the module says", chars_max=TRACEBACK_CHARS_MAX),
    text("source", "module, host (its sandbox) or values (reading and writing them)"),
    integer("thread", "thread of the module's process", required=False),
    integer("dropped", "lines left out before, because they were too many", required=False),
)


class ModuleEvents:
    """Events of modules, by name: ``module.loaded`` is ``EVENTS.MODULE_LOADED``."""

    MODULE_LOADED: Final = Event(
        "module.loaded",
        _NOTICE,
        "Module {module} version {version} loaded from {path} in {load_ms} ms",
        (
            _MODULE,
            integer("version", "as the module gives it"),
            text("path", "the module's file"),
            number("load_ms", "time from the start of its process to the end of its load function", "ms"),
            integer("module_pid", "process that it runs in"),
            integer("commands", "commands that it registered"),
            items("types", "data types that it registered", required=False),
            integer("missing", "functions of the module API that it asked for and did not get", required=False),
        ),
        "Nothing. When functions are missing, the lines that follow name them.",
    )
    MODULE_FUNCTIONS_UNKNOWN: Final = Event(
        "module.functions_unknown",
        _WARNING,
        "Module {module} asked for functions that no module API known here has: {functions}",
        (_MODULE, items("functions", "their names; more of them stand in further lines", chars_max=NAMES_CHARS_MAX)),
        "Look for a misspelt name, or for an API newer than 7.4. The module got a null pointer for each.",
    )
    MODULE_FUNCTIONS_MISSING: Final = Event(
        "module.functions_missing",
        _NOTICE,
        "Module {module} asked for functions that this server does not have yet: {functions}",
        (
            _MODULE,
            items("functions", "names without RedisModule_; more stand in further lines", chars_max=NAMES_CHARS_MAX),
        ),
        "Nothing, when the module does without them: it got a null pointer for each, and crashes when it calls one.",
    )
    MODULE_LOAD_FAILED: Final = Event(
        "module.load_failed",
        _WARNING,
        "Module {path} is not loaded: {reason}",
        (text("path", "the module's file"), text("reason", "what stood in the way", chars_max=TRACEBACK_CHARS_MAX)),
        "Mend what the reason names; `trioredis-module check` tries a module without a server.",
    )
    MODULE_UNLOADED: Final = Event("module.unloaded", _NOTICE, "Module {module} unloaded", (_MODULE,), _NOTHING_TO_DO)
    MODULE_WALL: Final = Event(
        "module.wall",
        _DEBUG,
        "Wall of module {module}: {wall} {standing}",
        (
            _MODULE,
            text("wall", "which wall"),
            text("standing", "stands, or not wanted"),
            text("detail", "its level or bound", required=False),
        ),
        _NOTHING_TO_DO,
    )
    MODULE_WALL_MISSING: Final = Event(
        "module.wall_missing",
        _WARNING,
        "A wall of module {module} can't be put up: {wall}: {detail}",
        (_MODULE, text("wall", "which wall"), text("detail", "what the system said")),
        "Decide whether to trust the module without it; module-sandbox-require makes the load fail instead.",
    )
    MODULE_CRASHED: Final = Event(
        "module.crashed",
        _WARNING,
        "Module {module}: {headline}",
        (
            _MODULE,
            text("headline", "what went wrong, where, and while running what", chars_max=TRACEBACK_CHARS_MAX),
            text("report", "id of the report, for MODULE CRASH"),
            text("file", "path of the report", required=False),
            text("kind", "died, protocol, timeout, limit, memory or asked"),
            text("running", "command or callback that was under way", required=False),
            integer("running_us", "how long it had been running", "us", required=False),
            integer("running_client", "client that had sent the command, 0: none", required=False),
        ),
        "Read the report: MODULE CRASH with its id, or the file. The server and other modules are not touched.",
    )
    MODULE_RESTARTED: Final = Event(
        "module.restarted",
        _NOTICE,
        "Module {module} serves again after {down_ms} ms, restart number {restarts}",
        (
            _MODULE,
            number("down_ms", "time from the crash until it served again", "ms"),
            integer("restarts", "how often it was restarted since it was loaded"),
            integer("module_pid", "process that it runs in"),
            integer("keys_lost", "keys of its types that the crash has cost", required=False),
        ),
        "See the report of the crash.",
    )
    MODULE_VALUES_STAY: Final = Event(
        "module.values_stay",
        _WARNING,
        "{keys} keys of module {module} stay as a command made them that was undone, as another module has crashed",
        (_MODULE, integer("keys", "keys that hold what the command had made of them")),
        "Their type is not saved and loaded, or module-durability is off: nobody knows what they were. Look at them.",
    )
    MODULE_RESTART_DELAYED: Final = Event(
        "module.restart_delayed",
        _NOTICE,
        "Module {module} is restarted in {delay_ms} ms: {reason}",
        (_MODULE, integer("delay_ms", "time until then", "ms"), text("reason", "what went wrong last")),
        "Commands of the module wait meanwhile.",
    )
    MODULE_PARKED: Final = Event(
        "module.parked",
        _WARNING,
        "Module {module} is not restarted any more: {reason}",
        (_MODULE, text("reason", "the bound that was reached, or what the directive says")),
        "Mend the module; then MODULE UNLOAD and MODULE LOAD. Its commands fail until then, all else goes on.",
    )
    MODULE_OUTPUT: Final = Event(
        "module.output",
        _NOTICE,
        "Module {module} wrote to {stream}: {line}",
        (
            _MODULE,
            text("stream", "stdout or stderr"),
            text("line", "what it wrote", chars_max=TRACEBACK_CHARS_MAX),
            integer("dropped", "lines left out before, because they were too many", required=False),
        ),
        _NOTHING_TO_DO,
    )
    MODULE_DEBUG: Final = Event("module.debug", _DEBUG, "Module {module} debugs: {line}", _SAID, _NOTHING_TO_DO)
    MODULE_VERBOSE: Final = Event("module.verbose", _VERBOSE, "Module {module} tells: {line}", _SAID, _NOTHING_TO_DO)
    MODULE_NOTICE: Final = Event("module.notice", _NOTICE, "Module {module} says: {line}", _SAID, _NOTHING_TO_DO)
    MODULE_WARNING: Final = Event(
        "module.warning", _WARNING, "Module {module} warns: {line}", _SAID, "See what the module means by it."
    )
    MODULE_REPORT_FAILED: Final = Event(
        "module.report_failed",
        _WARNING,
        "The report {report} of module {module} can't be written: {error}",
        (_MODULE, text("report", "id of the report"), _ERROR),
        "See to the folder of module-report-dir: the rights on it, and the free space.",
    )
