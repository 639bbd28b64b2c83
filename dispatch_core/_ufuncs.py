"""Tensors among numpy's own functions: `array + x`, `array == x`, `np.exp(x)`, `np.add.reduce(x)`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from dispatch_core._construct import on_array, tensor
from dispatch_core._tensor import Tensor

_OPERATORS: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.bitwise_and: operator.and_,
    np.bitwise_or: operator.or_,
    np.bitwise_xor: operator.xor,
    np.equal: operator.eq,
    np.floor_divide: operator.floordiv,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.left_shift: operator.lshift,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.matmul: operator.matmul,
    np.multiply: operator.mul,
    np.not_equal: operator.ne,
    np.power: operator.pow,
    np.remainder: operator.mod,
    np.right_shift: operator.rshift,
    np.subtract: operator.sub,
    np.true_divide: operator.truediv,
}
"""What numpy's functions behind Python's operators are among tensors."""


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """The hook of numpy's functions of elements: an operator of tensors, or numpy's own on the host.

    Python's operators between an array and a tensor copy the array to the tensor's device and are
    recorded for gradients. Everything else gets the tensors as arrays, so they must lie on the host and
    not require a gradient; results are tensors, except where they were written into an array with `out=`.

    Raises:
        TypeError: an operand is neither a number, an array nor a tensor.

    """
    operate = _OPERATORS.get(ufunc)
    if operate is not None and method == "__call__" and not options:
        return operate(*(_operand(value, self) for value in inputs))
    out = options.get("out", ())
    if out:
        options["out"] = tuple(_array(each) for each in out)
    found = getattr(ufunc, method)(*(_array(value) for value in inputs), **options)
    if out:
        return out if isinstance(found, tuple) else out[0]
    return tuple(map(_result, found)) if isinstance(found, tuple) else _result(found)


def _operand(value: Any, beside: Tensor) -> Any:
    if isinstance(value, np.ndarray):
        return tensor(value, device=beside.device)
    if isinstance(value, np.generic):  # some of them are Python's numbers too
        return value.item()
    if isinstance(value, (Tensor, bool, int, float, complex)):
        return value
    raise TypeError(
        f"expected a number, an array or a tensor beside a tensor, got {type(value).__name__}"
    )


def _array(value: Any) -> Any:
    return value.numpy() if isinstance(value, Tensor) else value


def _result(value: Any) -> Any:
    return None if value is None else on_array(np.asarray(value))
