"""Rows of the table: network, TLS, general, logging, security, clients, system, debugging."""

from __future__ import annotations

from typing import Final

from trioredis.config import checks
from trioredis.config.directive import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    UINT_MAX,
    Directive,
    Group,
    Kind,
    OutputLimit,
    OutputLimits,
)
from trioredis.config.rows import (
    NO_AOF,
    NO_RDB,
    NO_TLS,
    ONE_LOOP,
    OWN_ALLOCATOR,
    OWN_REPORTS,
    choice,
    fixed_flag,
    fixed_text,
    flag,
    memory,
    number,
    text,
)
from trioredis.config.values import PORT_MAX

_MIB: Final = 1024 * 1024
_WHO: Final = ("no", "yes", "local")
_SHUTDOWN: Final = ("default", "save", "nosave", "now", "force")


def _shutdown_words(name: str, signal: str) -> Directive:
    return Directive(
        name,
        Kind.FLAGS,
        ("default",),
        Group.GENERAL,
        f"How the server ends on {signal}: with or without a last snapshot, at once, or even when the snapshot fails.",
        choices=_SHUTDOWN,
        check=checks.shutdown_words,
    )


NETWORK: Final = (
    number("port", 6379, 0, PORT_MAX, Group.NETWORK, "TCP port to listen on; 0 for none."),
    Directive(
        "bind",
        Kind.ADDRESSES,
        ("*", "-::*"),
        Group.NETWORK,
        "Addresses to listen on. A leading `-` lets the server start without that address; `*` and"
        " `::*` are all addresses of IPv4 and IPv6.",
    ),
    text(
        "bind-source-addr",
        "",
        Group.NETWORK,
        "Address that outgoing connections come from.",
        inert="the server opens no connections yet",
    ),
    number(
        "tcp-backlog",
        511,
        0,
        INT_MAX,
        Group.NETWORK,
        "How many connections the kernel queues until they are accepted.",
        immutable=True,
    ),
    number(
        "tcp-keepalive",
        300,
        0,
        INT_MAX,
        Group.NETWORK,
        "Seconds of silence until the kernel probes whether a client is alive; 0 for never.",
    ),
    number(
        "timeout",
        0,
        0,
        INT_MAX,
        Group.NETWORK,
        "Seconds after which an idle client is closed; 0 for never.",
    ),
    fixed_text("unixsocket", "", Group.NETWORK, "Path of a Unix socket to listen on."),
    Directive(
        "unixsocketperm",
        Kind.OCTAL,
        0,
        Group.NETWORK,
        "File mode of the Unix socket, in octal; 0 leaves it to the umask.",
        high=0o777,
        immutable=True,
    ),
    number(
        "socket-mark-id",
        0,
        0,
        UINT_MAX,
        Group.NETWORK,
        "Mark that listening sockets carry for the packet filter; 0 for none.",
        immutable=True,
    ),
    number(
        "max-new-connections-per-cycle",
        10,
        1,
        1000,
        Group.NETWORK,
        "How many connections are accepted in one turn of the event loop.",
        since_7_0=False,
    ),
    choice(
        "poller",
        "auto",
        ("auto", "epoll", "poll", "select"),
        Group.NETWORK,
        "Which system call waits for sockets; `auto` takes the best one there is.",
        immutable=True,
        own=True,
        since_7_0=False,
    ),
)

TLS: Final = (
    number("tls-port", 0, 0, PORT_MAX, Group.TLS, "TLS port; 0 for none.", inert=NO_TLS),
    number(
        "max-new-tls-connections-per-cycle",
        1,
        1,
        1000,
        Group.TLS,
        "How many TLS connections are accepted in one turn of the event loop.",
        since_7_0=False,
        inert=NO_TLS,
    ),
    choice(
        "tls-auth-clients",
        "yes",
        ("no", "yes", "optional"),
        Group.TLS,
        "Whether clients must, may or need not show a certificate.",
        inert=NO_TLS,
    ),
    *(
        text(name, "", Group.TLS, about, sensitive=name.endswith("-pass"), inert=NO_TLS)
        for name, about in (
            ("tls-cert-file", "Certificate of the server, in PEM form."),
            ("tls-key-file", "Private key of the server's certificate."),
            ("tls-key-file-pass", "Passphrase of the server's private key."),
            ("tls-client-cert-file", "Certificate for outgoing connections."),
            ("tls-client-key-file", "Private key of the certificate for outgoing connections."),
            ("tls-client-key-file-pass", "Passphrase of that key."),
            ("tls-dh-params-file", "Parameters of the Diffie-Hellman exchange."),
            ("tls-ca-cert-file", "Bundle of authorities to trust."),
            ("tls-ca-cert-dir", "Directory of authorities to trust."),
            ("tls-protocols", "Versions of TLS to accept; the library's choice when empty."),
            ("tls-ciphers", "Ciphers for TLS 1.2 and before."),
            ("tls-ciphersuites", "Cipher suites for TLS 1.3."),
        )
    ),
    *(
        flag(name, default, Group.TLS, about, inert=NO_TLS)
        for name, default, about in (
            ("tls-replication", False, "Reach the master by TLS."),
            ("tls-cluster", False, "Use TLS on the cluster bus."),
            ("tls-prefer-server-ciphers", False, "The server's order of ciphers wins."),
            ("tls-session-caching", True, "Let clients resume sessions."),
        )
    ),
    number(
        "tls-session-cache-size",
        20480,
        0,
        INT_MAX,
        Group.TLS,
        "How many sessions are kept for resumption; 0 for no limit.",
        inert=NO_TLS,
    ),
    number(
        "tls-session-cache-timeout",
        300,
        0,
        INT_MAX,
        Group.TLS,
        "Seconds for which a session can be resumed.",
        inert=NO_TLS,
    ),
)

GENERAL: Final = (
    fixed_flag("daemonize", False, Group.GENERAL, "Run in the background."),
    choice(
        "supervised",
        "no",
        ("upstart", "systemd", "auto", "no"),
        Group.GENERAL,
        "Which service manager to notify once the server is ready.",
        immutable=True,
    ),
    fixed_text("pidfile", "", Group.GENERAL, "File that receives the process id."),
    number(
        "databases",
        16,
        1,
        INT_MAX,
        Group.GENERAL,
        "How many databases SELECT can choose from.",
        immutable=True,
    ),
    Directive(
        "dir",
        Kind.DIRECTORY,
        "",
        Group.GENERAL,
        "Working directory, where data files go. The default is the directory the server was started in.",
        protected=True,
        deny_loading=True,
        forced=True,
    ),
    number(
        "hz",
        10,
        0,
        INT_MAX,
        Group.GENERAL,
        "How many times per second background work is done. Anything outside 1 to 500 is moved into that range.",
        clamp=(1, 500),
    ),
    flag("dynamic-hz", True, Group.GENERAL, "Do background work more often with many clients."),
    number(
        "shutdown-timeout",
        10,
        0,
        INT_MAX,
        Group.GENERAL,
        "Seconds that clients and replicas have at the end to receive what is due to them.",
    ),
    _shutdown_words("shutdown-on-sigint", "SIGINT"),
    _shutdown_words("shutdown-on-sigterm", "SIGTERM"),
    fixed_flag(
        "always-show-logo",
        False,
        Group.GENERAL,
        "Show a logo at start even when the log is no terminal.",
        inert="there is no logo",
    ),
    text(
        "locale-collate",
        "",
        Group.GENERAL,
        "Locale whose order SORT ALPHA uses; that of the environment when empty.",
        since_7_0=False,
    ),
    number(
        "io-threads",
        1,
        1,
        128,
        Group.GENERAL,
        "How many threads read and write sockets.",
        immutable=True,
        inert=ONE_LOOP,
    ),
    fixed_flag(
        "io-threads-do-reads",
        False,
        Group.GENERAL,
        "Let those threads read too.",
        inert=ONE_LOOP,
    ),
)

LOGGING: Final = (
    choice(
        "loglevel",
        "notice",
        ("debug", "verbose", "notice", "warning", "nothing"),
        Group.LOGGING,
        "The least important kind of message that is logged.",
    ),
    choice(
        "log-format",
        "legacy",
        ("legacy", "logfmt", "json"),
        Group.LOGGING,
        "Form of a log line: as Redis writes it, as key=value pairs, or as a JSON object.",
        own=True,
        since_7_0=False,
    ),
    choice(
        "log-timestamp-format",
        "legacy",
        ("legacy", "iso8601", "milliseconds"),
        Group.LOGGING,
        "How a log line says the time: as Redis does, as ISO 8601, or in milliseconds since 1970.",
        own=True,
        since_7_0=False,
    ),
    fixed_text("logfile", "", Group.LOGGING, "File for the log; standard output when empty."),
    fixed_flag("syslog-enabled", False, Group.LOGGING, "Log to the system logger as well."),
    fixed_text("syslog-ident", "redis", Group.LOGGING, "Name of the program in the system log."),
    choice(
        "syslog-facility",
        "local0",
        ("user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
        Group.LOGGING,
        "Facility of the system log.",
        immutable=True,
    ),
    flag(
        "hide-user-data-from-log",
        False,
        Group.LOGGING,
        "Keep keys and values of users out of the log.",
        since_7_0=False,
    ),
    flag("crash-log-enabled", True, Group.LOGGING, "Log a report when the server crashes."),
    flag(
        "crash-memcheck-enabled",
        True,
        Group.LOGGING,
        "Test the memory after a crash.",
        inert=OWN_REPORTS,
    ),
)

SECURITY: Final = (
    flag(
        "protected-mode",
        True,
        Group.SECURITY,
        "Refuse clients from other machines as long as the default user has no password.",
    ),
    text("requirepass", "", Group.SECURITY, "Password of the default user.", sensitive=True),
    fixed_text("aclfile", "", Group.SECURITY, "File with the users and their rights."),
    number(
        "acllog-max-len",
        128,
        0,
        LONG_MAX,
        Group.SECURITY,
        "How many refused commands ACL LOG remembers.",
    ),
    choice(
        "acl-pubsub-default",
        "resetchannels",
        ("allchannels", "resetchannels"),
        Group.SECURITY,
        "Whether a new user may use every channel or none.",
    ),
    choice(
        "enable-protected-configs",
        "no",
        _WHO,
        Group.SECURITY,
        "Who may change protected directives at run time.",
        immutable=True,
    ),
    choice(
        "enable-debug-command",
        "no",
        _WHO,
        Group.SECURITY,
        "Who may use DEBUG.",
        immutable=True,
    ),
    choice(
        "enable-module-command",
        "no",
        _WHO,
        Group.SECURITY,
        "Who may use MODULE.",
        immutable=True,
    ),
    choice(
        "sanitize-dump-payload",
        "no",
        ("no", "yes", "clients"),
        Group.SECURITY,
        "Whether RESTORE examines values in depth, for all or only for ordinary clients.",
        inert="serialised values are always examined in depth",
    ),
)

CLIENTS: Final = (
    number("maxclients", 10000, 1, UINT_MAX, Group.CLIENTS, "How many clients may be connected."),
    Directive(
        "client-output-buffer-limit",
        Kind.OUTPUT_LIMITS,
        OutputLimits(
            normal=OutputLimit(0, 0, 0),
            replica=OutputLimit(256 * _MIB, 64 * _MIB, 60),
            pubsub=OutputLimit(32 * _MIB, 8 * _MIB, 60),
        ),
        Group.CLIENTS,
        "By class of client (normal, replica, pubsub): the size of unread replies at which the"
        " client is closed, a smaller size, and for how many seconds that one is tolerated.",
        repeatable=True,
    ),
    memory(
        "client-query-buffer-limit",
        1024 * _MIB,
        Group.CLIENTS,
        "How much input of one client may wait to be executed.",
        low=_MIB,
    ),
    memory(
        "proto-max-bulk-len",
        512 * _MIB,
        Group.CLIENTS,
        "The longest single argument that a client may send.",
        low=_MIB,
    ),
    Directive(
        "maxmemory-clients",
        Kind.MEMORY_OR_PERCENT,
        0,
        Group.CLIENTS,
        "Memory that all clients together may use, in bytes or in percent of `maxmemory`; 0 for no"
        " limit. Past it the greediest clients are closed.",
        low=-100,
        high=LONG_MAX,
    ),
    number(
        "tracking-table-max-keys",
        1_000_000,
        0,
        LONG_MAX,
        Group.CLIENTS,
        "How many keys are remembered for caching clients; 0 for no limit.",
    ),
)

SYSTEM: Final = (
    fixed_flag("set-proc-title", True, Group.SYSTEM, "Show the server's state in its title."),
    text(
        "proc-title-template",
        "{title} {listen-addr} {server-mode}",
        Group.SYSTEM,
        "What the title shows: `{title}`, `{listen-addr}`, `{server-mode}`, `{port}`,"
        " `{tls-port}`, `{unixsocket}` and `{config-file}` are replaced.",
        check=checks.title_template,
    ),
    choice(
        "oom-score-adj",
        "no",
        ("no", "yes", "relative", "absolute"),
        Group.SYSTEM,
        "Whether the server tells the kernel how expendable its processes are; `yes` is `relative`.",
        synonyms=(("relative", "yes"),),
    ),
    Directive(
        "oom-score-adj-values",
        Kind.OOM_VALUES,
        (0, 200, 800),
        Group.SYSTEM,
        "How expendable: a master, a replica, a background child.",
    ),
    fixed_flag(
        "disable-thp",
        True,
        Group.SYSTEM,
        "Turn transparent huge pages off for the server.",
    ),
    *(
        fixed_text(name, "", Group.SYSTEM, about, alias=name.replace("-", "_"), inert=inert)
        for name, about, inert in (
            ("server-cpulist", "Processors for the event loop.", ""),
            ("bio-cpulist", "Processors for background threads.", ONE_LOOP),
            ("aof-rewrite-cpulist", "Processors for rewriting the append-only file.", NO_AOF),
            ("bgsave-cpulist", "Processors for background snapshots.", NO_RDB),
        )
    ),
    flag(
        "jemalloc-bg-thread",
        True,
        Group.SYSTEM,
        "Let the allocator return memory in the background.",
        inert=OWN_ALLOCATOR,
    ),
    text(
        "ignore-warnings",
        "",
        Group.SYSTEM,
        "Warnings about the system that do not keep the server from starting.",
        inert="no such warning keeps the server from starting",
    ),
)

DEBUGGING: Final = (
    flag(
        "use-exit-on-panic",
        False,
        Group.DEBUGGING,
        "End by exit instead of abort when an assertion fails.",
        hidden=True,
        inert=OWN_REPORTS,
    ),
    fixed_flag(
        "enable-debug-assert",
        False,
        Group.DEBUGGING,
        "Check assertions that are too slow for daily use.",
        hidden=True,
        since_7_0=False,
        inert="such assertions are a matter of the build",
    ),
    number(
        "rdb-key-save-delay",
        0,
        INT_MIN,
        INT_MAX,
        Group.DEBUGGING,
        "Microseconds to wait after each key of a snapshot; negative: keys per microsecond.",
        hidden=True,
        inert=NO_RDB,
    ),
    number(
        "key-load-delay",
        0,
        INT_MIN,
        INT_MAX,
        Group.DEBUGGING,
        "Microseconds to wait after each key that is loaded; negative: keys per microsecond.",
        hidden=True,
        inert=NO_RDB,
    ),
    number(
        "loading-process-events-interval-bytes",
        2 * _MIB,
        1024,
        INT_MAX,
        Group.DEBUGGING,
        "How many bytes are loaded between two turns of the event loop.",
        hidden=True,
        inert=NO_RDB,
    ),
    number(
        "watchdog-period",
        0,
        0,
        INT_MAX,
        Group.DEBUGGING,
        "Milliseconds after which a stuck event loop is reported; 0 for never.",
        hidden=True,
        inert=OWN_REPORTS,
    ),
)

ROWS: Final = (*NETWORK, *TLS, *GENERAL, *LOGGING, *SECURITY, *CLIENTS, *SYSTEM, *DEBUGGING)
