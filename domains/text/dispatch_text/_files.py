"""Reading files whose errors name them: JSON, lines, extras that are not installed."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dispatch_core.extend import FileFormatError

PathLike = str | os.PathLike[str]


def read_text(path: PathLike) -> str:
    """The text of a UTF-8 file; FileFormatError where it is none."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: byte {error.start} is not UTF-8") from error


def read_json(path: PathLike) -> dict[str, Any]:
    """The object in a JSON file; FileFormatError with the place where it is none."""
    return _json(path, dict, "an object")


def read_list(path: PathLike) -> list[Any]:
    """The list in a JSON file; FileFormatError with the place where it is none."""
    return _json(path, list, "a list")


def _json(path: PathLike, kind: type, name: str) -> Any:
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: not JSON: {error}") from error
    if not isinstance(found, kind):
        raise FileFormatError(f"{path}: expected {name} of JSON, got {type(found).__name__}")
    return found


def read_lines(path: PathLike) -> Iterator[tuple[int, str]]:
    """(number, line) of a UTF-8 file, from 1 on, without the ends of lines."""
    text = read_text(path)
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    yield from enumerate(lines, 1)


def extra(module: str, distribution: str, purpose: str) -> Any:
    """An optional library; ImportError that says what to install where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{purpose} needs {distribution}: pip install 'dispatch-text[{distribution}]'"
        ) from error
