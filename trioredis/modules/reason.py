"""What a crash record means, in words: the part of a report that follows the place."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from trioredis.modules.crash_record import Cause, Machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from trioredis.modules.crash_record import CrashRecord

NULL_REACH: Final = 1 << 16
"""Addresses below are a null pointer plus the place of a member."""
OVERFLOW_REACH: Final = 1 << 20
"""How far below its end a function may reach when it overflows the stack."""

KERNEL: Final = 0x80
"""si_code: the kernel, without further reason; on x86-64 an address outside of what the machine can have."""
PAGE_FAULT: Final = 14
FAULT_WAS_WRITE: Final = 2
FAULT_WAS_FETCH: Final = 16

FPE_REASONS: Final = {
    1: "divided an integer by zero",
    2: "an integer overflowed",
    3: "divided a float by zero",
    4: "a float overflowed",
    5: "a float underflowed",
}

SYSTEM_CALLS: Final = {
    Machine.X86_64: {
        56: "clone",
        57: "fork",
        58: "vfork",
        59: "execve",
        101: "ptrace",
        135: "personality",
        154: "modify_ldt",
        155: "pivot_root",
        161: "chroot",
        165: "mount",
        166: "umount2",
        169: "reboot",
        175: "init_module",
        246: "kexec_load",
        248: "add_key",
        249: "request_key",
        250: "keyctl",
        272: "unshare",
        298: "perf_event_open",
        300: "fanotify_init",
        308: "setns",
        311: "process_vm_writev",
        312: "kcmp",
        313: "finit_module",
        321: "bpf",
        322: "execveat",
        323: "userfaultfd",
        438: "pidfd_getfd",
        440: "process_madvise",
    },
    Machine.AARCH64: {
        39: "umount2",
        40: "mount",
        41: "pivot_root",
        51: "chroot",
        92: "personality",
        97: "unshare",
        104: "kexec_load",
        105: "init_module",
        117: "ptrace",
        142: "reboot",
        217: "add_key",
        218: "request_key",
        219: "keyctl",
        220: "clone",
        221: "execve",
        241: "perf_event_open",
        262: "fanotify_init",
        268: "setns",
        271: "process_vm_writev",
        272: "kcmp",
        273: "finit_module",
        280: "bpf",
        281: "execveat",
        282: "userfaultfd",
        438: "pidfd_getfd",
        440: "process_madvise",
    },
    Machine.UNKNOWN: {},
}
"""Names of the calls that the jail answers with the end."""


def signal_name(number: int) -> str:
    """Return the name of a signal, or its number for one without."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def reason_of(record: CrashRecord) -> str:
    """Return what happened, as the end of a sentence that has begun with signal and place."""
    if record.cause is Cause.EXIT:
        return f"called exit({record.exit_status})"
    if record.cause is Cause.EXIT_NOW:
        return f"called _exit({record.exit_status})"
    if record.signal == signal.SIGABRT:
        return "aborted itself: a failed assertion, a corrupted heap or a call of abort()"
    if record.code <= 0:
        sender = "itself" if record.sender_pid == record.pid else f"process {record.sender_pid}"
        return f"was sent the signal by {sender}"
    explain = EXPLANATIONS.get(record.signal)
    return explain(record) if explain else "ended by the signal"


def _memory(record: CrashRecord) -> str:
    if record.pc == record.address and record.mapping_of(record.pc) is None:
        return "called a null function pointer" if record.pc == 0 else f"jumped to {record.pc:#x}, where no code is"
    if _is_overflow(record):
        return f"the stack overflowed ({_stack_size(record)}): recursion without end, or an array too large for it"
    if record.code == KERNEL:
        return "used an address that no memory can have (a corrupted or freed pointer)"
    return f"{_access(record)} address {record.address:#x}{_kind_of_address(record)}"


def _stack_size(record: CrashRecord) -> str:
    return f"{(record.stack_high - record.stack_low) >> 10} KiB"


def _is_overflow(record: CrashRecord) -> bool:
    if record.stack_low == 0:
        return False
    low, high = record.stack_low - OVERFLOW_REACH, record.stack_low + 4096
    return low <= record.address < high and low <= record.sp < high + OVERFLOW_REACH


def _access(record: CrashRecord) -> str:
    error, trap = record.register("err"), record.register("trapno")
    if error is None or trap != PAGE_FAULT:
        return "touched"
    if error & FAULT_WAS_FETCH:
        return "ran code at"
    return "wrote to" if error & FAULT_WAS_WRITE else "read from"


def _kind_of_address(record: CrashRecord) -> str:
    if record.address == 0:
        return " (null pointer)"
    if record.address < NULL_REACH:
        return f" (null pointer + {record.address})"
    mapping = record.mapping_of(record.address)
    if mapping is None:
        return " (no memory there)" if record.mappings else ""
    return f" (memory with the rights {mapping.permissions[:3]} of {mapping.path or 'nobody'})"


def _bus(record: CrashRecord) -> str:
    mapping = record.mapping_of(record.address)
    behind = f", beyond the end of {mapping.path}" if mapping is not None and record.code == 2 and mapping.path else ""
    return f"{_access(record)} address {record.address:#x}{behind}"


def _arithmetic(record: CrashRecord) -> str:
    return FPE_REASONS.get(record.code, "an arithmetic operation failed")


def _system_call(record: CrashRecord) -> str:
    number = record.system_call
    name = SYSTEM_CALLS[record.machine].get(number or -1)
    return f"made the system call {name or f'number {number}'}, which its jail forbids"


EXPLANATIONS: Final[dict[int, Callable[[CrashRecord], str]]] = {
    signal.SIGSEGV: _memory,
    signal.SIGBUS: _bus,
    signal.SIGFPE: _arithmetic,
    signal.SIGSYS: _system_call,
    signal.SIGILL: lambda _: "ran an instruction that this machine does not have",
    signal.SIGTRAP: lambda _: "ran into a breakpoint (a compiler's trap, or a debugger's)",
    signal.SIGXCPU: lambda _: "used up the processor time that it was granted",
}
"""What each signal from the kernel means."""
