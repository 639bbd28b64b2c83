"""Layers that merge and split dimensions."""

from __future__ import annotations

from typing import Any

from dispatch_core.nn._core import Tensor
from dispatch_core.nn.modules.module import Module


class Flatten(Module):
    """Merges the dimensions `start_dim` to `end_dim` into one: (N, C, H, W) becomes (N, C*H*W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits dimension `dim` into `unflattened_size`: (N, C*H) becomes (N, C, H).

    For tensors with named dimensions the size is a tuple of (name, length) pairs. TypeError for a
    size that is neither.
    """

    def __init__(self, dim: int | str, unflattened_size: Any) -> None:
        super().__init__()
        _check_unflattened_size(dim, unflattened_size)
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def _check_unflattened_size(dim: int | str, size: Any) -> None:
    if isinstance(dim, int):
        kind, length = "ints", int
    elif isinstance(dim, str):
        kind, length = "tuples", tuple  # type: ignore[assignment]  # either type is a test
    else:
        raise TypeError(f"dim must be an int or a str, got {type(dim).__name__}")
    if not isinstance(size, tuple | list):
        raise TypeError(
            f"unflattened_size must be a tuple of {kind}, but found type {type(size).__name__}"
        )
    for i, element in enumerate(size):
        if not isinstance(element, length):
            raise TypeError(
                f"unflattened_size must be tuple of {kind}, but found element of type "
                f"{type(element).__name__} at pos {i}"
            )
