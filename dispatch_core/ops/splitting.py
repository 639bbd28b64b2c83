"""Parts of a tensor under the names of PyTorch's internal splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._families.others import movement
from dispatch_core._op import K, composite
from dispatch_core._shapes import check_dim, wholes
from dispatch_core._tensor import Tensor


def _parts(make: Any) -> list[Any]:
    return [(make(5, 3), (1, 4)), (make(2, 5), (2, 0, 3), -1)]


def _even(make: Any) -> list[Any]:
    return [(make(5, 3), 2), (make(2, 7), 3, 1)]


@composite(movement(samples=_parts), outputs=0)
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """Parts of given sizes along a dimension; views, as a tuple."""
    sizes = wholes("split_sizes", split_sizes)
    if any(n < 0 for n in sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(sizes)}"
        )
    check_dim(dim, input.ndim)
    return K.split(input, sizes, dim)


# PyTorch's "unsafe" parts may be written in place although they are views; here every view may.


@composite(movement(samples=_even), outputs=0)
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> Any:
    """`chunk`: parts that may be written in place."""
    return K.chunk(input, chunks, dim)


@composite(movement(samples=_even), outputs=0)
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> Any:
    """`split` into parts of one size, which may be written in place."""
    return K.split(input, split_size, dim)


@composite(movement(samples=_parts), outputs=0)
def unsafe_split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """`split_with_sizes`: parts that may be written in place."""
    return K.split_with_sizes(input, split_sizes, dim)
