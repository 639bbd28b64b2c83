"""How gradient formulas are evaluated: on raw arrays (fast), or on tensors (higher derivatives, any layer).

Formulas name their operators through `K`. In raw mode `K.cos` is the kernel of the device itself; where
no kernel serves unconditionally it is the operator, with tensors put around the arrays. In tensor mode
`K.cos` is the public function.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dtypes import dtype
from dispatch_core._graph import Node
from dispatch_core._keys import GRAD, LOCK
from dispatch_core._op import K as TENSOR_OPERATORS
from dispatch_core._op import operator_named
from dispatch_core._tensor import Tensor, wrap, wrap_raw
from dispatch_core.autograd._function import pick_of
from dispatch_core.backend.api import Backend
from dispatch_core.layers.spec import OperatorSpec


class _Slots:
    """Filled by forward mode."""

    with_tangents: Callable[[list[Any], Node, OperatorSpec], list[Any]]
    """The saved values of a node that remembers its dual arguments, with their tangents."""


SLOTS = _Slots()
_NUMBERS = (bool, int, float, complex)


class RawOperators:
    """`K` in raw mode: operators on the arrays of one backend."""

    def __init__(self, backend: Backend, dtype: dtype) -> None:
        self._backend = backend
        self._dtype = dtype

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op = operator_named(name)
        function = self._kernel(op) or self._through_tensors(op)
        if name == "conj":
            function = _conjugate(function) if self._dtype.is_complex else _same
        setattr(self, name, function)
        return function

    def forget(self) -> None:
        """Look every operator up again at its next use."""
        bound = vars(self)
        for name in tuple(bound):  # in one step, since other threads look up meanwhile
            if not name.startswith("_"):
                bound.pop(name, None)

    def _kernel(self, op: Op) -> Callable[..., Any] | None:
        candidates = self._backend.kernels.candidates(op.name)
        kernel = next((k for k in candidates if k.dtypes is None or self._dtype in k.dtypes), None)
        if kernel is None or kernel.when is not None or op.family.kind == "creation":
            return None
        if all(p.required and p.kind is not ParamKind.OPERAND for p in op.params):
            return kernel.fn
        operands = tuple(i for i, p in enumerate(op.params) if p.kind is ParamKind.OPERAND)
        scalar, dtype, fn, total = self._backend.scalar, self._dtype, kernel.fn, len(op.params)

        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) != total:
                args = tuple(op.bind(args, kwargs))
            if operands:
                bound = list(args)
                for i in operands:
                    if isinstance(bound[i], _NUMBERS):
                        bound[i] = scalar(bound[i], dtype)
                args = tuple(bound)
            return fn(*args)

        return call

    def _through_tensors(self, op: Op) -> Callable[..., Any]:
        lift = functools.partial(_lifted, self._backend)

        def call(*args: Any, **kwargs: Any) -> Any:
            return _lower(op.front(*map(lift, args), **{k: lift(v) for k, v in kwargs.items()}))

        return call


def _lifted(backend: Backend, value: Any) -> Any:
    """Arrays as tensors, those in lists too."""
    numpys_scalar = hasattr(value, "shape") and hasattr(value, "dtype")
    if isinstance(value, backend.array) or numpys_scalar:
        return wrap_raw(value, backend)
    if isinstance(value, (list, tuple)) and value:
        return type(value)(_lifted(backend, v) for v in value)
    return value


def _same(value: Any) -> Any:
    return value


def _conjugate(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda v: v.conjugate() if isinstance(v, _NUMBERS) else function(v)


def _lower(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._raw
    if isinstance(value, tuple):
        return tuple(_lower(v) for v in value)
    return value


class RawMode:
    """Formulas on the raw arrays of one backend in one dtype."""

    create_graph = False

    def __init__(self, backend: Backend, dtype: dtype) -> None:
        self.K = RawOperators(backend, dtype)
        self.array = backend.array
        self.as_array = backend.as_array

    def saved(self, node: Node, spec: OperatorSpec) -> Sequence[Any]:
        """The saved arrays as they are."""
        return node.saved

    def finish(self, value: Any) -> Any:
        """A formula's result as an array (numpy gives scalars for 0-d results)."""
        return value if value.__class__ is self.array else self.as_array(value)

    def lift(self, tensor: Tensor) -> Any:
        """A tensor made on the way, as formulas of this mode take it."""
        return tensor._raw


class TensorMode:
    """Formulas on tensors; with `create_graph` what they compute is recorded again."""

    K: Any = TENSOR_OPERATORS

    def __init__(self, create_graph: bool) -> None:
        self.create_graph = create_graph

    def saved(self, node: Node, spec: OperatorSpec) -> Sequence[Any]:
        """The saved arrays as tensors with the history they had."""
        saved = list(node.saved)
        if not isinstance(spec, OperatorSpec):
            return saved
        backend, edges = spec.backend, node.edges
        edge = 0
        for at in spec.op.tensors:
            value = saved[at]
            if spec.op.params[at].kind is ParamKind.LIST:
                count = len(edges) - len(spec.op.tensors) + 1
                if value is not None:
                    saved[at] = [
                        self._tensor(v, backend, edges[edge + i]) for i, v in enumerate(value)
                    ]
                edge += count
                continue
            if isinstance(value, backend.array):
                saved[at] = self._tensor(value, backend, edges[edge])
            edge += 1
        out_at = len(spec.op.params)
        out = saved[out_at]
        if isinstance(out, tuple):
            saved[out_at] = tuple(
                None if v is None else self._tensor(v, backend, pick_of(node, i))
                for i, v in enumerate(out)
            )
        elif out is not None:
            saved[out_at] = self._tensor(out, backend, node)
        if getattr(node, "duals", None) is not None:
            return SLOTS.with_tangents(saved, node, spec)
        return saved

    def _tensor(self, raw: Any, backend: Backend, node: Any) -> Tensor:
        found = backend.dtype_of(raw)
        key = backend.key_of(raw)
        inexact = found.is_floating_point or found.is_complex
        if self.create_graph and node is not None and inexact:
            return wrap(raw, key | GRAD, node)
        return wrap(raw, key)

    def finish(self, value: Any) -> Any:
        """A formula's result as it is."""
        return value

    def lift(self, tensor: Tensor) -> Tensor:
        """A tensor made on the way, as it is."""
        return tensor


PLAIN_TENSORS = TensorMode(create_graph=False)
RECORDED_TENSORS = TensorMode(create_graph=True)
_raw_modes: dict[tuple[str, dtype], RawMode] = {}
_every_mode: weakref.WeakSet[RawMode] = weakref.WeakSet()


def raw_mode(backend: Backend, dtype: dtype) -> RawMode:
    """The raw mode of a backend and dtype, made once."""
    mode = _raw_modes.get((backend.device, dtype))
    if mode is None:
        mode = RawMode(backend, dtype)
        with LOCK:
            _raw_modes[backend.device, dtype] = mode
            _every_mode.add(mode)
    return mode


def forget_raw_modes() -> None:
    """Drop the bound kernels (one came or went), also in modes that recorded calls hold on to."""
    with LOCK:
        for mode in list(_every_mode):
            mode.K.forget()
        _raw_modes.clear()
