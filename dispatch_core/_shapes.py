"""Dimensions and shapes: what they may be, in PyTorch's words."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any


def dim_error(dim: int, ndim: int) -> IndexError:
    """PyTorch's words for a dimension that the tensor does not have."""
    low, high = (-ndim, ndim - 1) if ndim else (-1, 0)
    return IndexError(
        f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})"
    )


def whole(name: str, value: Any) -> int:
    """An argument that has to be an int; TypeError where it is none."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass  # a tensor or an array says so when it is asked
    raise TypeError(f"argument '{name}' must be int, not {type(value).__name__}")


def wholes(name: str, values: Any) -> tuple[int, ...]:
    """An argument that has to be a sequence of ints; TypeError where one is none."""
    try:
        if bool not in map(type, values):
            return tuple(map(operator.index, values))
    except TypeError:
        pass
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"argument '{name}' must be tuple of ints, not {type(values).__name__}")
    for at, each in enumerate(values):
        try:
            whole(name, each)
        except TypeError:
            raise TypeError(
                f"argument '{name}' must be tuple of ints only, not {type(each).__name__} at pos {at}"
            ) from None
    raise TypeError(f"argument '{name}' must be tuple of ints, not {type(values).__name__}")


def check_dim(dim: Any, ndim: int) -> int:
    """A dimension as a non-negative number; IndexError where the tensor has no such dimension."""
    dim = whole("dim", dim)
    count = ndim or 1
    if not -count <= dim < count:
        raise dim_error(dim, ndim)
    return dim % count if dim < 0 else dim


def check_dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """One, several or (None, empty) all dimensions as sorted non-negative numbers."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    if not isinstance(dim, (tuple, list)):
        dim = (dim,)
    dims = sorted(check_dim(d, ndim) for d in dim)
    for one, other in itertools.pairwise(dims):
        if one == other:
            raise RuntimeError(f"dim {one} appears multiple times in the list of dims")
    return tuple(dims)


def check_index_shape(
    shape: Sequence[int], dim: Any, index: Sequence[int], src: Sequence[int] | None = None
) -> int:
    """The dimension of a gather or scatter; RuntimeError where the index's shape does not fit.

    It fits into that of the input apart from the dimension, and into that of what is scattered. An
    index without elements may have any shape, and tensors without dimensions count as vectors.
    """
    at = check_dim(dim, len(shape))
    if not prod(index):
        return at
    for name, other, free in (("self", shape, at), ("src", src, None)):
        if other is None:
            continue
        sizes = [*zip(index or (1,), other or (1,), strict=False)]
        if len(sizes) < max(len(index), len(other)):
            raise RuntimeError(
                f"Index tensor must have the same number of dimensions as {name} tensor: got "
                f"{len(index)} and {len(other)}"
            )
        for d, (n, m) in enumerate(sizes):
            if d != free and n > m:
                raise RuntimeError(
                    f"Size does not match at dimension {d} expected index {list(index)} to be no larger "
                    f"than {name} {list(other)}{'' if free is None else f' apart from dimension {at}'}"
                )
    return at


def expanded(
    shape: Sequence[int], strides: Sequence[int], size: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape and strides of an array expanded to a size: repeated dimensions get stride 0.

    -1 keeps a size. Raises RuntimeError in PyTorch's words where that cannot be.
    """
    extra = len(size) - len(shape)
    if extra < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(size)}) must be greater or equal to the number "
            f"of dimensions in the tensor ({len(shape)})"
        )
    wide, steps = list(size), [0] * len(size)
    for i, (n, stride) in enumerate(zip(shape, strides, strict=True), extra):
        if wide[i] in (-1, n):
            wide[i], steps[i] = n, stride
        elif n != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({wide[i]}) must match the existing size ({n}) at "
                f"non-singleton dimension {i}. Target sizes: {list(size)}. Tensor sizes: {list(shape)}"
            )
    if min(wide, default=0) < 0:
        raise RuntimeError(
            f"The expanded size of the tensor ({min(wide)}) isn't allowed in a leading, non-existing "
            "dimension"
        )
    return tuple(wide), tuple(steps)


def check_reshape(shape: Sequence[int], sizes: Sequence[int]) -> None:
    """RuntimeError where the elements of a tensor of one shape do not fill another (-1: any size)."""
    count = prod(shape)
    unknown = sizes.count(-1)
    if unknown > 1:
        raise RuntimeError("only one dimension can be inferred")
    for size in sizes:
        if size < -1:
            raise RuntimeError(f"invalid shape dimension {size}")
    known = prod(size for size in sizes if size != -1)
    if unknown and not known:
        raise RuntimeError(
            f"cannot reshape tensor of {count} elements into shape {list(sizes)} because the "
            "unspecified dimension size -1 can be any value and is ambiguous"
        )
    if count % known if unknown else count != known:
        raise RuntimeError(f"shape '{list(sizes)}' is invalid for input of size {count}")


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that all shapes broadcast to; RuntimeError in PyTorch's words where there is none."""
    ndim = max((len(shape) for shape in shapes), default=0)
    result = [1] * ndim
    for shape in shapes:
        offset = ndim - len(shape)
        for i, size in enumerate(shape, offset):
            if size == result[i] or size == 1:
                continue
            if result[i] != 1:
                raise RuntimeError(
                    f"The size of tensor a ({result[i]}) must match the size of tensor b ({size}) at "
                    f"non-singleton dimension {i}"
                )
            if size < 0:
                raise ValueError("cannot broadcast a dimension with negative length")
            result[i] = size
    return tuple(result)


def pad_sides(pad: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    """PyTorch's list of paddings, last dimension first, as (before, after) of each."""
    pad = wholes("pad", pad)
    if len(pad) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but got {list(pad)}")
    if len(pad) > 2 * ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {ndim}"
        )
    pairs = tuple(zip(pad[::2], pad[1::2], strict=True))
    return ((0, 0),) * (ndim - len(pairs)) + pairs[::-1]


def check_not_empty(shape: Any, ord: float, dim: Any) -> None:
    """Negative norms are least ones, of which there is none among no elements: RuntimeError."""
    if 0 not in shape:
        return
    dims = range(len(shape)) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    if any(shape[d] == 0 for d in dims or range(len(shape))):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor or dimension "
            "because the operation does not have an identity"
        )
