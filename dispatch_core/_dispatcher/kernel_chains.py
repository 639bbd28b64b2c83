"""Chains around one kernel: a small class per shape of the arguments, so that a call has no loop in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from dispatch_core._dispatcher.chains import KernelChain, failure
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._graph import WRITES, Raw
from dispatch_core._tensor import Tensor, fresh
from dispatch_core.backend.api import Backend
from dispatch_core.backend.kernels import Kernel


class Unary(KernelChain):
    """kernel(x) with a result key known beforehand."""

    __slots__ = ()

    def call(self, x: Tensor) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel(x._raw)
        except Exception as error:
            raise failure(self.op, (x,), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t


class UnaryBound(KernelChain):
    """fn(x, a, b) where the kernel is `fn` bound to two constants: called without its frame."""

    __slots__ = ("a", "b", "fn")

    def __init__(self, op: Op, backend: Backend, kernel: Kernel, key: int) -> None:
        super().__init__(op, backend, kernel, key)
        self.fn = kernel.fn.fn  # type: ignore[attr-defined]
        self.a, self.b = kernel.fn.constants  # type: ignore[attr-defined]

    def call(self, x: Tensor) -> Tensor:
        fn = self.fn
        try:
            r = fn(x._raw, self.a, self.b)
        except Exception as error:
            raise failure(self.op, (x,), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t


class UnaryParams(KernelChain):
    """kernel(x, ...) where the rest are no tensors, with a result key known beforehand."""

    __slots__ = ()

    def call(self, x: Tensor, *params: Any) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel(x._raw, *params)
        except Exception as error:
            raise failure(self.op, (x, *params), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t


class UnaryTwo(KernelChain):
    """kernel(x, p, q) with two plain arguments, as reductions have; packs no tuple."""

    __slots__ = ()

    def call(self, x: Tensor, p: Any, q: Any) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel(x._raw, p, q)
        except Exception as error:
            raise failure(self.op, (x, p, q), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t


class Binary(KernelChain):
    """kernel(x, y) with a result key known beforehand."""

    __slots__ = ()

    def call(self, x: Tensor, y: Tensor) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel(x._raw, y._raw)
        except Exception as error:
            raise failure(self.op, (x, y), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t


class Scalars:
    """Python scalars as read-only 0-d arrays of one dtype; those that compare without doubt are kept."""

    __slots__ = ("_dtype", "_kept", "_make")

    def __init__(
        self, backend: Backend, dtype: Any, literal: Callable[[Any], Any] | None = None
    ) -> None:
        self._kept: dict[Any, Raw] = {}
        self._make = backend.scalar
        if literal is not None:
            self._make = lambda value, dtype: backend.scalar(literal(value), dtype)
        self._dtype = dtype

    def get(self, value: Any) -> Raw:
        """The array for a scalar of one Python type (each type needs its own `Scalars`: 1 == True)."""
        found = self._kept.get(value)
        if found is None:
            found = self._make(value, self._dtype)
            # 0.0 == -0.0, also in the parts of a complex number: such zeros are made anew each time.
            if (value or value.__class__ is int) and not isinstance(value, complex):
                if len(self._kept) >= 64:
                    self._kept.clear()  # so that what comes now is kept, though much came before
                self._kept[value] = found
        return found


class BinaryScalar(KernelChain):
    """kernel(x, s) for a tensor and a Python scalar."""

    __slots__ = ("scalars",)

    at: ClassVar[int] = 1
    """Which of the two is the scalar."""

    def __init__(self, op: Op, backend: Backend, kernel: Kernel, key: int, dtype: Any) -> None:
        super().__init__(op, backend, kernel, key)
        literal = op.family.literal(op.params[self.at].name, dtype)
        self.scalars = Scalars(backend, dtype, literal).get

    def call(self, x: Tensor, s: Any) -> Tensor:
        kernel, scalars = self.kernel, self.scalars
        try:
            r = kernel(x._raw, scalars(s))
        except Exception as error:
            raise failure(self.op, (x, s), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t

    def raw_arguments(self, args: Sequence[Any]) -> list[Any]:
        return [a._raw if isinstance(a, Tensor) else self.scalars(a) for a in args]


class ScalarBinary(BinaryScalar):
    """kernel(s, x) for a Python scalar and a tensor."""

    __slots__ = ()

    at = 0

    def call(self, s: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        kernel, scalars = self.kernel, self.scalars
        try:
            r = kernel(scalars(s), x._raw)
        except Exception as error:
            raise failure(self.op, (s, x), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t


class Ternary(KernelChain):
    """kernel(x, y, z) with a result key known beforehand; arguments may be optional tensors."""

    __slots__ = ()

    def call(self, x: Any, y: Any, z: Any) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel(x._raw, y._raw, None if z is None else z._raw)
        except Exception as error:
            raise failure(self.op, (x, y, z), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t

    def raw_arguments(self, args: Sequence[Any]) -> list[Any]:
        return [None if a is None else a._raw for a in args]


class ListParams(KernelChain):
    """kernel([x, y, ...], ...) for a list of tensors of one key, with a known result key."""

    __slots__ = ()

    def call(self, tensors: Sequence[Tensor], *params: Any) -> Tensor:
        kernel = self.kernel
        try:
            r = kernel([t._raw for t in tensors], *params)
        except Exception as error:
            raise failure(self.op, (tensors, *params), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t


class ListOne(ListParams):
    """kernel([x, y, ...], p) with one plain argument; packs no tuple on the way in."""

    __slots__ = ()

    def call(self, tensors: Sequence[Tensor], p: Any) -> Tensor:
        raws = []
        for (
            each
        ) in tensors:  # faster than a comprehension, which is a call of its own before Python 3.12
            raws.append(each._raw)  # noqa: PERF401
        kernel = self.kernel
        try:
            r = kernel(raws, p)
        except Exception as error:
            raise failure(self.op, (tensors, p), error) from error
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.key
        t._node = None
        return t


class General(KernelChain):
    """Any arguments, any number of results; result keys follow from the results' own dtypes."""

    __slots__ = ("at", "lists", "makers", "pack")

    def __init__(
        self,
        op: Op,
        backend: Backend,
        kernel: Kernel,
        makers: dict[int, Callable[[Any], Raw]],
    ) -> None:
        super().__init__(op, backend, kernel, 0)
        self.at = tuple(i for i in op.tensors if op.params[i].kind is not ParamKind.LIST)
        self.lists = tuple(i for i in op.tensors if op.params[i].kind is ParamKind.LIST)
        self.makers = makers
        self.pack = op.pack

    def call(self, *args: Any) -> Any:
        raws = list(args)
        for i in self.at:
            value = raws[i]
            if isinstance(value, Tensor):
                raws[i] = value._raw
            elif i in self.makers:
                raws[i] = self.makers[i](value)
        for i in self.lists:
            raws[i] = [t._raw for t in raws[i]]
        kernel = self.kernel
        try:
            results = kernel(*raws)
        except Exception as error:
            raise failure(self.op, args, error) from error
        if results.__class__ is tuple:
            return self.pack([self._wrap(r) for r in results])
        return self._wrap(results)

    def _wrap(self, r: Raw) -> Tensor:
        if r.__class__ is not self.array:
            r = self.fix(r)
        t = fresh()
        t._raw = r
        t._k = self.backend.key_of(r)
        t._node = None
        return t


class Writing(KernelChain):
    """A kernel that overwrites lists of arrays in place and returns nothing."""

    __slots__ = ("lists", "single", "written")

    def __init__(self, op: Op, backend: Backend, kernel: Kernel) -> None:
        super().__init__(op, backend, kernel, 0)
        self.lists = tuple(i for i in op.tensors if op.params[i].kind is ParamKind.LIST)
        self.single = tuple(i for i in op.tensors if i not in self.lists)
        self.written = op.traits.writes

    def call(self, *args: Any) -> None:
        raws = list(args)
        for i in self.lists:
            if raws[i] is not None:
                raws[i] = [t._raw for t in raws[i]]
        for i in self.single:
            if raws[i] is not None:
                raws[i] = raws[i]._raw
        kernel = self.kernel
        try:
            kernel(*raws)
        except Exception as error:
            raise failure(self.op, args, error) from error
        storage_of = self.backend.storage_of
        for i in self.written:
            WRITES.record_all(map(storage_of, raws[i] or ()))


class UnarySeveral(KernelChain):
    """kernel(x, ...) with several results, whose keys follow from their own dtypes."""

    __slots__ = ("keys", "pack")

    def __init__(self, op: Op, backend: Backend, kernel: Kernel) -> None:
        super().__init__(op, backend, kernel, 0)
        self.keys: dict[Any, int] = {}
        """Of each dtype that came: a chain has few."""
        self.pack = op.pack

    def call(self, x: Tensor, *params: Any) -> Any:
        kernel = self.kernel
        try:
            results = kernel(x._raw, *params)
        except Exception as error:
            raise failure(self.op, (x, *params), error) from error
        array, keys = self.array, self.keys
        tensors = []
        for r in results:
            if r.__class__ is not array:
                r = self.fix(r)
            t = fresh()
            t._raw = r
            try:
                t._k = keys[r.dtype]
            except KeyError:
                t._k = keys[r.dtype] = self.backend.key_of(r)
            t._node = None
            tensors.append(t)
        return self.pack(tensors)
