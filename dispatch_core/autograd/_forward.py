"""Forward mode: the layer that computes results and their tangents from dual tensors.

The tangent of a result follows from the operator's gradient formulas: they are linear in the incoming
gradient u, so the transpose of u -> formula(u), applied to the tangents, is what is wanted, and the
engine computes it as a gradient with respect to u (J. Townsend: a new trick for calculating Jacobian
vector products, 2017). Two kinds of operators are simpler: real element-wise ones have diagonal
Jacobians, so the formula itself, with the tangent for the gradient, is the answer; views are linear,
and must be views of the tangent's memory too, so that later writes are seen in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dispatch_core._dispatcher import inplace
from dispatch_core._dispatcher.captured import check_dual
from dispatch_core._dispatcher.chains import Chain, invoke
from dispatch_core._dispatcher.compose import Below, definition
from dispatch_core._dispatcher.gradient import Gradient, Part
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dual import (
    LEVELS,
    OFF,
    ON,
    Dual,
    Level,
    become_dual,
    has_history,
    is_dual_key,
    level_of,
    make,
    root_of,
)
from dispatch_core._graph import WRITES, Node, Pick
from dispatch_core._keys import VIEW
from dispatch_core._layer import Keys, Layer
from dispatch_core._op import OPERATORS, K
from dispatch_core._state import State, Switch, is_on
from dispatch_core._subclass import as_instance
from dispatch_core._tensor import Tensor, wrap
from dispatch_core.autograd import _modes
from dispatch_core.autograd._run import grad
from dispatch_core.layers.spec import OperatorSpec, layout_of
from dispatch_core.layers.views import refresh


class ForwardMode(Layer):
    """Takes part when an argument carries a tangent."""

    name = "forward_ad"
    before = ("autograd", "device")
    after = ("promotion", "override_body")
    idle = "no argument carries a tangent"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return any(
            is_dual_key(number)
            for key in keys
            for number in (key if isinstance(key, frozenset) else (key,))
        )

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        if OFF in state:
            return Primals(op)
        if not op.traits.forward:
            return Refused(op)
        through_body = op.traits.writes or (op.gradient is None and op.traits.differentiable)
        if through_body and not op.traits.primitive and op.body:
            return definition(op, keys)
        return Jvp(op)


class Primals(Chain):
    """Computes with the primals alone, where forward mode is off."""

    __slots__ = ()

    def __init__(self, op: Op) -> None:
        self.op = op

    def call(self, *args: Any) -> Any:
        level = _innermost(args)
        return invoke(self.op, [_part(a, level, "primal") for a in args])

    def describe(self) -> list[str]:
        return ["forward mode: off, tangents are dropped"]


class Refused(Chain):
    """Raises: the result varies with the arguments, but its tangent is not known."""

    __slots__ = ()

    def __init__(self, op: Op) -> None:
        self.op = op

    def call(self, *args: Any) -> Any:
        raise NotImplementedError(
            f"Trying to use forward AD with {self.op.name} that does not support it: its derivative "
            "has not been implemented. Call it with x.detach() where it may count as constant."
        )

    def describe(self) -> list[str]:
        return ["forward mode: refused, no tangent is known"]


class Jvp(Chain):
    """Computes the result from the primals, and its tangent from the gradient formulas."""

    __slots__ = ()

    def __init__(self, op: Op) -> None:
        self.op = op

    def call(self, *args: Any) -> Any:
        op, level = self.op, _innermost(args)
        # Below the outermost level there are no dual tensors, so all may be as it is outside.
        with Switch(ON, level.number > 0):
            primals = [_part(a, level, "primal") for a in args]
            out = invoke(op, primals)
            if op.gradient is None:
                return out
            results = out if isinstance(out, tuple) else (out,)
            made = _lifted(op, args, level, primals, results)
        _note_for_backward(op, args, results)
        if op.traits.view:
            for result in made:
                _note_root(op, args, result)
        if not isinstance(out, tuple):
            return made[0]
        return type(out)(*made) if hasattr(out, "_fields") else tuple(made)

    def describe(self) -> list[str]:
        return ["forward mode: the tangent follows from the gradient formulas"]


# -- arguments and their parts -----------------------------------------------------------------------


def _flat(args: Sequence[Any]) -> Iterator[Any]:
    for a in args:
        if isinstance(a, (list, tuple)):
            yield from a
        else:
            yield a


def _innermost(args: Sequence[Any]) -> Level:
    """The innermost level among dual tensors."""
    dual: Tensor = max(_flat(args), key=level_of)
    level: Level = dual._raw.level
    return level


def _part(value: Any, level: Level, part: str) -> Any:
    """The primal or tangent of a dual argument of this level; others are constants (tangent None)."""
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return [_part(v, level, part) for v in value]
    if isinstance(value, Tensor) and value._raw.__class__ is Dual and value._raw.level is level:
        return getattr(value._raw, part)
    return value if part == "primal" else None


# -- tangents ----------------------------------------------------------------------------------------


def _lifted(
    op: Op, args: Sequence[Any], level: Level, primals: Sequence[Any], results: Sequence[Tensor]
) -> list[Tensor]:
    """The results with their tangents of one level, where they have any."""
    gradient: Gradient = op.gradient  # type: ignore[assignment]
    tangents = {at: _part(args[at], level, "tangent") for at in gradient.differentiable}
    tangents = {at: t for at, t in tangents.items() if any(v is not None for v in _flat((t,)))}
    if not tangents or not any(_is_inexact(r) for r in results):
        return list(results)
    if op.traits.view and op.tensors == (0,) and _lie_alike(primals[0], tangents[0]):
        views = invoke(op, [tangents[0], *primals[1:]])
        views = views if isinstance(views, tuple) else (views,)
        return [make(r, t, level) for r, t in zip(results, views, strict=True)]
    dtypes = {at: v.dtype for at, v in enumerate(primals) if isinstance(v, Tensor)}
    parts = [part.bound(dtypes) for part in gradient.needed(frozenset(tangents))[0]]
    saved = _saved(op, primals, results)
    found = _diagonal(op, parts, results, tangents, saved)
    if found is None:
        several = op.traits.outputs != 1
        found = _transposed(parts, primals, results, tangents, saved, several)
    found = _apart(found, tangents)
    return [r if t is None else attached(r, t, level) for r, t in zip(results, found, strict=True)]


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
    layouts = [layout_of(primals[at]) for at in op.tensors] if _asks_layout(op) else ()
    return [*primals, out, *shapes, *layouts]


def _asks_layout(op: Op) -> bool:
    gradient: Gradient = op.gradient  # type: ignore[assignment]
    return any(at >= gradient.layouts_at for part in gradient.parts for at in part.at)


def _diagonal(
    op: Op,
    parts: Sequence[Part],
    results: Sequence[Tensor],
    tangents: dict[int, Any],
    saved: Sequence[Any],
) -> Sequence[Tensor | None] | None:
    """The formulas applied to the tangents, where each result depends on its own element alone.

    None where that is not so: a complex derivative need not be symmetric, and what has not the
    shape of the result was summed.
    """
    if op.family.kind != "pointwise" or len(results) > 1 or any(len(p.targets) > 1 for p in parts):
        return None
    if any(isinstance(v, Tensor) and v.is_complex() for v in (*saved, *results)):
        return None
    shape = results[0]._raw.shape
    total = None
    for part in parts:
        tangent = tangents[part.targets[0]]
        if tangent._raw.shape != shape:
            tangent = K.expand(tangent, shape)
        value = part.call(K, tangent, saved)
        if value._raw.shape != shape:
            return None
        total = value if total is None else total + value
    return [total]


def _transposed(
    parts: Sequence[Part],
    primals: Sequence[Any],
    results: Sequence[Tensor],
    tangents: dict[int, Any],
    saved: Sequence[Any],
    several: bool,
) -> Sequence[Tensor | None]:
    """The transpose of what the formulas make of the results' gradients, applied to the tangents."""
    # Formulas are linear: the transpose of one does not depend on the seeds, but may on arguments.
    recording = is_on("grad") and any(map(has_history, _flat((*primals, *tangents.values()))))
    seeds = [_seed(r) for r in results]
    values: list[Tensor] = []
    cotangents: list[Tensor] = []
    with Switch("grad", True):
        for part in parts:
            found = part.call(K, tuple(seeds) if several else seeds[0], saved)
            for at, value in zip(
                part.targets, found if len(part.targets) > 1 else (found,), strict=True
            ):
                if at in tangents:
                    _pair(value, tangents[at], primals[at], values, cotangents)
    wanted = [s for s in seeds if s is not None]
    if values:
        found = grad(values, wanted, cotangents, create_graph=recording, materialize_grads=True)
    else:
        found = [K.zeros_like(s.detach()) for s in wanted]
    rest = iter(found)
    return [None if s is None else next(rest) for s in seeds]


def _is_inexact(result: Tensor | None) -> bool:
    """Whether a result has a tangent; None stands for one that nobody needs."""
    return result is not None and (result.dtype.is_floating_point or result.dtype.is_complex)


def _seed(result: Tensor | None) -> Tensor | None:
    if result is None or not _is_inexact(result):
        return None
    seed: Tensor = K.zeros_like(result.detach())
    return seed.requires_grad_()


def _pair(value: Any, tangent: Any, primal: Any, values: list[Tensor], given: list[Tensor]) -> None:
    """Add what a formula gives for an argument, and its tangent, where it depends on the seeds."""
    if isinstance(value, (list, tuple)):
        for each in zip(value, tangent, primal, strict=True):
            _pair(*each, values, given)
    elif value is not None and tangent is not None and value.requires_grad:
        if value.is_complex() and not tangent.is_complex():
            value = K.real(value)
        values.append(K.sum_to(value, tuple(primal.shape)))
        given.append(tangent)


# -- for the backward pass ----------------------------------------------------------------------------


def _note_for_backward(op: Op, args: Sequence[Any], results: Sequence[Any]) -> None:
    """Have the node that was recorded for the primals remember the dual arguments.

    Formulas then get dual tensors, so that gradients have tangents: forward over reverse.
    """
    for result in results:
        if result.requires_grad:
            node = result._node
            node = node.edges[0] if isinstance(node, Pick) else node
            if isinstance(node.spec, OperatorSpec) and node.spec.op is op:
                node.duals = [_snapshot(a) for a in args]
            return


def _snapshot(value: Any) -> Any:
    """A tensor as it is now: its handle may get another history or tangent later."""
    if isinstance(value, (list, tuple)):
        return [_snapshot(v) for v in value]
    if not isinstance(value, Tensor):
        return value
    raw = value._raw
    if raw.__class__ is Dual:
        return make(_snapshot(raw.primal), _snapshot(raw.tangent), raw.level)
    return wrap(raw, value._k & ~VIEW, value._node)


def _with_tangents(saved: list[Any], node: Node, spec: OperatorSpec) -> list[Any]:
    """The saved values of a node as dual tensors, while their levels last."""
    args, op = node.duals, spec.op
    if all(level_of(a) < 0 for a in _flat(args)):
        return saved
    places = op.tensors if spec.saves_out else [at for at in op.tensors if saved[at] is not None]
    for a in _flat([args[at] for at in places]):
        if isinstance(a, Tensor):
            _check_unmodified(a, node)
    for at in op.tensors:
        if saved[at] is not None:
            saved[at] = args[at]
    if spec.saves_out:
        out = saved[len(op.params)]
        # Recomputed: a result's tangent has a history that leads to this node, so holding it here
        # would be a cycle.
        again = _lifted_through(op, args, out if isinstance(out, tuple) else (out,))
        saved[len(op.params)] = tuple(again) if isinstance(out, tuple) else again[0]
    return saved


def _lifted_through(op: Op, args: Sequence[Any], results: Sequence[Tensor]) -> Sequence[Tensor]:
    """The results with their tangents of all levels; one that nobody needs is None."""
    if all(level_of(a) < 0 for a in _flat(args)):
        return results
    level = _innermost(args)
    primals = [_part(a, level, "primal") for a in args]
    return _lifted(op, args, level, primals, _lifted_through(op, primals, results))


def _check_unmodified(tensor: Tensor, node: Node) -> None:
    raw = tensor._raw
    if raw.__class__ is Dual:
        _check_unmodified(raw.primal, node)
        _check_unmodified(raw.tangent, node)
    elif WRITES.moment(tensor._backend.storage_of(raw)) > node.order:
        raise RuntimeError(
            "one of the variables needed for the tangent of a gradient has been modified by an inplace "
            f"operation: an argument of shape {list(raw.shape)} of the operation that recorded "
            f"{node.name()}, or its tangent, was written afterwards. Use the variant that is not "
            "in-place."
        )


_modes.SLOTS.with_tangents = _with_tangents


# -- memory ------------------------------------------------------------------------------------------


def _apart(found: Sequence[Tensor | None], given: dict[int, Any]) -> list[Tensor | None]:
    """Tangents in memory of their own: a formula may have passed on what it was given."""
    taken = {_storage(t) for t in _flat(tuple(given.values())) if t is not None}
    apart = []
    for t in found:
        if t is not None and _storage(t) in taken:
            t = K.clone(t)
        if t is not None:
            taken.add(_storage(t))
        apart.append(t)
    return apart


def _storage(tensor: Tensor) -> int:
    return id(tensor._backend.storage_of(tensor._raw))


def _lie_alike(a: Tensor, b: Tensor) -> bool:
    x, y = a._raw, b._raw
    if x.base is None and y.base is None and getattr(x, "strides", 0) == getattr(y, "strides", 1):
        return True  # the usual case, at a fraction of the price
    return _layout(a) == _layout(b)


def _layout(tensor: Tensor) -> tuple[tuple[int, ...], int]:
    """Strides, of dimensions where they matter, and offset."""
    strides, offset = tensor._backend.layout_of(tensor._raw)
    return tuple(s if n > 1 else 0 for s, n in zip(strides, tensor._raw.shape, strict=True)), offset


def attached(primal: Tensor, tangent: Tensor, level: Level) -> Tensor:
    """A dual tensor; the tangent gets dtype and layout of the primal, so that views fit both."""
    if tangent.dtype is not primal.dtype:
        tangent = K.cast(tangent, primal.dtype)
    if not _lie_alike(tangent, primal):
        tangent = _laid_out(tangent, primal)
    return make(primal, tangent, level)


def _laid_out(tensor: Tensor, like: Tensor) -> Tensor:
    """A copy that lies in memory as another tensor does, if there is a place for each element."""
    strides, offset = _layout(like)
    shape = tuple(like.shape)
    crowded = any(s == 0 and n > 1 for s, n in zip(strides, shape, strict=True))
    if crowded or 0 in shape or (offset == 0 and like.is_contiguous()):
        return K.clone(tensor)
    extent = offset + 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    store = K.new_zeros(tensor, (extent,))
    return K.as_strided(store, shape, strides, offset).copy_(tensor)


def _note_root(op: Op, args: Sequence[Any], result: Tensor) -> None:
    """Have a dual tensor that is a view know its root by the handle that users have."""
    raw = result._raw
    if raw.__class__ is Dual and raw.primal._k & VIEW and result is not args[0]:
        x = args[0]
        root = root_of(x)
        result._k |= VIEW
        result._base = (root, root._node, None if root is x else x._base, op, tuple(args[1:]))


def _promote(x: Tensor, level: Level) -> None:
    """Give a tensor without tangent at a level one of zeros, and the root of a view before it.

    Other views of the root follow at their next use (`layers/views.py`).
    """
    root = root_of(x)
    check_dual(x, level, "copy_")
    if level_of(root) < level.number:
        if any(each.shows(root) for each in LEVELS.get()):
            raise RuntimeError(
                "a value with a tangent is written into a tensor of which make_dual() has made a dual "
                "tensor that is still in use: one memory cannot have two tangents. Write into the dual "
                "tensor, or make it of a clone()."
            )
        # A second handle, as the root itself becomes dual.
        primal: Tensor = (
            root.as_subclass(Tensor) if level_of(root) >= 0 else as_instance(root, Tensor)
        )
        become_dual(root, attached(primal, K.zeros_like(primal), level))
    if root is not x:
        refresh(x)


def write(x: Tensor, value: Tensor) -> None:
    """Write a value into a tensor, one of them dual: primal into primal, tangent into tangent."""
    level = _innermost((x, value))
    if is_on(OFF):
        put(_part(x, level, "primal"), _part(value, level, "primal"))
        return
    if level_of(x) < level.number:
        _promote(x, level)
    put(x._raw.primal, _part(value, level, "primal"))
    tangent = _part(value, level, "tangent")
    if tangent is None:
        x._raw.tangent.zero_()
    else:
        put(x._raw.tangent, tangent)


def put(target: Tensor, value: Tensor) -> None:
    """Copy a value into a tensor."""
    OPERATORS["copy"].exposure.inplace(target, value)  # type: ignore[misc]


def _shadow(x: Tensor) -> Tensor:
    """A dual tensor with the values and histories that `x` has now, in memory of its own."""
    raw = x._raw
    return make(inplace.shadow(raw.primal), inplace.shadow(raw.tangent), raw.level)


inplace.SLOTS.write_dual = write
inplace.SLOTS.shadow_dual = _shadow
