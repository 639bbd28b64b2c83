"""`Function`: an operation whose backward the user writes."""

from __future__ import annotations

import contextvars
import functools
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core import _state
from dispatch_core._dual import level_of
from dispatch_core._graph import WRITES, Node, Pick, tick
from dispatch_core._keys import GRAD, VIEW
from dispatch_core._op import K, operator_named
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._state import Switch
from dispatch_core._tensor import Tensor, detached, wrap
from dispatch_core.layers.autograd import ANOMALY, attach, check_write, remember_line
from dispatch_core.layers.recording import pick
from dispatch_core.layers.saving import Packed, kept_array, unpacked
from dispatch_core.layers.spec import Mode

pick_of: Callable[[Node, int], Pick] = pick


class _Slots:
    """Filled by forward mode."""

    apply_dual: Callable[[type[Function], FunctionCtx, tuple[Any, ...]], Any]
    """Runs a Function some of whose arguments have tangents."""


SLOTS = _Slots()


class FunctionCtx:
    """What `forward` leaves for `backward`; an instance is passed as `ctx`."""

    _saved: tuple[Tensor | None, ...] = ()
    _saved_forward: tuple[Tensor | None, ...] | None = None
    _saved_ids: tuple[int, ...] = ()
    _dirty: tuple[Tensor, ...] = ()
    _no_grad_outputs: tuple[Tensor, ...] = ()
    _materialize = True
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `backward`, where `ctx.saved_tensors` gives them back.

        Modifying one of them in place afterwards makes `backward` raise RuntimeError.
        """
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but got {type(tensor).__name__}; "
                    "keep other values as attributes of ctx"
                )
        self._saved = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `jvp`, where `ctx.saved_tensors` gives them back."""
        self._saved_forward = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors that `save_for_backward` was given."""
        return self._give_back()

    def _give_back(self) -> tuple[Tensor | None, ...]:
        return self._saved

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which inputs `forward` wrote in place; they must be among its results."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say which results have no gradient."""
        self._no_grad_outputs = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (default) or None for results that no gradient reached."""
        self._materialize = value


def _metadata(value: Any) -> Any:
    """Shape, dtype and device of a tensor; None for anything else."""
    return (value.shape, value.dtype, value.device) if isinstance(value, Tensor) else None


_MOST_NESTED = 40
_nesting = threading.local()


def _deep(work: Callable[[], Any]) -> Any:
    """Run a `backward` that may itself go backward, and so on: every so often on a thread's fresh stack."""
    depth = getattr(_nesting, "depth", 0)
    if depth >= _MOST_NESTED:
        return _elsewhere(work)
    _nesting.depth = depth + 1
    try:
        return work()
    finally:
        _nesting.depth = depth


def _elsewhere(work: Callable[[], Any]) -> Any:
    outcome: list[Any] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.append((context.run(work), None))
        except BaseException as error:  # noqa: BLE001  raised again where it belongs
            outcome.append((None, error))

    thread = threading.Thread(target=run, name="nested backward")
    thread.start()
    thread.join()
    ((result, error),) = outcome
    if error is not None:
        raise error
    return result


class FunctionSpec:
    """The recorded form of one call of a `Function`."""

    __slots__ = ("backend", "cls", "inputs", "keeps_arrays", "name", "outputs")

    raw = False
    calls = None
    keeps: frozenset[int] = frozenset()

    def __init__(self, cls: type[Function], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        self.cls = cls
        self.name = f"{cls.__name__}Backward"
        self.inputs = [_metadata(value) for value in inputs]
        self.outputs = [_metadata(value) for value in outputs]
        self.keeps_arrays = False
        tensors = [o for o in outputs if isinstance(o, Tensor)]
        self.backend = tensors[0]._backend if tensors else None

    def output_count(self, node: Node) -> int:
        """How many results `forward` gave."""
        return len(self.outputs)

    def gradients(self, node: Node, g: Any, mode: Mode) -> tuple[Any, ...]:
        """Call the user's `backward` and check what it returns."""
        ctx: FunctionCtx = node.saved
        incoming = g if isinstance(g, tuple) else (g,)
        if ctx._materialize:
            zeros = operator_named("zeros").front
            incoming = tuple(
                zeros(m[0], dtype=m[1], device=m[2]) if v is None and m is not None else v
                for v, m in zip(incoming, self.outputs, strict=True)
            )
        returned = _deep(lambda: self.cls.backward(ctx, *incoming))
        grads = returned if isinstance(returned, tuple) else (returned,)
        inputs = len(node.edges)
        if len(grads) > inputs and all(v is None for v in grads[inputs:]):
            grads = grads[:inputs]
        if len(grads) != inputs:
            raise RuntimeError(
                f"function {self.name} returned an incorrect number of gradients (expected "
                f"{inputs}, got {len(grads)}): backward returns one for each argument of forward"
            )
        return tuple(
            None if value is None or edge is None else self._fitting(index, value)
            for index, (value, edge) in enumerate(zip(grads, node.edges, strict=True))
        )

    def _fitting(self, index: int, value: Any) -> Tensor:
        """A gradient in the shape and dtype of the argument that it belongs to."""
        if not isinstance(value, Tensor):
            raise TypeError(
                f"function {self.name} returned a gradient of type {type(value).__name__} at "
                f"index {index}, but expected a Tensor or None"
            )
        shape, dtype, device = self.inputs[index]
        if value.device.type != device.type:
            raise RuntimeError(
                f"Function {self.name} returned an invalid gradient at index {index} - expected device "
                f"{device} but got {value.device}"
            )
        if value.shape != shape:
            try:
                fits = broadcast_shapes(shape, value.shape) == value.shape
            except RuntimeError:
                fits = False
            if not fits:
                raise RuntimeError(
                    f"Function {self.name} returned an invalid gradient at index {index} - got "
                    f"{list(value.shape)} but expected shape compatible with {list(shape)}"
                )
            value = K.sum_to(value, tuple(shape))
        if value.dtype is not dtype:
            value = K.cast(value, dtype)
        return value


class Function:
    """Base of operations with a backward of their own.

    Subclasses define static methods `forward(ctx, *args)` (or `forward(*args)` and
    `setup_context(ctx, inputs, output)`) and `backward(ctx, *grad_outputs)`, which returns one gradient
    for each argument of forward (None for what has none). For forward mode they define
    `jvp(ctx, *grad_inputs)`, which gets the tangents of the arguments (None for what has none) and
    returns those of the results. Call `apply`.
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the results."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Any) -> None:
        """Save what backward needs, when forward takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradients of the arguments of forward."""
        raise NotImplementedError(
            "You must implement the backward method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Return the tangents of the results of forward."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward "
            "mode AD."
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward and record the call where an argument requires a gradient."""
        ctx = FunctionCtx()
        if any(level_of(a) >= 0 for a in args):
            return SLOTS.apply_dual(cls, ctx, args)
        return cls._run(ctx, args)

    @classmethod
    def _run(cls, ctx: FunctionCtx, args: tuple[Any, ...]) -> Any:
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        recording = _state.is_on("grad") and any(ctx.needs_input_grad)
        with Switch("grad", False):
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        if not recording:
            return output
        return _record(cls, ctx, args, output)


def _record(cls: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], output: Any) -> Any:
    results = output if isinstance(output, tuple) else (output,)
    node = Node()
    node.spec = spec = FunctionSpec(cls, args, results)
    spec.keeps_arrays = bool(ctx._saved)
    node.edges = tuple(a._node if isinstance(a, Tensor) and a.requires_grad else None for a in args)
    node.saved = ctx
    node.shapes = node.hooks = None
    dirty = {id(t) for t in ctx._dirty}
    if not dirty <= {id(r) for r in results}:
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. The "
            "inputs that are modified inplace must all be outputs of the Function."
        )
    for t in ctx._dirty:
        check_write(t)
        WRITES.record(t._backend.storage_of(t._raw))
    node.order = tick()
    made: list[Any] = []
    inputs = {id(a) for a in args if isinstance(a, Tensor)}
    silent = {id(t) for t in ctx._no_grad_outputs}
    single = len(results) == 1
    for index, result in enumerate(results):
        if not isinstance(result, Tensor) or id(result) in silent:
            made.append(result)
            continue
        if not (result.dtype.is_floating_point or result.dtype.is_complex):
            made.append(result)
            continue
        edge = node if single else pick(node, index)
        if id(result) in dirty:
            attach(result, wrap(result._raw, result._k & ~VIEW | GRAD, edge))
            made.append(result)
            continue
        fresh = detached(result) if id(result) in inputs or result._k & VIEW else result
        fresh._node = edge
        fresh._k |= GRAD
        made.append(fresh)
    _keep_saved(ctx, node, args, results, made)
    if _state.is_on(ANOMALY):
        remember_line(node)
    return tuple(made) if isinstance(output, tuple) else made[0]


def _keep_saved(
    ctx: FunctionCtx, node: Node, args: Any, results: Sequence[Any], made: Sequence[Any]
) -> None:
    """Store saved tensors without cycles: results as arrays, inputs with the history they had."""
    outputs = {id(r): i for i, r in enumerate(results)}
    single = len(results) == 1
    kept: list[Any] = []
    for t in ctx._saved:
        if t is None:
            kept.append(None)
        elif id(t) in outputs and made[outputs[id(t)]]._k & GRAD:
            kept.append((kept_array(t), t._k & ~VIEW | GRAD, outputs[id(t)]))
        else:
            kept.append((kept_array(t), t._k & ~VIEW, t._node))
    order = node.order
    ctx._saved_ids = tuple(id(t) for t in ctx._saved)
    ctx._saved = ()
    owner = weakref.ref(node)  # the node holds ctx, so ctx must not hold the node

    def give_back() -> tuple[Tensor | None, ...]:
        found: list[Tensor | None] = []
        node = owner()
        for entry in kept:
            if entry is None:
                found.append(None)
                continue
            value, key, origin = entry
            if isinstance(origin, int):
                origin = node if single or node is None else pick(node, origin)
            tensor = wrap(unpacked(value), key, origin)
            storage = tensor._backend.storage_of(tensor._raw)
            if value.__class__ is not Packed and WRITES.moment(storage) > order:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: a tensor of shape {list(tensor.shape)} that a Function "
                    "saved was written after it was saved"
                )
            found.append(tensor)
        return tuple(found)

    ctx._give_back = give_back  # type: ignore[method-assign]


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a `backward` that is not made of differentiable operations: a second derivative raises."""

    @functools.wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        recorded = _state.is_on("grad") and any(
            isinstance(a, Tensor) and a.requires_grad for a in args
        )
        with Switch("grad", False):
            outputs = fn(ctx, *args)
        if not recorded:
            return outputs

        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        at = [i for i, v in enumerate(listed) if isinstance(v, Tensor)]
        marked = _Once.apply(len(at), *[listed[i] for i in at], *args)
        marked = marked if isinstance(marked, tuple) else (marked,)
        full = list(listed)
        for i, v in zip(at, marked, strict=True):
            full[i] = v
        return tuple(full) if isinstance(outputs, tuple) else full[0]

    return wrapper


class _Once(Function):
    """Passes results on, and raises when they are differentiated."""

    @staticmethod
    def forward(ctx: Any, count: int, *values: Any) -> Any:
        return tuple(values[:count]) if count > 1 else values[0]

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )

    jvp = backward
