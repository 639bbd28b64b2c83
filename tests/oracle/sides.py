"""The two libraries, each behind the same few functions."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from types import ModuleType
from typing import Any

import numpy as np

from tests.oracle.calls import Array, Call, Named


@dataclass(frozen=True)
class Side:
    """One library; PyTorch's names are the ones that it is asked for."""

    library: ModuleType

    def get(self, path: str) -> Any:
        """What stands under a dotted path."""
        return _get(self.library, path)

    def function(self, path: str) -> Callable[..., Any]:
        """The function, the method as a function, or one that reads the property."""
        found = self.get(path)
        if path.startswith("Tensor.") and (inspect.isdatadescriptor(found) or not callable(found)):
            return attrgetter(path.removeprefix("Tensor."))
        return found

    def tensor(self, array: Array) -> Any:
        """The tensor that an array stands for."""
        values = array.values
        made = _LAYOUTS[array.layout](self.library, values)
        if array.dtype == "bfloat16":
            made = _LAYOUTS[array.layout](self.library, values).to(self.library.bfloat16)
        return made

    def leaf(self, value: Any) -> Any:
        """An argument as the library takes it."""
        if isinstance(value, Array):
            return self.tensor(value)
        if isinstance(value, Named):
            return self.get(value.path)
        return value

    def call(self, function: Callable[..., Any], arguments: Call) -> Any:
        """Call a function with arguments, the generator reset."""
        made = arguments.map(self.leaf)
        return self.run(lambda: function(*made.args, **made.kwargs))

    def run(self, function: Callable[[], Any]) -> Any:
        """Call a function, the generator reset, warnings silent."""
        self.library.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function()

    def is_tensor(self, value: Any) -> bool:
        """Whether a value is a tensor of this library."""
        return isinstance(value, self.library.Tensor)

    def tensors(self, value: Any) -> list[Any]:
        """All tensors in nested sequences."""
        if self.is_tensor(value):
            return [value]
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [t for v in value for t in self.tensors(v)]
        return []

    def dtype(self, tensor: Any) -> str:
        """The name of a tensor's dtype."""
        return str(tensor.dtype).rpartition(".")[2]

    def differentiable(self, tensor: Any) -> bool:
        """Whether the dtype can have gradients."""
        return tensor.dtype.is_floating_point or tensor.dtype.is_complex

    def numpy(self, tensor: Any) -> np.ndarray:
        """The elements; bfloat16 as float32."""
        tensor = tensor.detach().clone().resolve_conj().resolve_neg()
        if self.dtype(tensor) == "bfloat16":
            tensor = tensor.to(self.library.float32)
        return tensor.numpy()


@cache
def _get(library: ModuleType, path: str) -> Any:
    return attrgetter(path)(library)


def _contiguous(library: ModuleType, values: np.ndarray) -> Any:
    return _own(library, values).view(values.shape)


def _transposed(library: ModuleType, values: np.ndarray) -> Any:
    return _own(library, values.T).view(values.shape[::-1]).permute(*reversed(range(values.ndim)))


def _strided(library: ModuleType, values: np.ndarray) -> Any:
    if not values.ndim:
        return _own(library, np.array([values, values]))[1]
    spaced = np.repeat(values, 2, axis=-1)
    return _own(library, spaced).view(spaced.shape)[..., 1::2]


def _own(library: ModuleType, values: np.ndarray) -> Any:
    """The elements in a row, in memory that the library can resize."""
    return library.from_numpy(np.array(values, order="C").reshape(-1)).clone()


_LAYOUTS = {"contiguous": _contiguous, "transposed": _transposed, "strided": _strided}
