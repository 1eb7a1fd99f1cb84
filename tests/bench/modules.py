"""The example modules, for workloads that run a module's command in both servers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SANDBOX: Final = Path(__file__).parents[2] / "sandbox"


def build(names: Iterable[str], directory: Path) -> list[Path]:
    """Compile these examples into the directory; their libraries, in the order of the names."""
    return [build_from(SANDBOX / "examples" / f"{name}.c", directory) for name in sorted(set(names))]


def build_from(source: Path, directory: Path) -> Path:
    """Compile one module into the directory; its library."""
    library = directory / f"{source.stem}.so"
    flags = ("-O2", "-g", "-fPIC", "-shared", "-pthread", f"-I{SANDBOX / 'include'}")
    subprocess.run([os.environ.get("CC", "cc"), *flags, source, "-o", library], check=True)
    return library


def load_options(libraries: Iterable[Path]) -> list[str]:
    """Return the options that make a server of either kind load them."""
    return [word for library in libraries for word in ("--loadmodule", str(library))]
