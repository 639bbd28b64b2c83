"""`Size`, the tuple that tensors return as their shape."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Self, SupportsIndex, overload


class Size(tuple[int, ...]):
    """A tuple of ints that stays a `Size` when it is sliced, concatenated or repeated.

    Raises:
        TypeError: an item is not an integer.

    """

    __slots__ = ()

    def __new__(cls, iterable: Iterable[SupportsIndex] = (), /) -> Self:
        items = tuple(iterable)
        for item in items:
            if type(item) is not int:
                items = tuple([_as_int(position, item) for position, item in enumerate(items)])
                break
        return tuple.__new__(cls, items)

    def numel(self) -> int:
        """Return the number of elements of a tensor of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"dc.Size([{', '.join(map(repr, self))}])"

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> Size: ...
    def __getitem__(self, key: Any, /) -> Any:
        item = tuple.__getitem__(self, key)
        return tuple.__new__(Size, item) if isinstance(key, slice) else item

    def __add__(self, other: object, /) -> Size:
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {type(other).__name__}) to dc.Size")
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: object, /) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(other, self))

    def __mul__(self, count: SupportsIndex, /) -> Size:
        return tuple.__new__(Size, tuple.__mul__(self, count))

    def __rmul__(self, count: SupportsIndex, /) -> Size:
        return tuple.__new__(Size, tuple.__mul__(self, count))

    def __reduce__(self) -> tuple[type[Size], tuple[tuple[int, ...]]]:
        return Size, (tuple(self),)


def _as_int(position: int, item: SupportsIndex) -> int:
    try:
        return operator.index(item)
    except TypeError:
        raise TypeError(
            f"dc.Size() takes an iterable of 'int' (item {position} is {type(item).__name__!r})"
        ) from None


trusted_size: Callable[[tuple[int, ...]], Size] = partial(tuple.__new__, Size)
"""A `Size` of ints that need no check, such as an array's own shape."""
