"""What a crash report is made of, on its way to the program that makes it, and the folder where reports are."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self, final

from trioredis.modules.report import Module, Surroundings

if TYPE_CHECKING:
    from pathlib import Path


@final
@dataclass(frozen=True, slots=True)
class Job:
    """What a report is made of. ``crash_area`` is as the process left it, ``status`` as in ``subprocess``."""

    ident: str
    folder: str
    keep: int
    module: Module
    surroundings: Surroundings
    crash_area: bytes
    status: int

    def to_json(self) -> bytes:
        """Return the job for the program's standard input."""
        data = asdict(self)
        data["crash_area"] = base64.b64encode(self.crash_area).decode("ascii")
        return json.dumps(data).encode("utf-8", "surrogateescape")

    @classmethod
    def from_json(cls, raw: bytes) -> Self:
        """Read what :meth:`to_json` has written."""
        data: dict[str, Any] = json.loads(raw)
        around: dict[str, Any] = {
            name: tuple(one) if isinstance(one, list) else one for name, one in data["surroundings"].items()
        }
        return cls(
            ident=data["ident"],
            folder=data["folder"],
            keep=data["keep"],
            module=Module(**data["module"]),
            surroundings=Surroundings(**around),
            crash_area=base64.b64decode(data["crash_area"]),
            status=data["status"],
        )


def stored(folder: Path) -> list[Path]:
    """Return the reports of a folder, oldest first. OSError: it can't be read."""
    found = []
    for path in folder.glob("*.json"):
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def prune(folder: Path, keep: int) -> None:
    """Remove the oldest reports until there are ``keep``. OSError: the disk's."""
    for path in stored(folder)[:-keep]:
        path.unlink(missing_ok=True)
        path.with_suffix(".txt").unlink(missing_ok=True)
