"""The table of allowed differences: which replies may deviate from the recorded ones, and why.

A table is a Markdown file. Each of its table rows whose first cell is a ``code`` word is one entry:

    | `id` | `COMMAND` | `expected` | `got` | what differs and why |

``COMMAND`` matches the whole label of a step (``GET``, ``CLIENT\\|KILL``); the other two must each
match somewhere in the JSON text of a reply. All three are regular expressions, but a bar in
``COMMAND`` is a plain bar. A bar inside a cell is written ``\\|``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CELLS: Final = 5
BAR: Final = re.compile(r"(?<!\\)\|")
CODE: Final = re.compile(r"`([^`]*)`")


@dataclass(frozen=True, slots=True)
class Difference:
    """One allowed difference."""

    name: str
    command: re.Pattern[str]
    expected: re.Pattern[str]
    got: re.Pattern[str]
    reason: str

    def allows(self, label: str, expected: Any, got: Any) -> bool:
        """Whether this entry covers one mismatch."""
        return bool(
            self.command.fullmatch(label)
            and self.expected.search(json.dumps(expected))
            and self.got.search(json.dumps(got))
        )


def _code(cell: str) -> str:
    found = CODE.search(cell.replace("\\|", "|"))
    if found is None:
        raise ValueError(f"no `code` in the cell {cell!r}")
    return found[1]


def parse(text: str) -> list[Difference]:
    """Read all entries of a Markdown text. Raises ValueError for a row that has not five cells."""
    out = []
    for line in text.splitlines():
        if not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in BAR.split(line.strip().strip("|"))]
        if len(cells) != CELLS:
            raise ValueError(f"{len(cells)} cells instead of {CELLS}: {line}")
        name, command, expected, got = (_code(cell) for cell in cells[:4])
        as_label = re.compile(command.replace("|", r"\|"))
        entry = Difference(name, as_label, re.compile(expected), re.compile(got), cells[4])
        out.append(entry)
    names = [d.name for d in out]
    if len(set(names)) != len(names):
        raise ValueError(f"an id is used twice: {names}")
    return out


def load(path: Path) -> list[Difference]:
    """Read the entries of one file."""
    return parse(path.read_text(encoding="utf-8"))


def allowed(table: Sequence[Difference], label: str, expected: Any, got: Any) -> Difference | None:
    """Return the entry that covers a mismatch, if any."""
    return next((d for d in table if d.allows(label, expected, got)), None)
