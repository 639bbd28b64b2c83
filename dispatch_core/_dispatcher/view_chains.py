"""Chains around a kernel whose result shares the memory of its argument; each notes how to make it again."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.chains import KernelChain, failure
from dispatch_core._dispatcher.operator import Op
from dispatch_core._graph import Raw
from dispatch_core._keys import VIEW
from dispatch_core._tensor import Tensor, fresh
from dispatch_core.backend.api import Backend
from dispatch_core.backend.kernels import Kernel


class View(KernelChain):
    """kernel(x, ...) whose result shares the memory of x; `key` carries the VIEW bit.

    A view's `_base` is (root, the root's node now, the parent's `_base` or None, operator, arguments).
    """

    __slots__ = ("nested",)

    def __init__(self, op: Op, backend: Backend, kernel: Kernel, key: int, nested: bool) -> None:
        super().__init__(op, backend, kernel, key)
        self.nested = nested

    def call(self, x: Tensor, *params: Any) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel(x._raw, *params)
        except Exception as error:
            raise failure(self.op, (x, *params), error) from error
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        if self.nested:
            parent = x._base
            root = parent[0]
            t._base = (root, root._node, parent, self.op, params)
        else:
            t._base = (x, x._node, None, self.op, params)
        return t


class ViewOne(View):
    """kernel(x, p): a view with one plain argument; packs no tuple on the way in."""

    __slots__ = ()

    def call(self, x: Tensor, p: Any) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel(x._raw, p)
        except Exception as error:
            raise failure(self.op, (x, p), error) from error
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        if self.nested:
            parent = x._base
            root = parent[0]
            t._base = (root, root._node, parent, self.op, (p,))
        else:
            t._base = (x, x._node, None, self.op, (p,))
        return t


class ViewSometimes(View):
    """kernel(x, p) that shares the memory of x where the layout allows it and copies elsewhere."""

    __slots__ = ()

    def call(self, x: Tensor, p: Any) -> Tensor:
        raw = x._raw
        kernel = self.kernel
        try:
            r = kernel(raw, p)
        except Exception as error:
            raise failure(self.op, (x, p), error) from error
        t = fresh()
        t._raw = r
        t._node = None
        base = r.base
        if base is raw or (base is not None and base is raw.base):
            t._k = self.key
            if self.nested:
                parent = x._base
                root = parent[0]
                t._base = (root, root._node, parent, self.op, (p,))
            else:
                t._base = (x, x._node, None, self.op, (p,))
        else:
            t._k = self.key & ~VIEW
        return t


class Reshape(ViewSometimes):
    """`ViewSometimes` of which the kernel is the array's own `reshape`: a method is called faster as such.

    For a tensor that is no view itself.
    """

    __slots__ = ()

    def call(self, x: Tensor, p: Any) -> Tensor:
        raw: Any = x._raw
        try:
            r = raw.reshape(p)
            params = _RIGHT_SIZES[p]
        except Exception:  # noqa: BLE001  tried again there, and raised
            r, params = _checked_reshape(self.op, x, p)
        t = fresh()
        t._raw = r
        t._node = None
        if r.base is raw or (r.base is not None and r.base is raw.base):
            t._k = self.key
            t._base = (x, x._node, None, self.op, params)
        else:
            t._k = self.key & ~VIEW
        return t


class ReshapeView(Reshape):
    """The same for a view."""

    __slots__ = ()

    def call(self, x: Tensor, p: Any) -> Tensor:
        raw: Any = x._raw
        try:
            r = raw.reshape(p)
            params = _RIGHT_SIZES[p]
        except Exception:  # noqa: BLE001  tried again there, and raised
            r, params = _checked_reshape(self.op, x, p)
        t = fresh()
        t._raw = r
        t._node = None
        if r.base is raw or (r.base is not None and r.base is raw.base):
            t._k = self.key
            parent = x._base
            root = parent[0]
            t._base = (root, root._node, parent, self.op, params)
        else:
            t._k = self.key & ~VIEW
        return t


_RIGHT_SIZES: dict[Any, tuple[Any]] = {}
"""Sizes that were looked at once, with the tuple of arguments that a view remembers."""


def _checked_reshape(op: Op, x: Tensor, p: Any) -> tuple[Raw, tuple[Any]]:
    """The array in another shape, and the arguments, where the sizes were not seen before or are wrong.

    For numpy any negative size is the one to find out; here only -1 is.
    """
    try:
        if any(size < -1 for size in p):
            raise ValueError("invalid shape dimension")
        raw: Any = x._raw
        made = raw.reshape(p)
    except Exception as found:
        raise failure(op, (x, p), found) from found
    if len(_RIGHT_SIZES) >= 4096:
        _RIGHT_SIZES.clear()
    params = (p,)
    if isinstance(p, tuple):
        _RIGHT_SIZES[p] = params
    return made, params


class ViewTwo(View):
    """kernel(x, p, q): a view with two plain arguments; packs no tuple on the way in."""

    __slots__ = ()

    def call(self, x: Tensor, p: Any, q: Any) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel(x._raw, p, q)
        except Exception as error:
            raise failure(self.op, (x, p, q), error) from error
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        if self.nested:
            parent = x._base
            root = parent[0]
            t._base = (root, root._node, parent, self.op, (p, q))
        else:
            t._base = (x, x._node, None, self.op, (p, q))
        return t
