"""From the configuration to what the engine and the log want to know."""

from __future__ import annotations

from typing import Final

from trioredis.config import Config
from trioredis.engine import Settings
from trioredis.observability import LogFormat, LogLevel, LogSettings, TimestampFormat

ENGINE_DIRECTIVES: Final = (
    "maxclients",
    "timeout",
    "tcp-keepalive",
    "client-query-buffer-limit",
    "proto-max-bulk-len",
    "protected-mode",
    "hz",
    "client-output-buffer-limit",
    "maxmemory",
    "maxmemory-clients",
    "maxmemory-policy",
    "maxmemory-samples",
    "lfu-log-factor",
    "lfu-decay-time",
    "latency-tracking",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "latency-monitor-threshold",
    "requirepass",
    "module-command-timeout",
    "module-durability",
    "busy-reply-threshold",
    "notify-keyspace-events",
)
"""Changing one of these by CONFIG SET changes the engine's settings."""

CLIENT_MEMORY_MIN: Final = 128 * 1024
"""The least that maxmemory-clients can mean, bytes; as in Redis."""

LOG_DIRECTIVES: Final = ("loglevel", "log-format", "log-timestamp-format")
"""Changing one of these changes the log."""


def engine_settings(config: Config) -> Settings:
    """The engine's part of the configuration."""
    limits = config.client_output_buffer_limit
    return Settings(
        maxclients=config.maxclients,
        idle_seconds=config.timeout,
        keepalive_seconds=config.tcp_keepalive,
        query_buffer_bytes=config.integer("client-query-buffer-limit"),
        bulk_bytes=config.integer("proto-max-bulk-len"),
        protected_mode=config.protected_mode,
        hz=config.hz,
        output_limits={
            "normal": (limits.normal.hard_bytes, limits.normal.soft_bytes, limits.normal.soft_seconds),
            "replica": (limits.replica.hard_bytes, limits.replica.soft_bytes, limits.replica.soft_seconds),
            "pubsub": (limits.pubsub.hard_bytes, limits.pubsub.soft_bytes, limits.pubsub.soft_seconds),
        },
        maxmemory=config.maxmemory,
        maxmemory_policy=config.maxmemory_policy,
        maxmemory_samples=config.integer("maxmemory-samples"),
        lfu_log_factor=config.integer("lfu-log-factor"),
        lfu_decay_minutes=config.integer("lfu-decay-time"),
        latency_tracking=config.flag("latency-tracking"),
        debug=config.text("enable-debug-command"),
        modules=config.text("enable-module-command"),
        module_command_ms=config.integer("module-command-timeout"),
        module_durability=config.text("module-durability") == "on",
        busy_reply_ms=config.integer("busy-reply-threshold"),
        password_set=bool(config.requirepass),
        slowlog_than_us=config.slowlog_log_slower_than,
        slowlog_max_len=config.slowlog_max_len,
        latency_threshold_ms=config.latency_monitor_threshold,
        client_memory_max=client_memory_max(config),
        notify_events=config.notify_keyspace_events,
    )


def client_memory_max(config: Config) -> int:
    """What all clients together may hold, bytes; 0: no limit.

    A share of maxmemory is none while there is no maxmemory, and no limit is smaller than CLIENT_MEMORY_MIN.
    """
    given = config.integer("maxmemory-clients")
    limit = given if given >= 0 else config.maxmemory * -given // 100
    return max(limit, CLIENT_MEMORY_MIN) if limit else 0


def log_settings(config: Config) -> LogSettings:
    """The log's part of the configuration."""
    return LogSettings(
        level=LogLevel[config.loglevel.upper()],
        logfile=config.logfile,
        format=LogFormat(config.log_format),
        timestamps=TimestampFormat(config.text("log-timestamp-format")),
        syslog_enabled=config.flag("syslog-enabled"),
        syslog_ident=config.text("syslog-ident"),
        syslog_facility=config.text("syslog-facility"),
    )
