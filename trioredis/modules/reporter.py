"""Making the report of a crash: a program of its own, and the same as a function.

    python -m trioredis.modules.reporter < job.json

The server starts it for each crash. Finding functions and lines takes most of a second of pure Python, which the
server's clients would feel, and it reads files of any quality; here it costs another core, and a mistake costs detail.
The job is on standard input; the headline goes to standard output, and ``ID.json`` and ``ID.txt`` into the folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from trioredis.modules.crash_record import BadRecord, CrashRecord, parse_record
from trioredis.modules.job import Job, prune
from trioredis.modules.report import make_report, to_text, write_report
from trioredis.modules.symbolize import Symbolizer

NICENESS: Final = 10
FOLDER_MODE: Final = 0o700
"""Arguments of commands are in the reports."""


def make(job: Job, *, symbolize: bool = True) -> str:
    """Make and store a report; returns its headline.

    Raises:
        OSError: the disk's.
    """
    record = _record(job.crash_area)
    frames = Symbolizer().frames_of(record) if record is not None and symbolize else ()
    report = make_report(job.module, job.surroundings, record, frames, job.status)
    folder = Path(job.folder)
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    write_report(report, folder / f"{job.ident}.json")
    draft = folder / f".{job.ident}.txt"
    draft.write_text(to_text(report), encoding="utf-8", errors="replace")
    draft.replace(folder / f"{job.ident}.txt")
    prune(folder, job.keep)
    return report.headline


def _record(crash_area: bytes) -> CrashRecord | None:
    try:
        return parse_record(crash_area)
    except BadRecord:
        return None


def main() -> int:
    """Make the report that standard input asks for."""
    os.nice(NICENESS)
    job = Job.from_json(sys.stdin.buffer.read())
    sys.stdout.write(make(job))
    return 0


if __name__ == "__main__":
    sys.exit(main())
