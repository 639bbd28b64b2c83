"""Chains that record: one class for each shape of arguments puts a node for the call into the graph."""

from __future__ import annotations

import functools
from typing import Any

from dispatch_core._dispatcher.chains import Chain, KernelChain, failure
from dispatch_core._dispatcher.kernel_chains import (
    ListOne,
    UnaryBound,
)
from dispatch_core._dispatcher.operator import Op
from dispatch_core._graph import Node, Pick, tick
from dispatch_core._keys import GRAD, tensor_key
from dispatch_core._tensor import Tensor, fresh
from dispatch_core.layers.spec import OperatorSpec


class Record(Chain):
    """Records any call: several results, lists of tensors, optional tensors."""

    __slots__ = ("below", "inner", "spec")

    def __init__(self, op: Op, inner: Chain, spec: OperatorSpec) -> None:
        self.op = op
        self.inner = inner
        self.below = inner.call
        self.spec = spec

    def call(self, *args: Any) -> Any:
        below = self.below
        results = below(*args)
        spec = self.spec
        node = Node()
        node.spec = spec
        node.order = tick()
        node.hooks = None
        node.edges, node.shapes = spec.edges_of(args)
        node.saved = spec.saved_of(args, results)
        if isinstance(results, Tensor):
            if _differentiable(results._k):
                results._node = node
                results._k |= GRAD
            return results
        for index, result in enumerate(results):
            if _differentiable(result._k):
                result._node = pick(node, index)
                result._k |= GRAD
        return results

    def describe(self) -> list[str]:
        return [
            f"autograd: records {self.spec.name}, saves {self.spec.saves()}",
            *self.inner.describe(),
        ]


@functools.cache
def _differentiable(key: int) -> bool:
    """Whether a result with this key can have a gradient."""
    dtype = tensor_key(key).dtype
    return dtype.is_floating_point or dtype.is_complex


def pick(node: Node, index: int) -> Pick:
    """The node that stands for output `index` of an operation with several outputs."""
    picked = Pick.__new__(Pick)
    picked.spec = node.spec
    picked.order = tick()
    picked.edges = (node,)
    picked.index = index
    picked.hooks = None
    return picked


class RecordUnary(Record):
    """Records f(x, ...) with one tensor argument and one result."""

    __slots__ = ("save_out", "save_shape", "save_x")

    def __init__(self, op: Op, inner: Chain, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.save_x = 0 in spec.keeps
        self.save_out = len(op.params) in spec.keeps
        self.save_shape = len(op.params) + 1 in spec.keeps

    def call(self, x: Tensor, *params: Any) -> Tensor:
        below = self.below
        t: Tensor = below(x, *params)
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (x._node,)
        node.saved = (
            x._raw if self.save_x else None,
            *params,
            t._raw if self.save_out else None,
            x._raw.shape if self.save_shape else None,
        )
        node.shapes = None
        node.hooks = None
        t._node = node
        t._k |= GRAD
        return t


class RecordPlainUnary(RecordUnary):
    """Records f(x) in one frame with its kernel."""

    __slots__ = ("array", "fix", "kernel", "key")

    def __init__(self, op: Op, inner: KernelChain, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.kernel = inner.kernel
        self.array = inner.array
        self.fix = inner.fix
        self.key = inner.key | GRAD

    def call(self, x: Tensor) -> Tensor:
        raw = x._raw
        kernel = self.kernel
        try:
            r = kernel(raw)
        except Exception as error:
            raise failure(self.op, (x,), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (x._node,)
        node.saved = (
            raw if self.save_x else None,
            r if self.save_out else None,
            raw.shape if self.save_shape else None,
        )
        node.shapes = None
        node.hooks = None
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = node
        return t


class RecordBound(RecordPlainUnary):
    """Records f(x, a, b) with two constants of the kernel's, without the frame that adds them."""

    __slots__ = ("a", "b", "fn")

    def __init__(self, op: Op, inner: UnaryBound, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.fn, self.a, self.b = inner.fn, inner.a, inner.b

    def call(self, x: Tensor) -> Tensor:
        raw = x._raw
        fn = self.fn
        try:
            r = fn(raw, self.a, self.b)
        except Exception as error:
            raise failure(self.op, (x,), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (x._node,)
        node.saved = (
            raw if self.save_x else None,
            r if self.save_out else None,
            raw.shape if self.save_shape else None,
        )
        node.shapes = None
        node.hooks = None
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = node
        return t


class RecordTwo(RecordPlainUnary):
    """Records f(x, p, q) in one frame with its kernel."""

    __slots__ = ()

    def call(self, x: Tensor, p: Any, q: Any) -> Tensor:  # type: ignore[override]
        raw = x._raw
        kernel = self.kernel
        try:
            r = kernel(raw, p, q)
        except Exception as error:
            raise failure(self.op, (x, p, q), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (x._node,)
        node.saved = (
            raw if self.save_x else None,
            p,
            q,
            r if self.save_out else None,
            raw.shape if self.save_shape else None,
        )
        node.shapes = None
        node.hooks = None
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = node
        return t


class RecordBinary(Record):
    """Records f(x, y) with one result; notes the shapes where they differ."""

    __slots__ = (
        "edge_x",
        "edge_y",
        "save_out",
        "save_shapes",
        "save_x",
        "save_y",
        "tensor_x",
        "tensor_y",
    )

    def __init__(self, op: Op, inner: Chain, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.edge_x = 0 in spec.targets
        self.edge_y = 1 in spec.targets
        self.save_x = 0 in spec.keeps
        self.save_y = 1 in spec.keeps
        self.save_out = 2 in spec.keeps
        self.save_shapes = spec.saves_shapes
        self.tensor_x, self.tensor_y = spec.are_tensors

    def call(self, x: Any, y: Any) -> Tensor:
        below = self.below
        t: Tensor = below(x, y)
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (x._node if self.edge_x else None, y._node if self.edge_y else None)
        node.hooks = None
        node.shapes = None
        if self.tensor_x:
            x = x._raw
            if self.tensor_y:
                y = y._raw
                if x.shape != y.shape:
                    node.shapes = (x.shape, y.shape)
        else:
            y = y._raw
        node.saved = (
            x if self.save_x else None,
            y if self.save_y else None,
            t._raw if self.save_out else None,
        )
        if self.save_shapes:
            node.saved += (getattr(x, "shape", None), getattr(y, "shape", None))
        t._node = node
        t._k |= GRAD
        return t


class RecordSeveral(Record):
    """Records y, z, ... = f(x, ...) with one tensor argument."""

    __slots__ = ("kept", "save_shape", "save_x")

    def __init__(self, op: Op, inner: Chain, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.save_x = 0 in spec.keeps
        self.kept = spec.kept_outputs if spec.saves_out else None
        self.save_shape = spec.saves_shapes

    def call(self, x: Tensor, *params: Any) -> Any:
        below = self.below
        results = below(x, *params)
        kept = self.kept
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (x._node,)
        outs = None
        if kept is not None:
            outs = tuple([t._raw if i in kept else None for i, t in enumerate(results)])
        node.saved = (x._raw if self.save_x else None, *params, outs)
        if self.save_shape:
            node.saved += (x._raw.shape,)
        node.shapes = None
        node.hooks = None
        for index, result in enumerate(results):
            if _differentiable(result._k):
                result._node = pick(node, index)
                result._k |= GRAD
        return results


class RecordTernary(Record):
    """Records f(x, y, z) of tensors (the last may be None), as `where` and `linear` are."""

    __slots__ = ("edges", "keeps", "save_out", "save_shapes", "sums")

    def __init__(self, op: Op, inner: Chain, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.edges = tuple(i in spec.targets for i in range(3))
        self.keeps = tuple(i in spec.keeps for i in range(3))
        self.save_out = 3 in spec.keeps
        self.save_shapes = spec.saves_shapes
        self.sums = spec.broadcasts

    def call(self, x: Tensor, y: Tensor, z: Any) -> Tensor:
        below = self.below
        t: Tensor = below(x, y, z)
        a, b, c = self.edges
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (x._node if a else None, y._node if b else None, z._node if c else None)
        a, b, c = self.keeps
        xr, yr, zr = x._raw, y._raw, None if z is None else z._raw
        node.saved = (
            xr if a else None,
            yr if b else None,
            zr if c else None,
            t._raw if self.save_out else None,
        )
        node.shapes = None
        if self.save_shapes or self.sums:
            shapes = (xr.shape, yr.shape, None if zr is None else zr.shape)
            if self.save_shapes:
                node.saved += shapes
            if self.sums and not shapes[0] == shapes[1] == shapes[2]:
                node.shapes = shapes
        node.hooks = None
        t._node = node
        t._k |= GRAD
        return t


class RecordList(Record):
    """Records f([x, y, ...], ...): a list of tensors that all require a gradient."""

    __slots__ = ("save_shapes",)

    def __init__(self, op: Op, inner: Chain, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.save_shapes = spec.saves_shapes

    def call(self, tensors: Any, *params: Any) -> Tensor:
        below = self.below
        t: Tensor = below(tensors, *params)
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = tuple([x._node for x in tensors])
        shapes = [x._raw.shape for x in tensors] if self.save_shapes else None
        node.saved = (None, *params, None, shapes)
        node.shapes = None
        node.hooks = None
        t._node = node
        t._k |= GRAD
        return t


class RecordListOne(RecordList):
    """Records f([x, y, ...], p) with one plain argument, in one frame with its kernel."""

    __slots__ = ("array", "fix", "kernel", "key")

    def __init__(self, op: Op, inner: ListOne, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.array = inner.array
        self.fix = inner.fix
        self.kernel = inner.kernel
        self.key = inner.key | GRAD

    def call(self, tensors: Any, p: Any) -> Tensor:
        raws = []
        edges = []
        for each in tensors:
            raws.append(each._raw)
            edges.append(each._node)
        kernel = self.kernel
        try:
            r = kernel(raws, p)
        except Exception as error:
            raise failure(self.op, (tensors, p), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = tuple(edges)
        node.saved = (None, p, None, [raw.shape for raw in raws] if self.save_shapes else None)
        node.shapes = None
        node.hooks = None
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = node
        return t
