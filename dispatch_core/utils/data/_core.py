"""All that data loading needs of the framework below it; no other module here imports from it."""

from __future__ import annotations

from dispatch_core._construct import as_tensor, tensor
from dispatch_core._dtypes import float64, int64
from dispatch_core._random import Generator, default_generator
from dispatch_core._tensor import Tensor
from dispatch_core.ops import multinomial, randint, randperm, stack

__all__ = [
    "Generator",
    "Tensor",
    "as_tensor",
    "default_generator",
    "draw_seed",
    "float64",
    "multinomial",
    "randint",
    "randperm",
    "stack",
    "tensor",
]

_LARGEST = 2**63 - 1


def draw_seed(generator: Generator | None) -> int:
    """A random number for the seed of another generator, from `generator` or the default one."""
    return int(randint(0, _LARGEST, (), dtype=int64, generator=generator).item())
