"""The vmap layer: computes an operator on all examples of batched tensors in one call.

It stands below autograd, so a gradient taken inside the mapped function is recorded on batched tensors;
one taken outside is recorded by the calls that the rules make.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._batched import FLAG, NO_VALUES, batched, level_of
from dispatch_core._dispatcher.chains import Body, Chain, invoke
from dispatch_core._dispatcher.compose import Below, definition
from dispatch_core._dispatcher.operator import Op
from dispatch_core._errors import ValuesError
from dispatch_core._keys import VIEW, flags_of
from dispatch_core._layer import Keys, Layer
from dispatch_core._op import K
from dispatch_core._state import State
from dispatch_core._tensor import Tensor
from dispatch_core.layers.batching import RULES

BODY = "body"
"""The rule of composites whose body writes into what it is given."""


class Vmap(Layer):
    """Takes part when an argument is batched."""

    name = "vmap"
    before = ("device",)
    after = ("autograd", "override")
    idle = "no argument is batched"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return FLAG in flags_of(keys)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        rule = op.traits.batch
        own = op.traits.primitive or _has_family_rule(op)
        if rule is None and own and not op.traits.random:
            rule = op.family.batching
        if rule == BODY:
            return AllBatched(op, definition(op, keys))
        if rule is None and op.body is not None and not op.traits.primitive:
            body = definition(op, keys)
            once = op.traits.varying or op.traits.random
            return body if once else WithoutValues(op, body)
        return Mapped(op, rule)


def _has_family_rule(op: Op) -> bool:
    """Element-wise composites of one tensor follow the family's rule: one call instead of the body's."""
    return op.family.kind == "pointwise" and op.tensors == (0,) and not op.has_list


class Mapped(Chain):
    """Takes the tensors out of the innermost batched arguments, applies the rule, and wraps the results."""

    __slots__ = ("is_view", "name", "rule")

    reads_history = False

    def __init__(self, op: Op, rule: str | Callable[..., Any] | None) -> None:
        self.op = op
        self.is_view = bool(op.traits.view)
        if rule is None:
            self.rule: Callable[..., Any] = one_by_one
            self.name = "example by example"
        elif isinstance(rule, str):
            self.rule = RULES[rule]
            self.name = f"rule '{rule}'"
        else:
            self.rule = lambda op, size, marks, args: rule(size, marks, *args)
            self.name = f"rule of its own, {rule.__name__}"

    def call(self, *args: Any) -> Any:
        level = max(level_of(a) for a in _flat(args))
        size = next(a._raw.tensor.shape[0] for a in _flat(args) if level_of(a) == level)
        marks, inner = [], []
        for a in args:
            mark, value = _taken_out(a, level, size)
            marks.append(mark)
            inner.append(value)
        results = self.rule(self.op, size, marks, inner)
        if isinstance(results, Tensor):
            return (
                self._view(args, batched(results, level))
                if self.is_view
                else batched(results, level)
            )
        made = [batched(r, level) for r in results]
        return type(results)(*made) if hasattr(results, "_fields") else tuple(made)

    def _view(self, args: Sequence[Any], result: Tensor) -> Tensor:
        """A view's handle remembers what it is a view of, as those of arrays do."""
        x = args[0]
        backend = x._backend
        if backend.storage_of(result._raw) is not backend.storage_of(x._raw):
            return result
        result._k |= VIEW
        params = tuple(args[1:])
        if x._k & VIEW:
            root = x._base[0]
            result._base = (root, root._node, x._base, self.op, params)
        else:
            result._base = (x, x._node, None, self.op, params)
        return result

    def describe(self) -> list[str]:
        return [f"vmap: all examples at once, by {self.name}"]


class WithoutValues(Chain):
    """Runs a body on all examples at once, or, where it reads values, on one after the other."""

    __slots__ = ("body", "each")

    def __init__(self, op: Op, body: Body) -> None:
        self.op = op
        self.body = body
        self.each = Mapped(op, None)

    def call(self, *args: Any) -> Any:
        try:
            return self.body.call(*args)
        except ValuesError:
            return self.each.call(*args)

    def describe(self) -> list[str]:
        return self.body.describe()


class AllBatched(Chain):
    """Runs a body that writes into its arguments: each example needs its own of each."""

    __slots__ = ("body",)

    def __init__(self, op: Op, body: Body) -> None:
        self.op = op
        self.body = body

    def call(self, *args: Any) -> Any:
        level = max(level_of(a) for a in _flat(args))
        size = next(a._raw.tensor.shape[0] for a in _flat(args) if level_of(a) == level)
        return self.body.call(*[_repeated(a, level, size) for a in args])

    def describe(self) -> list[str]:
        return self.body.describe()


def _repeated(value: Any, level: int, size: int) -> Any:
    if not isinstance(value, Tensor) or level_of(value) == level:
        return value
    return batched(K.expand(value, (size, *value.shape)), level)


def _flat(args: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for a in args:
        found += a if isinstance(a, (list, tuple)) else [a]
    return found


def _taken_out(value: Any, level: int, size: int) -> tuple[bool, Any]:
    """Whether an argument is batched at this level, and the tensor (or list of them) within."""
    if isinstance(value, (list, tuple)) and any(level_of(v) == level for v in value):
        return True, [
            v._raw.tensor if level_of(v) == level else K.expand(v, (size, *v.shape)) for v in value
        ]
    if level_of(value) == level:
        return True, value._raw.tensor
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Tensor):
        return True, [K.expand(v, (size, *v.shape)) for v in value]
    return False, value


_warned: set[str] = set()


def one_by_one(op: Op, size: int, marks: Sequence[bool], args: list[Any]) -> Any:
    """Where there is no rule: a call for each example, and one warning for each operator."""
    if op.name not in _warned:
        _warned.add(op.name)
        warnings.warn(
            f"vmap: '{op.name}' has no batching rule and is called once for each example, which is "
            "slow; declare it with batch=, or as a composite of operators that have one",
            UserWarning,
            stacklevel=2,
        )
    if not size:
        raise RuntimeError(
            f"vmap: '{op.name}' has no batching rule, and without an example nothing says the shape "
            "of its result"
        )
    results = [
        invoke(op, [_example(a, i) if m else a for m, a in zip(marks, args, strict=True)])
        for i in range(size)
    ]
    if not isinstance(results[0], (Tensor, tuple, list)):
        raise ValuesError(NO_VALUES)
    for r in results[1:]:
        if _shapes(r) != _shapes(results[0]):
            raise ValuesError(
                f"vmap: '{op.name}' gives results of different shapes for different examples, "
                f"{_shapes(results[0])} and {_shapes(r)}; map in a loop"
            )
    if isinstance(results[0], Tensor):
        return K.stack(results, 0)
    columns = [K.stack(column, 0) for column in zip(*results, strict=True)]
    kind = type(results[0])
    return kind(*columns) if hasattr(results[0], "_fields") else tuple(columns)


def _shapes(result: Any) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in (result if isinstance(result, (tuple, list)) else [result])]


def _example(value: Any, index: int) -> Any:
    return [v[index] for v in value] if isinstance(value, list) else value[index]
