"""The program that makes the report of a crash: the reporter, out of the server's way from its first moment.

    python -m trioredis.modules.report_program < job.json

The job is on standard input; the headline goes to standard output, and ``ID.json`` and ``ID.txt`` into the folder.
What it needs is imported late, since importing it takes longer than the module takes to come back.
"""

from __future__ import annotations

import os
import sys
from typing import Final

NICENESS: Final = 10


def main() -> int:
    """Make the report that standard input asks for."""
    os.nice(NICENESS)
    from trioredis.modules.job import Job
    from trioredis.modules.reporter import make

    sys.stdout.write(make(Job.from_json(sys.stdin.buffer.read())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
