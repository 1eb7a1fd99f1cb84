"""The catalogue of log events: everything that the server can say in its log, as data.

``docs/reference/log-events.md`` is generated from this file. Ids are stable: a new meaning gets a new id. Fields carry
no keys, values or arguments of commands, and no secrets.
"""

from __future__ import annotations

from typing import Final, final

from trioredis.observability.event import TRACEBACK_CHARS_MAX, Event, EventField, flag, integer, items, number, text
from trioredis.observability.levels import LogLevel
from trioredis.observability.module_events import ModuleEvents

# Fields that `Log.bind` may add to any event.
CONTEXT_FIELDS: Final[dict[str, EventField]] = {
    one.name: one
    for one in (
        integer("client_id", "number of the connection, as CLIENT ID gives it"),
        text("addr", "the client's address and port, or the Unix socket's path"),
        text("laddr", "the server's address and port that the client connected to"),
        text("client_name", "the name that the client gave itself"),
        text("user", "ACL user that the connection is authenticated as"),
        integer("db", "number of the selected database"),
        text("command", "name of the command being served, with its subcommand"),
        text("module", "name of the module concerned"),
    )
}

_DEBUG, _VERBOSE = LogLevel.DEBUG, LogLevel.VERBOSE
_NOTICE, _WARNING = LogLevel.NOTICE, LogLevel.WARNING
_NOTHING_TO_DO = "Nothing."

_CLIENT_ID = integer("client_id", "number of the connection, as CLIENT ID gives it")
_ADDR = text("addr", "the client's address and port, or the Unix socket's path")
_LAST_ADDR = text("addr", "address and port of the last one")
_TIMES = integer("times", "how often since the last line of this kind")
_ERROR = text("error", "what the system or the library said")
_LISTENER = text("listener", "address and port, or path, of the listening socket")


@final
class EVENTS(ModuleEvents):
    """All events, by name: ``server.ready`` is ``EVENTS.SERVER_READY``."""

    SERVER_START: Final = Event(
        "server.start",
        _NOTICE,
        "trioredis {version} starts, compatible with Redis {redis_version}",
        (
            text("version", "version of trioredis"),
            text("redis_version", "version of Redis whose behaviour it follows"),
            integer("bits", "width of a pointer", "bits"),
            text("poller", "kernel interface that waits for sockets", required=False),
            text("python", "version of the Python interpreter", required=False),
        ),
        _NOTHING_TO_DO,
    )
    SERVER_READY: Final = Event(
        "server.ready",
        _NOTICE,
        "Ready to accept connections",
        (
            items("listeners", "addresses and paths being listened on"),
            integer("startup_ms", "time from the start of the process to here", "ms"),
        ),
        "Nothing. A supervisor may wait for this event before it sends traffic.",
    )
    SERVER_SHUTDOWN: Final = Event(
        "server.shutdown",
        _NOTICE,
        "Shutting down: {reason}",
        (
            text("reason", "what asked for it: a signal's name, SHUTDOWN, or a fault"),
            integer("clients", "connections open at that moment"),
        ),
        "Nothing when it was asked for; otherwise look at the lines before.",
    )
    SERVER_SHUTDOWN_REFUSED: Final = Event(
        "server.shutdown_refused",
        _WARNING,
        "SHUTDOWN refused: {reason}",
        (text("reason", "what stands in its way"),),
        "Use SHUTDOWN NOSAVE, or FORCE, when the data may be lost.",
    )
    SERVER_SHUTDOWN_ABORTED: Final = Event(
        "server.shutdown_aborted",
        _NOTICE,
        "Shutdown taken back, the server goes on",
        (),
        _NOTHING_TO_DO,
    )
    SERVER_STOPPED: Final = Event(
        "server.stopped",
        _NOTICE,
        "Stopped, everything is closed",
        (
            integer("uptime_s", "time since the start", "s"),
            integer("shutdown_ms", "time that the shutdown took", "ms"),
        ),
        _NOTHING_TO_DO,
    )
    SERVER_STARTUP_FAILED: Final = Event(
        "server.startup_failed",
        _WARNING,
        "Cannot start: {error}",
        (_ERROR, text("step", "what was being done, such as config, listen or load")),
        "Mend what the error names and start again; the process ends with a status other than 0.",
    )
    SERVER_CRASHED: Final = Event(
        "server.crashed",
        _WARNING,
        "Stopping because of an unexpected error: {error}",
        (
            _ERROR,
            text("traceback", "where it happened", chars_max=TRACEBACK_CHARS_MAX),
        ),
        "Report it as a bug of trioredis, with this line.",
    )
    SERVER_PROTECTED_MODE_DENIED: Final = Event(
        "server.protected_mode_denied",
        _WARNING,
        "Refused a connection from {addr}: protected mode is on and no password is set",
        (_LAST_ADDR, _TIMES),
        "Set a password or an ACL, bind to loopback only, or switch protected-mode off in a network you trust.",
    )
    SERVER_FD_LIMIT: Final = Event(
        "server.fd_limit",
        _WARNING,
        "maxclients lowered from {wanted} to {maxclients}: the limit of open files is {files_max}",
        (
            integer("wanted", "configured maxclients"),
            integer("maxclients", "maxclients now in force"),
            integer("files_max", "open files that the process may have"),
        ),
        "Raise the limit of open files (LimitNOFILE of a systemd unit, ulimit -n) or lower maxclients.",
    )
    LISTENER_OPEN: Final = Event(
        "listener.open",
        _NOTICE,
        "Listening on {listener}",
        (_LISTENER, text("kind", "tcp, tls or unix")),
        _NOTHING_TO_DO,
    )
    LISTENER_CLOSED: Final = Event(
        "listener.closed",
        _NOTICE,
        "No longer listening on {listener}",
        (_LISTENER,),
        _NOTHING_TO_DO,
    )
    LISTENER_FAILED: Final = Event(
        "listener.failed",
        _WARNING,
        "Cannot listen on {listener}: {error}",
        (_LISTENER, _ERROR),
        "Free the address, or change bind, port or unixsocket.",
    )
    LISTENER_PAUSED: Final = Event(
        "listener.paused",
        _WARNING,
        "Accepting on {listener} pauses for {pause_ms} ms: {error}",
        (_LISTENER, _ERROR, integer("pause_ms", "time until the next attempt", "ms")),
        "The process or the system ran out of files or memory: raise the limit or lower maxclients.",
    )
    LISTENER_RESUMED: Final = Event(
        "listener.resumed",
        _NOTICE,
        "Accepting on {listener} again",
        (_LISTENER,),
        _NOTHING_TO_DO,
    )
    CLIENT_OPENED: Final = Event(
        "client.opened",
        _VERBOSE,
        "Client {client_id} connected from {addr}",
        (
            _CLIENT_ID,
            _ADDR,
            text("laddr", "the server's end of the connection", required=False),
        ),
        _NOTHING_TO_DO,
    )
    CLIENT_CLOSED: Final = Event(
        "client.closed",
        _VERBOSE,
        "Client {client_id} disconnected: {reason}",
        (
            _CLIENT_ID,
            _ADDR,
            text(
                "reason",
                "eof, quit, killed, timeout, limit, protocol error, shutdown or the system's error",
            ),
            integer("age_ms", "how long it was connected", "ms", required=False),
            integer("commands", "commands that it sent", required=False),
        ),
        _NOTHING_TO_DO,
    )
    CLIENT_KILLED: Final = Event(
        "client.killed",
        _NOTICE,
        "Client {client_id} killed by {by}",
        (
            _CLIENT_ID,
            _ADDR,
            text("by", "CLIENT KILL and the client that sent it, or the rule that did it"),
        ),
        _NOTHING_TO_DO,
    )
    CLIENT_REJECTED: Final = Event(
        "client.rejected",
        _WARNING,
        "Refused a connection from {addr}: {maxclients} clients are connected",
        (_LAST_ADDR, _TIMES, integer("maxclients", "configured limit")),
        "Look for clients that leak connections, use a pool, or raise maxclients.",
    )
    CLIENT_OUTPUT_LIMIT: Final = Event(
        "client.output_limit",
        _WARNING,
        "Closing client {client_id}: {pending_bytes} bytes of replies wait to be read, its limit is {limit_bytes}",
        (
            _CLIENT_ID,
            _ADDR,
            text("client_class", "normal, replica or pubsub"),
            integer("pending_bytes", "replies that it did not read", "bytes"),
            integer("limit_bytes", "limit that was broken", "bytes"),
            flag("soft", "whether it was the soft limit, broken for its whole time"),
        ),
        "The client reads too slowly: mend it, or raise client-output-buffer-limit for its class.",
    )
    CLIENT_QUERY_LIMIT: Final = Event(
        "client.query_limit",
        _WARNING,
        "Closing client {client_id}: {pending_bytes} bytes of one request, the limit is {limit_bytes}",
        (
            _CLIENT_ID,
            _ADDR,
            integer("pending_bytes", "bytes received of the request", "bytes"),
            integer("limit_bytes", "client-query-buffer-limit", "bytes"),
        ),
        "Find the client that sends requests this large, or raise client-query-buffer-limit.",
    )
    CLIENT_TIMEOUT: Final = Event(
        "client.timeout",
        _VERBOSE,
        "Closing client {client_id}: idle for {idle_s} s",
        (_CLIENT_ID, _ADDR, integer("idle_s", "time without a command", "s")),
        "Nothing. The directive timeout sets the time.",
    )
    CLIENT_PROTOCOL_ERROR: Final = Event(
        "client.protocol_error",
        _VERBOSE,
        "Closing client {client_id}: {error}",
        (
            _CLIENT_ID,
            _ADDR,
            text("error", "which rule of the protocol was broken"),
        ),
        "Look at the program behind the address: it does not speak the Redis protocol, or sends garbage.",
    )
    CLIENT_AUTH_FAILED: Final = Event(
        "client.auth_failed",
        _NOTICE,
        "Client {client_id} failed to authenticate as {user}",
        (_CLIENT_ID, _ADDR, text("user", "user name that it gave", chars_max=64)),
        "Many of these from one address are an attack or a wrong configuration; ACL LOG has more.",
    )
    CLIENT_TASK_FAILED: Final = Event(
        "client.task_failed",
        _WARNING,
        "Closing client {client_id}: its task failed: {error}",
        (
            _CLIENT_ID,
            _ADDR,
            _ERROR,
            text("traceback", "where it happened", chars_max=TRACEBACK_CHARS_MAX),
        ),
        "Report it as a bug of trioredis, with this line. Other clients are not touched.",
    )
    CONFIG_LOADED: Final = Event(
        "config.loaded",
        _NOTICE,
        "Configuration loaded",
        (
            text("file", "path of the file, empty when there is none"),
            integer("directives", "directives given in files and on the command line"),
        ),
        _NOTHING_TO_DO,
    )
    CONFIG_CHANGED: Final = Event(
        "config.changed",
        _NOTICE,
        "Configuration changed: {directives}",
        (items("directives", "names of the directives that were set; values are never logged"),),
        "Nothing. CONFIG REWRITE makes the change last.",
    )
    CONFIG_WARNING: Final = Event(
        "config.warning",
        _WARNING,
        "Directive {directive}: {problem}",
        (
            text("directive", "name of the directive"),
            text("problem", "what is doubtful about it"),
        ),
        "Change or remove the directive.",
    )
    CONFIG_REWRITTEN: Final = Event(
        "config.rewritten",
        _NOTICE,
        "Configuration written to {file}",
        (text("file", "path of the file"),),
        _NOTHING_TO_DO,
    )
    CONFIG_REWRITE_FAILED: Final = Event(
        "config.rewrite_failed",
        _WARNING,
        "Cannot write the configuration to {file}: {error}",
        (text("file", "path of the file"), _ERROR),
        "The old file is untouched. Check the rights on the file and on its folder, and the free space.",
    )
    MEMORY_LIMIT: Final = Event(
        "memory.limit",
        _WARNING,
        "Memory in use ({used_bytes} bytes) exceeds maxmemory ({maxmemory_bytes} bytes) and nothing can be evicted",
        (
            integer("used_bytes", "memory that counts against the limit", "bytes"),
            integer("maxmemory_bytes", "configured limit", "bytes"),
            text("policy", "maxmemory-policy in force"),
        ),
        "Commands that need memory are refused: raise maxmemory, remove data, or choose a policy that evicts.",
    )
    MEMORY_EVICTED: Final = Event(
        "memory.evicted",
        _VERBOSE,
        "Evicted {keys} keys to keep below maxmemory",
        (
            integer("keys", "keys removed since the last line of this kind"),
            integer("freed_bytes", "memory won back", "bytes"),
            integer("period_ms", "time that the figures cover", "ms"),
            text("policy", "maxmemory-policy in force"),
        ),
        "Nothing if the server is a cache; otherwise raise maxmemory.",
    )
    DB_FLUSHED: Final = Event(
        "db.flushed",
        _NOTICE,
        "Removed all keys of {scope}",
        (
            text("scope", "the database's number, or all"),
            integer("keys", "keys removed"),
            flag("lazy", "whether the memory is freed in the background"),
            _TIMES,
        ),
        "Nothing if it was intended; the line carries the client that did it last.",
    )
    DB_SWAPPED: Final = Event(
        "db.swapped",
        _NOTICE,
        "Databases {first} and {second} swapped",
        (integer("first", "number of one database"), integer("second", "number of the other"), _TIMES),
        _NOTHING_TO_DO,
    )
    SIGNAL_RECEIVED: Final = Event(
        "signal.received",
        _NOTICE,
        "Received {signal}",
        (
            text("signal", "name of the signal"),
            text("effect", "what it makes the server do"),
        ),
        _NOTHING_TO_DO,
    )
    LOG_REOPENED: Final = Event(
        "log.reopened",
        _NOTICE,
        "Log file opened again",
        (text("file", "path of the log file, empty for standard output"),),
        "Nothing. It is the first line after a rotation.",
    )
    LOG_REOPEN_FAILED: Final = Event(
        "log.reopen_failed",
        _WARNING,
        "Cannot open the log file {file} again: {error}; the old one stays in use",
        (text("file", "path of the log file"), _ERROR),
        "Check the rights on the file and its folder, then send SIGHUP.",
    )
    LOG_LOST: Final = Event(
        "log.lost",
        _WARNING,
        "{lines} log lines were lost: {error}",
        (
            integer("lines", "lines that could not be written since the last that could"),
            text("error", "what the system said to the last attempt"),
            text("output", "file or syslog"),
        ),
        "Free space on the disk, or find out why the reader of the log stopped reading.",
    )
    LOG_BAD_EVENT: Final = Event(
        "log.bad_event",
        _WARNING,
        "Event {bad_event} was logged against the catalogue: {problem}",
        (
            text("bad_event", "id of the event"),
            text("problem", "the first thing that is wrong with it"),
        ),
        "Report it as a bug of trioredis. Each event is complained about once.",
    )
    PUMP_SLOW_TURN: Final = Event(
        "pump.slow_turn",
        _NOTICE,
        "One turn of the event pump took {turn_ms} ms",
        (
            number("turn_ms", "time that one turn took", "ms"),
            integer("commands", "commands that it ran"),
            text("slowest", "name of the command that took longest", required=False),
            number("slowest_ms", "time of that command", "ms", required=False),
        ),
        "All clients waited that long: look for slow commands with SLOWLOG GET and LATENCY DOCTOR.",
    )
    COMMAND_PYTHON_ERROR: Final = Event(
        "command.python_error",
        _WARNING,
        "Command {command} failed: {error}",
        (
            text("command", "name of the command, with its subcommand"),
            _ERROR,
            text("traceback", "where it happened", chars_max=TRACEBACK_CHARS_MAX),
        ),
        "Report it as a bug of trioredis, with this line. The client got an error reply and stays connected.",
    )
    COMMAND_SLOW: Final = Event(
        "command.slow",
        _NOTICE,
        "{command} took {duration_us} us",
        (
            text("command", "name of the command, with its subcommand"),
            integer("duration_us", "time that it ran", "us"),
            integer("argc", "how many words it had, its name included"),
            integer("slowlog_id", "number of its entry in the slow log, which shows the arguments"),
            _CLIENT_ID,
            _ADDR,
            text("client_name", "the name that the client gave itself", required=False),
            integer("left_out", "slow commands before this one that were too many for the log", required=False),
        ),
        "Look at SLOWLOG GET; slowlog-log-slower-than sets what is slow.",
    )
    COMMAND_BUSY: Final = Event(
        "command.busy",
        _WARNING,
        "{command} of client {client_id} kept everybody waiting for {duration_ms} ms",
        (
            text("command", "name of the command, with its subcommand; exec for a whole transaction"),
            integer("duration_ms", "time that it ran", "ms"),
            _CLIENT_ID,
            _TIMES,
        ),
        "Cut the work into smaller commands or transactions; busy-reply-threshold sets from when on this is logged.",
    )
    SECURITY_CROSS_PROTOCOL: Final = Event(
        "security.cross_protocol",
        _WARNING,
        "Closing client {client_id}: it sent {sign}, as a web browser does; possibly an attack",
        (_CLIENT_ID, _LAST_ADDR, _TIMES, text("sign", "the first word of HTTP that was seen: POST or Host:")),
        "Somebody makes a browser or an HTTP client near the address send requests to this port: find out who.",
    )


CATALOGUE: Final[tuple[Event, ...]] = tuple(
    value for home in (EVENTS, ModuleEvents) for value in vars(home).values() if isinstance(value, Event)
)
_KNOWN: Final = {event.id: event for event in CATALOGUE}


def is_known(event: object) -> bool:
    """Whether ``event`` is one of the catalogue."""
    return isinstance(event, Event) and _KNOWN.get(event.id) is event


def find_event(event_id: str) -> Event | None:
    """The event with that id, None when there is none."""
    return _KNOWN.get(event_id)
