"""Exceptions as log fields: enough to find the fault, nothing that a client sent.

The text of an exception often quotes what it stumbled over (``KeyError(b"the user's data")``), so it is shown only
where it cannot: for errors of the operating system and for exceptions of trioredis itself.
"""

from __future__ import annotations

import os
import traceback
from typing import Final

from trioredis.observability.event import TRACEBACK_CHARS_MAX

PACKAGE: Final = __name__.partition(".")[0]
ARROW: Final = " > "


def error_text(error: BaseException) -> str:
    """What went wrong in a few words; members of an exception group are listed in brackets."""
    name = type(error).__name__
    if isinstance(error, OSError) and error.errno is not None:
        return f"{name}: {os.strerror(error.errno)}"
    if isinstance(error, BaseExceptionGroup):
        return f"{name} [{'; '.join(error_text(one) for one in error.exceptions)}]"
    if type(error).__module__.partition(".")[0] == PACKAGE:
        return f"{name}: {error}"
    return name


def traceback_text(error: BaseException) -> str:
    """Where it went wrong: ``file:line function`` of each call, outermost first, the innermost always shown.

    Source lines are left out. A group shows the frames of its first member behind its own, a chained exception those of
    its cause before its own. At most `TRACEBACK_CHARS_MAX` characters, cut at the outer end.
    """
    frames = _frames(error)
    kept: list[str] = []
    room = TRACEBACK_CHARS_MAX
    for frame in reversed(frames):
        room -= len(frame) + len(ARROW)
        if room < 0:
            kept.append("...")
            break
        kept.append(frame)
    return ARROW.join(reversed(kept))


def _frames(error: BaseException) -> list[str]:
    frames: list[str] = []
    if error.__cause__ is not None:
        frames += [*_frames(error.__cause__), f"({type(error.__cause__).__name__} led to)"]
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        path = "/".join(code.co_filename.split("/")[-2:])
        frames.append(f"{path}:{line} {code.co_name}")
    if isinstance(error, BaseExceptionGroup):
        frames += _frames(error.exceptions[0])
    return frames
