"""Chains that record: one class for each shape of arguments puts a node for the call into the graph."""

from __future__ import annotations

import functools
from typing import Any

from dispatch_core._dispatcher.chains import Chain, KernelChain, failure
from dispatch_core._dispatcher.kernel_chains import (
    General,
    ListOne,
    ListParams,
    Reshape,
    Ternary,
    Unary,
    UnaryBound,
    UnarySeveral,
    UnaryTwo,
    ViewOne,
    ViewSometimes,
    ViewTwo,
)
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._graph import Node, Pick, tick
from dispatch_core._keys import GRAD, VIEW, tensor_key
from dispatch_core._tensor import Tensor, fresh
from dispatch_core.layers.spec import OperatorSpec


def recording_class(op: Op, spec: OperatorSpec, inner: Chain) -> type[Record]:
    """The class for the shape of an operator's arguments, around the chain that computes it."""
    # Of a general kernel only the result itself tells whether its dtype has derivatives.
    simple = op.traits.outputs == 1 and not op.has_list and inner.__class__ is not General
    kinds = [p.kind for p in op.params]
    if spec.saves_layouts:
        return Record
    if simple and op.tensors == (0,) and kinds[0] is ParamKind.TENSOR:
        if inner.__class__ is UnaryBound:
            return RecordBound
        if inner.__class__ is Unary:
            return RecordPlainUnary
        if inner.__class__ is UnaryTwo:
            return RecordTwo
        if spec.keeps_arrays:
            return RecordUnary
        return _RECORD_VIEW.get(inner.__class__, RecordUnary)
    if simple and op.tensors == (0, 1) and len(kinds) == 2:
        return RecordBinary
    if inner.__class__ is Ternary:
        return RecordTernary
    if inner.__class__ is UnarySeveral and op.tensors == (0,):
        return RecordSeveral
    if isinstance(inner, ListParams) and not spec.keeps_arrays and spec.uniform:
        return RecordListOne if inner.__class__ is ListOne else RecordList
    return Record


class Record(Chain):
    """Records any call: several results, lists of tensors, optional tensors."""

    __slots__ = ("below", "inner", "spec")

    def __init__(self, op: Op, inner: Chain, spec: OperatorSpec) -> None:
        self.op = op
        self.inner = inner
        self.below = inner.call
        self.spec = spec

    def call(self, *args: Any) -> Any:
        results = self.below(*args)
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
        t: Tensor = self.below(x, *params)
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
        try:
            r = self.kernel(raw)
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
        try:
            r = self.fn(raw, self.a, self.b)
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
        try:
            r = self.kernel(raw, p, q)
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


class RecordView(RecordUnary):
    """Records a view by one plain argument, in one frame with its kernel: the cheapest of calls."""

    __slots__ = ("kernel", "key", "nested")

    def __init__(self, op: Op, inner: ViewOne, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.kernel = inner.kernel
        self.key = inner.key | GRAD
        self.nested = inner.nested

    def call(self, x: Tensor, p: Any) -> Tensor:
        raw = x._raw
        try:
            r = self.kernel(raw, p)
        except Exception as error:
            raise failure(self.op, (x, p), error) from error
        edge = x._node
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (edge,)
        node.saved = (None, p, None, raw.shape if self.save_shape else None)
        node.shapes = None
        node.hooks = None
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = node
        if self.nested:
            parent = x._base
            root = parent[0]
            t._base = (root, root._node, parent, self.op, (p,))
        else:
            t._base = (x, edge, None, self.op, (p,))
        return t


class RecordViewSometimes(RecordView):
    """Records what shares memory where the layout allows it, in one frame with its kernel."""

    __slots__ = ()

    def call(self, x: Tensor, p: Any) -> Tensor:
        raw = x._raw
        try:
            r = self.kernel(raw, p)
        except Exception as error:
            raise failure(self.op, (x, p), error) from error
        edge = x._node
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (edge,)
        node.saved = (None, p, None, raw.shape if self.save_shape else None)
        node.shapes = None
        node.hooks = None
        t = fresh()
        t._raw = r
        t._node = node
        base = r.base
        if base is raw or (base is not None and base is raw.base):
            t._k = self.key
            if self.nested:
                parent = x._base
                root = parent[0]
                t._base = (root, root._node, parent, self.op, (p,))
            else:
                t._base = (x, edge, None, self.op, (p,))
        else:
            t._k = self.key & ~VIEW
        return t


class RecordViewTwo(RecordUnary):
    """Records a view by two plain arguments, in one frame with its kernel."""

    __slots__ = ("kernel", "key", "nested")

    def __init__(self, op: Op, inner: ViewTwo, spec: OperatorSpec) -> None:
        super().__init__(op, inner, spec)
        self.kernel = inner.kernel
        self.key = inner.key | GRAD
        self.nested = inner.nested

    def call(self, x: Tensor, p: Any, q: Any) -> Tensor:
        raw = x._raw
        try:
            r = self.kernel(raw, p, q)
        except Exception as error:
            raise failure(self.op, (x, p, q), error) from error
        edge = x._node
        node = Node()
        node.spec = self.spec
        node.order = tick()
        node.edges = (edge,)
        node.saved = (None, p, q, None, raw.shape if self.save_shape else None)
        node.shapes = None
        node.hooks = None
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = node
        if self.nested:
            parent = x._base
            root = parent[0]
            t._base = (root, root._node, parent, self.op, (p, q))
        else:
            t._base = (x, edge, None, self.op, (p, q))
        return t


_RECORD_VIEW: dict[type[Chain], type[RecordUnary]] = {
    ViewOne: RecordView,
    ViewSometimes: RecordViewSometimes,
    Reshape: RecordViewSometimes,
    ViewTwo: RecordViewTwo,
}


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
        t: Tensor = self.below(x, y)
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
        results = self.below(x, *params)
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
        t: Tensor = self.below(x, y, z)
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
        t: Tensor = self.below(tensors, *params)
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
        try:
            r = self.kernel(raws, p)
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
