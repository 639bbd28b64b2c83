"""Chains that record views, each in one frame with its kernel: the cheapest of calls."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.chains import failure
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dispatcher.view_chains import ViewOne, ViewTwo
from dispatch_core._graph import Node, tick
from dispatch_core._keys import GRAD, VIEW
from dispatch_core._tensor import Tensor, fresh
from dispatch_core.layers.recording import RecordUnary
from dispatch_core.layers.spec import OperatorSpec


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
        kernel = self.kernel
        try:
            r = kernel(raw, p)
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
        kernel = self.kernel
        try:
            r = kernel(raw, p)
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
        kernel = self.kernel
        try:
            r = kernel(raw, p, q)
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
