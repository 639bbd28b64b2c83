"""The line of the user's program that a warning or a report is about."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

GENERATED = "<dispatch_core "
"""What the file names of generated functions begin with."""


def user_frame() -> FrameType:
    """The innermost frame that is not the framework's own; the outermost where all of them are."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_ours(frame):
        frame = frame.f_back
    return frame


def is_ours(frame: FrameType) -> bool:
    """Whether a frame is the framework's own, its generated functions included."""
    module = frame.f_globals.get("__name__") or ""
    return module.partition(".")[0] == "dispatch_core" or frame.f_code.co_filename.startswith(
        GENERATED
    )


def user_line() -> str:
    """The place of that frame as file:line."""
    frame = user_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn about the line of the user's program that led here, however deep inside this is."""
    frame = user_frame()
    scope = frame.f_globals
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        scope.get("__name__") or "<unknown>",
        scope.setdefault("__warningregistry__", {}),
    )
