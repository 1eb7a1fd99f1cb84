"""What the kernel says about this process, for INFO's memory and cpu sections and the metrics."""

from __future__ import annotations

import os
import platform
import resource
import struct
import sys
from pathlib import Path
from typing import Final

from trioredis.observability.info_input import ProcessStats

STAT_PATH: Final = Path("/proc/self/stat")
STAT_RSS_FIELD: Final = 21  # pages; counted from the field after the command's closing parenthesis


def read_process_stats() -> ProcessStats:
    """Read memory and CPU time of the process; "main thread" is the thread that calls.

    Takes about 20 microseconds and never blocks. Where there is no ``/proc`` the resident size is the peak that
    ``getrusage`` knows, and where the kernel keeps no figures by thread the whole process stands for it.
    """
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    thread = resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF))
    return ProcessStats(
        rss_bytes=_rss_bytes(own.ru_maxrss),
        total_system_memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        cpu_sys_s=own.ru_stime,
        cpu_user_s=own.ru_utime,
        cpu_sys_children_s=children.ru_stime,
        cpu_user_children_s=children.ru_utime,
        cpu_sys_main_thread_s=thread.ru_stime,
        cpu_user_main_thread_s=thread.ru_utime,
    )


def describe_os() -> str:
    """The ``os`` line of INFO: kernel, release and machine."""
    name = platform.uname()
    return f"{name.system} {name.release} {name.machine}"


def arch_bits() -> int:
    """Width of a pointer in bits."""
    return struct.calcsize("P") * 8


def supervisor(asked: str) -> str:
    """The service manager to notify, for a value of ``supervised``: systemd, upstart or, when none is there, no."""
    if asked in ("upstart", "auto") and "UPSTART_JOB" in os.environ:
        return "upstart"
    if asked in ("systemd", "auto") and "NOTIFY_SOCKET" in os.environ:
        return "systemd"
    return "no"


def _rss_bytes(peak: int) -> int:
    try:
        stat = STAT_PATH.read_bytes()
    except OSError:
        return peak if sys.platform == "darwin" else peak * 1024
    # The command's name may hold spaces and parentheses: count from its last one.
    fields = stat[stat.rindex(b")") + 2 :].split()
    return int(fields[STAT_RSS_FIELD]) * os.sysconf("SC_PAGE_SIZE")
