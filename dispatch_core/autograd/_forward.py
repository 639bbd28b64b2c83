"""Forward mode: tensors that carry a tangent, and the layer that computes tangents of results.

A dual tensor's key has the flag of its level, and its `_raw` is a `Dual` of two ordinary tensors, so other
calls never test for it. The tangent of a result follows from the operator's gradient formulas: they are
linear in the incoming gradient u, so the transpose of u -> formula(u), applied to the tangents, is what
is wanted, and the engine computes it as a gradient with respect to u (J. Townsend: a new trick for
calculating Jacobian vector products, 2017). Real element-wise operators have diagonal Jacobians: the
formula itself, with the tangent for the gradient, is the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatch_core._dispatcher.chains import Body, Chain, invoke
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._keys import FIRST_TENSOR_KEY, KEYS, key_number, tensor_key
from dispatch_core._layer import Keys, Layer
from dispatch_core._op import K
from dispatch_core._state import State, Switch
from dispatch_core._tensor import Tensor, wrap
from dispatch_core.autograd._run import grad

_FLAG = "dual"


class Dual:
    """What stands in `_raw` of a dual tensor."""

    __slots__ = ("__weakref__", "level", "primal", "tangent")

    base = None

    def __init__(self, primal: Tensor, tangent: Tensor, level: int) -> None:
        self.primal = primal
        self.tangent = tangent
        self.level = level

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the primal."""
        return self.primal._raw.shape


def flag_of(level: int) -> str:
    """The key flag of a level."""
    return f"{_FLAG}{level}"


def make(primal: Tensor, tangent: Tensor, level: int) -> Tensor:
    """A dual tensor of a level."""
    key = tensor_key(primal._k)
    flags = key.flags | {flag_of(level)}
    return wrap(Dual(primal, tangent, level), key_number(key.device, key.dtype, flags))


def level_of(value: Any) -> int:
    """The level of a dual tensor; 0 for anything else."""
    if isinstance(value, Tensor) and isinstance(value._raw, Dual):
        return value._raw.level
    return 0


class ForwardMode(Layer):
    """Takes part when an argument carries a tangent."""

    name = "forward_ad"
    before = ("views", "devices", "promotion", "autograd", "device")

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return any(_is_dual(number) for number in keys)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        if op.gradient is None and op.traits.differentiable and not op.traits.primitive and op.body:
            return Body(op, op.body)
        return Jvp(op)


def _is_dual(number: Any) -> bool:
    if isinstance(number, frozenset):
        return any(_is_dual(n) for n in number)
    key = KEYS[number] if number >= FIRST_TENSOR_KEY else None
    return key is not None and any(flag.startswith(_FLAG) for flag in key.flags)


class Jvp(Chain):
    """Computes the result from the primals, and its tangent from the gradient formulas."""

    __slots__ = ()

    def __init__(self, op: Op) -> None:
        self.op = op

    def call(self, *args: Any) -> Any:
        level = max(level_of(a) for a in _flat(args))
        primals = [_part(a, level, "primal") for a in args]
        out = invoke(self.op, primals)
        gradient = self.op.gradient
        if gradient is None:
            return out
        tangents = {
            at: _part(args[at], level, "tangent")
            for at in gradient.differentiable
            if any(level_of(a) == level for a in _flat((args[at],)))
        }
        if not tangents:
            return out
        results = out if isinstance(out, tuple) else (out,)
        found = _tangents(self.op, primals, results, tangents)
        made = [r if t is None else make(r, t, level) for r, t in zip(results, found, strict=True)]
        if not isinstance(out, tuple):
            return made[0]
        return type(out)(*made) if hasattr(out, "_fields") else tuple(made)

    def describe(self) -> list[str]:
        return ["forward mode: the tangent follows from the gradient formulas"]


def _flat(args: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for a in args:
        found += a if isinstance(a, (list, tuple)) else [a]
    return found


def _part(value: Any, level: int, part: str) -> Any:
    """The primal or tangent of a dual argument of this level; others are constants (tangent None)."""
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return [_part(v, level, part) for v in value]
    if level_of(value) == level:
        return getattr(value._raw, part)
    return value if part == "primal" else None


def _saved(op: Op, primals: Sequence[Any], results: Sequence[Tensor]) -> list[Any]:
    """What a node would have saved, in the layout of `Gradient`."""
    out = results[0] if op.traits.outputs == 1 else tuple(results)
    shapes: list[Any] = []
    for at in op.tensors:
        value = primals[at]
        if isinstance(value, (list, tuple)):
            shapes.append([tuple(v.shape) for v in value])
        else:
            shapes.append(tuple(value.shape) if isinstance(value, Tensor) else None)
    return [*primals, out, *shapes]


def _tangents(
    op: Op, primals: Sequence[Any], results: Sequence[Tensor], tangents: dict[int, Any]
) -> list[Tensor | None]:
    gradient = op.gradient
    parts, _ = gradient.needed(frozenset(tangents))  # type: ignore[union-attr]
    saved = _saved(op, primals, results)
    inexact = [r.dtype.is_floating_point or r.dtype.is_complex for r in results]
    if (
        op.family.kind == "pointwise"
        and op.traits.outputs == 1
        and not _any_complex(primals, results)
    ):
        total = None
        for part in parts:
            at = part.targets[0]
            t = K.expand(tangents[at], tuple(results[0].shape))
            value = part.call(K, t, saved)
            total = value if total is None else total + value
        return [total]
    with Switch("grad", True):
        seeds = [
            K.zeros_like(r).requires_grad_() if yes else None
            for r, yes in zip(results, inexact, strict=True)
        ]
        g = seeds[0] if op.traits.outputs == 1 else tuple(seeds)
        total = None
        for part in parts:
            values = part.call(K, g, saved)
            for at, value in zip(
                part.targets, values if len(part.targets) > 1 else (values,), strict=True
            ):
                if at in tangents:
                    total = _add_product(total, value, tangents[at], primals[at])
    if total is None:
        return [None] * len(results)
    wanted = [s for s in seeds if s is not None]
    found = iter(_transposed(total, wanted))
    return [None if s is None else next(found) for s in seeds]


def _transposed(total: Tensor, seeds: list[Tensor]) -> list[Any]:
    """The gradient of a linear function of the seeds; of a dual one (nested levels), part by part."""
    raw = total._raw
    if isinstance(raw, Dual):
        primal, tangent = (_transposed(part, seeds) for part in (raw.primal, raw.tangent))
        return [make(p, t, raw.level) for p, t in zip(primal, tangent, strict=True)]
    if not total.requires_grad:
        return [K.zeros_like(seed.detach()) for seed in seeds]
    return list(grad(total, seeds, create_graph=True, materialize_grads=True))


def _add_product(total: Any, value: Any, tangent: Any, primal: Any) -> Any:
    """Total + the real inner product of a formula's value with a tangent (of lists: of their items)."""
    if isinstance(value, (list, tuple)):
        for v, t, p in zip(value, tangent, primal, strict=True):
            total = total if t is None else _add_product(total, v, t, p)
        return total
    if value is None or tangent is None:
        return total
    value = K.sum_to(value, tuple(primal.shape))
    product = K.conj(value) * tangent
    if product.is_complex():
        product = K.real(product)
    product = K.sum(product)
    return product if total is None else total + product


def _any_complex(primals: Sequence[Any], results: Sequence[Tensor]) -> bool:
    return any(isinstance(v, Tensor) and v.is_complex() for v in (*_flat(primals), *results))
