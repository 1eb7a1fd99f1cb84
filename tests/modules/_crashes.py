"""Libraries that crash, and the program that runs them with a crash record."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trioredis.modules.crash_record import CrashRecord, parse_record

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("crash.c", "jail.c", "jail_landlock.c", "jail_rlimit.c", "jail_seccomp.c")

CRASHER: Final = """\
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <stdio.h>
#include <unistd.h>

static volatile int sink, zero;
static int *volatile nowhere;
struct row { int first[5]; int sixth; };
static struct row *volatile row;
static void (*volatile missing)(void);

void write_null(void) {
    sink = 1;
    *nowhere = 1;
    sink = 2;
}
void read_member(void) {
    sink = row->sixth;
    sink = 2;
}
static inline __attribute__((always_inline)) void poke(int *where) {
    *where = 7;
}
static __attribute__((noinline)) void middle(int *where) {
    poke(where);
    sink = 3;
}
void through_inline(void) {
    middle(nowhere);
    sink = 4;
}
void call_null(void) {
    missing();
    sink = 5;
}
static __attribute__((noinline)) int deeper(int depth) {
    volatile char room[256];
    room[0] = (char)depth;
    return depth == -1 ? 0 : deeper(depth + 1) + room[0];
}
void overflow(void) {
    sink = deeper(0);
}
void divide(void) {
    sink = sink / zero;
    sink = 6;
}
void do_abort(void) {
    sink = 7;
    abort();
}
void do_exit(void) {
    sink = 8;
    exit(3);
}
void trap(void) {
    __builtin_trap();
}
void forbidden(void) {
    sink = (int)syscall(SYS_ptrace, 0, 0, 0, 0);
    sink = 9;
}
void be_killed(void) {
    sink = kill(getpid(), SIGKILL);
}
void send_itself(void) {
    sink = raise(SIGBUS);
    sink = 10;
}
void past_file(void) {
    volatile char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(tmpfile()), 0);
    p[5] = 1;
    sink = 11;
}
void write_constant(void) {
    *(volatile char *)"constant" = 'x';
    sink = 12;
}
void wild(void) {
    *(volatile int *)0x1234567890123456 = 1;
    sink = 13;
}
void live(void) {
    sink = 14;
}
"""


def line_of(text: str) -> int:
    """Return the number of the first line of the library's source that has the text."""
    return next(number for number, line in enumerate(CRASHER.splitlines(), 1) if text in line)


@dataclass(frozen=True, slots=True)
class Death:
    """How the host program ended."""

    status: int
    record: CrashRecord | None
    raw: bytes
    library: Path


def run(*command: str | Path, text: str | None = None) -> None:
    """Run a tool that must succeed."""
    subprocess.run([str(one) for one in command], input=text, check=True, text=True, capture_output=True)


def build_host(folder: Path) -> Path:
    """Compile the program that loads a library; return its path."""
    host = folder / "crash_host"
    sources = [ROOT / "tests/modules/crash_host.c", *(ROOT / "sandbox" / one for one in SOURCES)]
    run("cc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", f"-I{ROOT}", f"-I{ROOT / 'csrc'}", "-o", host, *sources,
        ROOT / "csrc/base/assert.c", "-lpthread", "-ldl")  # fmt: skip
    return host


def build_crasher(folder: Path, *flags: str) -> Path:
    """Compile the library; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "crasher.c"
    source.write_text(CRASHER)
    run("cc", "-shared", "-fPIC", *flags, "-o", folder / "crasher.so", source)
    return folder / "crasher.so"


def die(host: Path, library: Path, function: str, *words: str) -> Death:
    """Run the host until it ends; return what it leaves."""
    area = library.parent / "record"
    area.unlink(missing_ok=True)
    done = subprocess.run([host, area, library, function, *words], check=False, timeout=60)
    raw = area.read_bytes()
    return Death(done.returncode, parse_record(raw), raw, library)
