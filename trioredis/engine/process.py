"""What the whole process, not an engine, asks of the system through C."""

from __future__ import annotations

from trioredis.engine._native import lib
from trioredis.engine.engine import check


def set_title(title: str) -> None:
    """Show ``title`` instead of the command line in ``ps``, cut to the length that this had.

    Raises:
        EngineError: the system does not say where the command line is.
    """
    check(lib.tr_proc_set_title(title.encode("utf-8", "surrogateescape").replace(b"\0", b"")))


def disable_huge_pages() -> None:
    """Have no transparent huge pages in this process.

    Raises:
        EngineError: the system refuses, or has none.
    """
    check(lib.tr_proc_disable_huge_pages())
