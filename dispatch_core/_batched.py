"""Batched tensors: handles that stand for one example of a tensor whose first dimension counts them.

The key of such a tensor has the flag `batched` and its `_raw` is a `Batched`, so other calls never test
for it. What it is asked of its shape is that of one example; its backend answers from the tensor within.
"""

from __future__ import annotations

from typing import Any

from dispatch_core._dual import INSIDE
from dispatch_core._errors import ValuesError
from dispatch_core._graph import Raw
from dispatch_core._keys import key_number, tensor_key
from dispatch_core._op import K
from dispatch_core._tensor import Tensor, wrap
from dispatch_core.backend.api import Backend
from dispatch_core.backend.registry import PROXIES

FLAG = "batched"


class Batched:
    """What stands in `_raw` of a batched tensor."""

    __slots__ = ("__weakref__", "level", "tensor")

    base = None

    def __init__(self, tensor: Tensor, level: int) -> None:
        self.tensor = tensor
        self.level = level

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(self.tensor._raw.shape[1:])


def batched(tensor: Tensor, level: int) -> Tensor:
    """The handle of one example of a tensor, over its first dimension."""
    key = tensor_key(tensor._k)
    return wrap(Batched(tensor, level), key_number(key.device, key.dtype, _FLAGS))


def level_of(value: Any) -> int:
    """The level of a batched tensor; 0 for anything else."""
    return level_of_raw(value._raw) if isinstance(value, Tensor) else 0


def level_of_raw(raw: Raw) -> int:
    """The level of what stands in a tensor; 0 for an array of a backend."""
    return raw.level if raw.__class__ is Batched else 0


_FLAGS = frozenset({FLAG})


INSIDE[Batched] = lambda raw: (raw.tensor,)


class BatchedBackend:
    """A backend as batched tensors see it; arrays of its own may stand among them (unbatched values)."""

    raw_operators: frozenset[Any] = frozenset()

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.device = backend.device
        self.array = (Batched, backend.array)
        self.kernels = backend.kernels

    def to_host(self, raw: Raw) -> Any:
        """Raise: one example has no values of its own."""
        raise ValuesError(NO_VALUES)

    def write(self, target: Raw, source: Raw) -> None:
        """Copy into the tensor within, one example into each."""
        if level_of_raw(source) > level_of_raw(target):
            raise ValuesError(NO_WRITE)
        same = level_of_raw(source) == level_of_raw(target)
        target.tensor.copy_(source.tensor if same else wrap(source, self.key_of(source)))

    def copy(self, raw: Raw) -> Raw:
        """A copy of the tensor within."""
        if raw.__class__ is Batched:
            return Batched(K.clone(raw.tensor), raw.level)
        return self._backend.copy(raw)

    def dtype_of(self, raw: Raw) -> Any:
        """The dtype of the elements."""
        return raw.tensor.dtype if raw.__class__ is Batched else self._backend.dtype_of(raw)

    def key_of(self, raw: Raw) -> int:
        """The key of a tensor around the array."""
        if raw.__class__ is Batched:
            return key_number(self.device, raw.tensor.dtype, _FLAGS)
        return self._backend.key_of(raw)

    def index_of(self, raw: Raw) -> int | None:
        """The number of the device that holds the elements."""
        backend, inner = self._within(raw)
        return backend.index_of(inner)

    def storage_of(self, raw: Raw) -> object:
        """The memory of the elements."""
        backend, inner = self._within(raw)
        return backend.storage_of(inner)

    def layout_of(self, raw: Raw) -> tuple[tuple[int, ...], int]:
        """Strides and offset of the first example."""
        backend, inner = self._within(raw)
        strides, offset = backend.layout_of(inner)
        return strides[raw.__class__ is Batched :], offset

    def as_array(self, result: Any) -> Raw:
        """What operators on batched tensors return is an array already."""
        return result

    def _within(self, raw: Raw) -> tuple[Backend, Raw]:
        if raw.__class__ is Batched:
            return raw.tensor._backend, raw.tensor._raw
        return self._backend, raw


NO_VALUES = (
    "vmap: a batched tensor stands for all examples at once, so its values cannot be read (by .item(), "
    ".tolist(), .numpy(), bool(...) or printing) inside the mapped function; return the tensor, or choose "
    "between values with where()"
)
NO_WRITE = (
    "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor in "
    "extra_args that is batched where self is not: one memory cannot take the results of all "
    "examples. Use the out-of-place operator (x + y instead of x += y), or give `self` through in_dims"
)

PROXIES[FLAG] = BatchedBackend
