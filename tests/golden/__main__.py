"""Replays recordings against a running server: ``python -m tests.golden --port N [--group string]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from tests.golden.differences import load
from tests.golden.facts import load_table
from tests.golden.replay import Replay, Report, load_differ

ROOT: Final = Path(__file__).resolve().parents[2]
SHARED: Final = ROOT.parent / "shared"


def main() -> int:
    """Replay the chosen files; exit status 1 when there is a mismatch."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--group", default="*", help="file name up to the first dot; a glob")
    parser.add_argument("--seed", default="*", help="seed of the recording; a glob")
    parser.add_argument("--max", type=int, default=10, help="mismatches to show")
    parser.add_argument("--complete", action="store_true", help="the server has every command")
    parser.add_argument("--commands", type=Path, default=ROOT / "trioredis/commands/commands.json")
    parser.add_argument("--differences", type=Path, default=ROOT / "docs/differences.md")
    args = parser.parse_args()
    facts = load_table(SHARED / "facts/commands.json")
    ours = facts if args.complete else load_table(args.commands)
    replay = Replay(load_differ(SHARED / "golden"), facts, ours, load(args.differences))
    total = Report()
    for path in sorted((SHARED / "golden/dev").glob(f"{args.group}.{args.seed}.jsonl.gz")):
        report = replay.run(path, (args.host, args.port))
        print(f"{path.name}: {report.lines(0)[0]}", flush=True)
        total.add(report)
    print("\n".join(total.lines(args.max)))
    return int(bool(total.mismatches))


if __name__ == "__main__":
    sys.exit(main())
