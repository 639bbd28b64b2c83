"""Checks of values, where there are any to read: neither batched tensors nor device `meta` show theirs.

What cannot be read passes: a check spares the user a puzzling result, and no result depends on it.
"""

from __future__ import annotations

from dispatch_core._op import K
from dispatch_core._tensor import Tensor, is_readable


def value_range(x: Tensor) -> tuple[int, int] | None:
    """The least and the greatest element; None where there is none, or none can be read."""
    if not x.numel() or not is_readable(x):
        return None
    return K.amin(x).item(), K.amax(x).item()


def any_true(mask: Tensor) -> bool:
    """Whether an element is known to be true."""
    return is_readable(mask) and bool(K.any(mask))


def all_true(mask: Tensor) -> bool:
    """Whether no element is known to be false."""
    return not is_readable(mask) or bool(K.all(mask))
