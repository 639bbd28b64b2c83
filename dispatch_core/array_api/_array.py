"""`Array`: a Tensor whose Python operators and brackets follow the standard where PyTorch differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._dtypes import bool_
from dispatch_core._front import plain_operand
from dispatch_core._indexing import getitem, setitem
from dispatch_core._op import K
from dispatch_core._subclass import as_instance
from dispatch_core._tensor import Tensor


class Array(Tensor):
    """What the functions of the standard return: a tensor in everything but two rules.

    Its operators promote as the standard says (an array without dimensions counts like any other,
    unsigned integers promote), and its slices may have a negative step. Both contradict PyTorch, whose
    rules plain tensors keep.
    """

    __slots__ = ()
    __dispatch_function__ = None

    def __getitem__(self, key: Any) -> Any:
        return marked(self._selected(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        key, flipped = _forward_steps(self, key)
        if flipped and isinstance(value, Tensor) and value.ndim:
            shape = self._selected(key).shape
            value = K.flip(K.broadcast_to(value, shape), _after(flipped, len(shape)))
        setitem(self, key, value)

    def _selected(self, key: Any) -> Tensor:
        if isinstance(key, Tensor) and key.dtype is bool_ and 0 in key.shape:
            key = _empty_mask(self, key)
        key, flipped = _forward_steps(self, key)
        found = getitem(self, key)
        return K.flip(found, _after(flipped, found.ndim)) if flipped else found


def _empty_mask(x: Tensor, mask: Tensor) -> Tensor:
    """A mask without elements, which the standard allows for any size, in the shape of what it masks."""
    shape = tuple(x.shape[: mask.ndim])
    if len(shape) < mask.ndim or any(
        m not in (0, n) for m, n in zip(mask.shape, shape, strict=True)
    ):
        return mask
    return K.full(shape, False, dtype=bool_, device=x.device)


def _after(flipped: list[int], ndim: int) -> tuple[int, ...]:
    return tuple(d for d in flipped if d < ndim)


def _forward_steps(x: Tensor, key: Any) -> tuple[Any, list[int]]:
    """A key whose slices all step forward, and the dimensions of the result that run backward."""
    items = key if isinstance(key, tuple) else (key,)
    if not any(
        isinstance(i, slice) and i.step is not None and i.step.__index__() < 0 for i in items
    ):
        return key, []
    consumed = sum(i is not None and i is not Ellipsis for i in items)
    at = to = 0
    forward: list[Any] = []
    flipped = []
    for item in items:
        if item is Ellipsis:
            at += x.ndim - consumed
            to += x.ndim - consumed
        elif item is None:
            to += 1
        else:
            if isinstance(item, slice):
                item, backward = _forward(item, x.shape[at])
                if backward:
                    flipped.append(to)
                to += 1
            at += 1
        forward.append(item)
    return tuple(forward), flipped


def _forward(item: slice, size: int) -> tuple[slice, bool]:
    taken = range(*item.indices(size))
    if taken.step > 0:
        return item, False
    if not taken:
        return slice(0, 0), True
    return slice(taken[-1], taken[0] + 1, -taken.step), True


def marked(result: Any) -> Any:
    """A result as the standard returns it: tensors, also those in tuples, as arrays."""
    kind = result.__class__
    if kind is Tensor:
        return as_instance(result, Array)
    if isinstance(result, tuple) and not hasattr(result, "numel"):
        items = [marked(item) for item in result]
        return kind(*items) if hasattr(kind, "_fields") else tuple(items)
    return result


# -- Python operators ------------------------------------------------------------------------------------

BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
"""The function behind each Python operator of two operands."""
UNARY = {"abs": "abs", "neg": "negative", "pos": "positive", "invert": "bitwise_invert"}
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


def bind(functions: dict[str, Callable[..., Any]]) -> None:
    """Give Array its Python operators: the functions of the standard by name."""
    for operator, name in UNARY.items():
        setattr(Array, f"__{operator}__", functions[name])
    for operator, name in BINARY.items():
        _bind(operator, functions[name])
    Array.__hash__ = Tensor.__hash__  # type: ignore[method-assign]  # `__eq__` is no identity


def _bind(operator: str, function: Callable[..., Any]) -> None:
    def forward(self: Array, other: Any, /) -> Any:
        other = _operand(other)
        return NotImplemented if other is NotImplemented else function(self, other)

    def reflected(self: Array, other: Any, /) -> Any:
        other = _operand(other)
        return NotImplemented if other is NotImplemented else function(other, self)

    def inplace(self: Array, other: Any, /) -> Any:
        other = _operand(other)
        if other is NotImplemented:
            return NotImplemented
        result = function(self, other)
        if result.dtype is not self.dtype or result.shape != self.shape:
            raise TypeError(
                f"in place the result must stay {self.dtype} of shape {tuple(self.shape)}, but it "
                f"is {result.dtype} of shape {tuple(result.shape)}; write x = x {operator} y instead"
            )
        self.copy_(result)
        return self

    made = {f"__{operator}__": forward}
    if operator not in COMPARISONS:
        made |= {f"__r{operator}__": reflected, f"__i{operator}__": inplace}
    for name, method in made.items():
        method.__name__ = name
        method.__doc__ = f"See `array_api.{function.__name__}`."
        setattr(Array, name, method)


def _operand(value: Any) -> Any:
    """A tensor or a Python number, numpy's scalars among them; NotImplemented for anything else."""
    if isinstance(value, Tensor) or value.__class__ in (bool, int, float, complex):
        return value
    number = plain_operand(value)
    return NotImplemented if number is None else number
