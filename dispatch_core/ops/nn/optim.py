"""The steps of the optimizers as operators: one each for the formulas in `_steps`.

What holds for all of them:

* Lists come first: parameters, gradients, then the state. They have one length; all their tensors
  are real, of one dtype and on one device; row `i` of each belongs together.
* A list that the options leave without a purpose is None (`momentum_buffers` without momentum).
* Gradients are read, parameters and state are written, by kernels and bodies alike.
* Numbers follow by name: first the lists of those that each row has of its own (`steps` counts from
  1), then hyper-parameters. (A body also takes 0-d tensors for them, which is how
  `differentiable=True` and `capturable=True` call it; a kernel never sees those, nor the argument
  `differentiable`.)
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._dispatcher.signature import REQUIRED, Parameter
from dispatch_core._dtypes import finfo
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import K, composite
from dispatch_core._steps import FORMULAS, Formula
from dispatch_core._tensor import Tensor

_LIST = "Sequence[Tensor]"


class _Operators:
    """The operators as an array module."""

    finfo = finfo

    def __getattr__(self, name: str) -> Any:
        return getattr(K, name)


class _Value:
    """A tensor without operators that work in place: `x += y` makes a new value.

    What autograd has recorded may not be overwritten, which formulas do with what they are given.
    """

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.tensor, name)
        return _Value(found) if isinstance(found, Tensor) else found


def _plain(value: Any) -> Any:
    return value.tensor if isinstance(value, _Value) else value


def _lifted(function: Callable[..., Any]) -> Callable[..., _Value]:
    """A function of tensors as one of values."""
    return lambda *args: _Value(function(*map(_plain, args)))


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: function(b, a)


for _name in ("neg", "abs", "lt", "gt", "getitem"):
    setattr(_Value, f"__{_name}__", _lifted(getattr(operator, _name)))
for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    _function = getattr(operator, _name)
    setattr(_Value, f"__{_name}__", _lifted(_function))
    setattr(_Value, f"__r{_name}__", _lifted(_swapped(_function)))


class _ValueOperators(_Operators):
    """The same for values."""

    def __getattr__(self, name: str) -> Any:
        return _lifted(getattr(K, name))


_IN_PLACE, _PURE = _Operators(), _ValueOperators()


def _declare(formula: Formula) -> None:
    """Makes the operator of a formula."""
    lists = ("params", "grads", *(f"{name}s" for name in formula.state))
    rows = tuple(f"{name}s" for name in formula.rows)

    def step(*columns: Any, differentiable: bool = False, **numbers: Any) -> None:
        filled = (*columns, *(None,) * (len(lists) - len(columns)))
        own = [numbers.pop(name) for name in rows]
        for i in range(len(columns[0])):
            row = [column and column[i] for column in filled]
            given = dict(zip(formula.rows, [values[i] for values in own], strict=True))
            _apply(formula, row, {**given, **numbers}, differentiable)

    parameters = [Parameter(name, _LIST, REQUIRED, False) for name in lists]
    for i, name in enumerate(formula.state, 2):
        if name in formula.optional:
            parameters[i] = Parameter(lists[i], f"{_LIST} | None", None, False)
    parameters += [Parameter(name, "Sequence[Any]", REQUIRED, True) for name in rows]
    parameters += [Parameter(name, "Any", REQUIRED, True) for name in formula.hyper]
    parameters.append(Parameter("differentiable", "bool", False, True))
    step.__name__ = step.__qualname__ = formula.name
    step.__module__ = __name__
    step.__doc__ = formula.function.__doc__
    step.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": "None"}
    step.declared_parameters = {p.name: p for p in parameters}  # type: ignore[attr-defined]
    composite(
        custom(FLOATING),
        grad=NOT_DIFFERENTIABLE,
        namespace="_",
        writes=("params", *lists[2:]),
        handled=("differentiable",),
        outputs=0,
    )(step)


def _apply(
    formula: Formula, row: list[Tensor | None], numbers: dict[str, Any], differentiable: bool
) -> None:
    """One row's new values, written into its tensors.

    What they are computed from is overwritten then, so autograd has copies of its own.
    """
    if differentiable:
        given = [x if x is None else _Value(x.clone()) for x in row]
        results = map(_plain, formula.function(_PURE, *given, **numbers))
    else:
        results = iter(formula.function(_IN_PLACE, *row, **numbers))
    for target, result in zip((row[0], *row[2:]), results, strict=True):
        if target is not None and target is not result:
            target.copy_(result)


for _formula in FORMULAS.values():
    _declare(_formula)


@composite(
    custom(FLOATING),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
    writes=("counters",),
    outputs=0,
)
def count_(counters: Sequence[Tensor]) -> None:
    """Adds one to each element of many tensors, most of which have one."""
    for counter in counters:
        counter += 1


@composite(
    custom(
        FLOATING,
        samples=lambda make: [([make(2, 3), make(4), make()],), ([make(0, 2), make(3, 1, 2)],)],
    ),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
)
def flatten_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """A vector of all elements of tensors of one dtype and device, one tensor after the other."""
    return K.cat([K.reshape(t, (-1,)) for t in tensors])


@composite(
    custom(FLOATING),
    grad=NOT_DIFFERENTIABLE,
    namespace="_",
    writes=("tensors",),
    outputs=0,
)
def unflatten_tensors_(tensors: Sequence[Tensor], values: Tensor) -> None:
    """Overwrites tensors, one after the other, with the elements of a vector of as many."""
    begin = 0
    for t in tensors:
        t.copy_(K.reshape(K.narrow(values, 0, begin, t.numel()), t.shape))
        begin += t.numel()
