"""All that data loading needs of the framework below it; no other module here imports from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch_core._caller import warn
from dispatch_core._construct import as_tensor, from_numpy, tensor
from dispatch_core._dtypes import float64, int64
from dispatch_core._errors import UnpicklableError
from dispatch_core._keys import tensor_key
from dispatch_core._random import Generator, KeyedDefaults, default_generator, manual_seed
from dispatch_core._tensor import Tensor
from dispatch_core.ops import multinomial, randint, randperm, stack

__all__ = [
    "Generator",
    "KeyedDefaults",
    "Tensor",
    "UnpicklableError",
    "as_tensor",
    "default_generator",
    "draw_seed",
    "float64",
    "from_numpy",
    "host_array",
    "int64",
    "manual_seed",
    "multinomial",
    "randint",
    "randperm",
    "stack",
    "tensor",
    "warn",
]

_LARGEST = 2**63 - 1


def draw_seed(generator: Generator | None) -> int:
    """A random number for the seed of another generator, from `generator` or the default one."""
    return int(randint(0, _LARGEST, (), dtype=int64, generator=generator).item())


def host_array(value: Any) -> np.ndarray[Any, Any] | None:
    """The memory of a tensor that is nothing but values on the host; None for any other."""
    if type(value) is not Tensor or type(value._raw) is not np.ndarray:
        return None
    if value.requires_grad or value.__dict__:
        return None
    key = tensor_key(value._k)
    return value._raw if key.device == "cpu" and not key.flags else None
