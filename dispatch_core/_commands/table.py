"""Text in columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 100


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A heading and rows in columns; a long last column goes on under itself."""
    widths = [max(len(str(row[i])) for row in (head, *rows)) for i in range(len(head) - 1)]
    left = sum(widths) + 2 * len(widths)
    lines = [_line(head, widths), "-" * max(left + len(head[-1]), 20)]
    for row in rows:
        first, *more = textwrap.wrap(row[-1], max(WIDTH - left, 40), break_on_hyphens=False) or [""]
        lines.append(_line([*row[:-1], first], widths))
        lines += [" " * left + part for part in more]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [str(cell).ljust(width) for cell, width in zip(cells, widths, strict=False)]
    return "  ".join([*padded, str(cells[-1])]).rstrip()
