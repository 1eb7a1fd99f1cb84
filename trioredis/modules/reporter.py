"""Making the report of a crash, from what its process has left.

Finding functions and lines takes some tenths of a second of pure Python, which the server's clients would feel, and it
reads files of any quality. So the server has it done by a program (:mod:`trioredis.modules.report_program`): there it
costs another core, and a mistake costs detail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from trioredis.modules.crash_record import BadRecord, CrashRecord, parse_record
from trioredis.modules.job import Job, prune
from trioredis.modules.report import make_report, to_text, write_report
from trioredis.modules.symbolize import Symbolizer

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
