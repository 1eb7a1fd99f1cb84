"""Aim: the process's figures come from the kernel. Method: change what they count, and names that confuse parsers."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING

from trioredis.observability import process
from trioredis.observability.process import arch_bits, describe_os, read_process_stats

if TYPE_CHECKING:
    import pytest

BLOCK_BYTES = 32 << 20


def test_resident_size_grows_with_touched_memory() -> None:
    with mmap(-1, BLOCK_BYTES) as block:  # a mapping of its own: no memory that was resident already
        before = read_process_stats().rss_bytes
        block.write(b"x" * BLOCK_BYTES)
        assert read_process_stats().rss_bytes - before > BLOCK_BYTES // 2


def test_resident_size_agrees_with_status() -> None:
    status = Path("/proc/self/status").read_text()
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert abs(read_process_stats().rss_bytes - kib * 1024) < BLOCK_BYTES


def test_cpu_time_of_children_is_counted_apart() -> None:
    before = read_process_stats()
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    after = read_process_stats()
    assert after.cpu_user_children_s > before.cpu_user_children_s


def test_cpu_time_of_this_thread_grows_with_its_work() -> None:
    before = read_process_stats()
    assert sum(range(10**6)) > 0
    after = read_process_stats()
    assert after.cpu_user_main_thread_s + after.cpu_sys_main_thread_s > (
        before.cpu_user_main_thread_s + before.cpu_sys_main_thread_s
    )
    assert after.cpu_user_s + after.cpu_sys_s > before.cpu_user_s + before.cpu_sys_s


def test_system_memory_is_that_of_the_machine() -> None:
    meminfo = Path("/proc/meminfo").read_text().splitlines()[0]
    assert read_process_stats().total_system_memory_bytes // 1024 == int(meminfo.split()[1])


def test_a_command_name_may_hold_parentheses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = ["S", *["0"] * 20, "25", "0"]
    stat = tmp_path / "stat"
    stat.write_text(f"77 (a) b (c) {' '.join(fields)}\n")
    monkeypatch.setattr(process, "STAT_PATH", stat)
    assert read_process_stats().rss_bytes == 25 * os.sysconf("SC_PAGE_SIZE")


def test_without_proc_the_peak_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STAT_PATH", tmp_path / "absent")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert read_process_stats().rss_bytes >= peak


def test_host_facts() -> None:
    assert describe_os().split()[0] == os.uname().sysname
    assert arch_bits() in (32, 64)
