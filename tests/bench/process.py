"""What the kernel tells about a server process: CPU time and memory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def cpu_ns(pid: int) -> int:
    """Return the CPU time that all threads of ``pid`` and its living children have used so far, in nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread or child ended meanwhile
            total += int((task / "schedstat").read_text().split()[0])
            total += sum(cpu_ns(int(child)) for child in (task / "children").read_text().split())
    return total


def rss_bytes(pid: int) -> int:
    """Return the resident memory of ``pid`` in bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no resident size for process {pid}")
