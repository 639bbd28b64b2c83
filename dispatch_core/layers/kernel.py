"""The innermost layer, `device`: finds the kernel and picks the chain class for the argument shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatch_core._caller import user_line, warn
from dispatch_core._dispatcher.chains import Body, Chain, KernelChain, invoke
from dispatch_core._dispatcher.compose import Below, admit
from dispatch_core._dispatcher.kernel_chains import (
    Binary,
    BinaryScalar,
    General,
    ListOne,
    ListParams,
    ScalarBinary,
    Ternary,
    Unary,
    UnaryBound,
    UnaryParams,
    UnarySeveral,
    UnaryTwo,
    Writing,
)
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dispatcher.resolve import HOST, Resolution, Step, resolve
from dispatch_core._dispatcher.view_chains import (
    Reshape,
    ReshapeView,
    View,
    ViewOne,
    ViewSometimes,
    ViewTwo,
)
from dispatch_core._dtypes import Priority, dtype
from dispatch_core._errors import EmptyListError, FallbackWarning
from dispatch_core._keys import (
    FIRST_TENSOR_KEY,
    NONE,
    VIEW,
    key_number,
    kind_dtype,
    tensor_key,
)
from dispatch_core._layer import Keys, Layer
from dispatch_core._state import State
from dispatch_core._tensor import Tensor
from dispatch_core.backend.api import Backend
from dispatch_core.backend.kernels import Bound, Kernel
from dispatch_core.backend.registry import backend_of
from dispatch_core.layers.fallback import REPORT, came_back, host_call, spend


class KernelLayer(Layer):
    """Takes part in every call: the kernel of the arguments' device, or what stands in for one."""

    name = "device"
    before = ()

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return True

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        if not op.selectors:
            return Body(op, op.body)  # type: ignore[arg-type]  # defined over a primitive that has a place
        if op.traits.primitive and _lacks_operand(op, keys):
            return Body(op, op.body)  # type: ignore[arg-type]
        backend, computed = site(op, keys)
        op.family.accept(op, computed)
        admit(op, keys)
        return build(op, keys, resolve(op, backend, computed, state))


def _lacks_operand(op: Op, keys: Keys) -> bool:
    """Whether an operand is None, which no kernel takes (`where(condition)`)."""
    return any(
        number == NONE and op.params[at].kind is ParamKind.OPERAND
        for at, number in zip(op.selectors, keys, strict=True)
    )


def site(op: Op, keys: Keys) -> tuple[Backend, dtype]:
    """The backend and the compute dtype of a combination of keys (already brought to one dtype)."""
    first = None
    for at, number in zip(op.selectors, keys, strict=True):
        for each in number if isinstance(number, frozenset) else (number,):
            if each < FIRST_TENSOR_KEY:
                continue
            key = tensor_key(each)
            if op.params[at].name not in op.family.apart:
                return backend_of(key.device), key.dtype
            first = first or key
    if first is None and op.has_list:
        raise EmptyListError(f"{op.title}expected a non-empty list of Tensors")
    if first is None:
        raise TypeError(
            f"{op.title}expected at least one tensor argument, got only Python values; "
            "make one of them a tensor with dispatch_core.tensor(value)"
        )
    scalars = [
        (kind_dtype(number), Priority.SCALAR)
        for at, number in zip(op.selectors, keys, strict=True)
        if isinstance(number, int) and number < NONE and op.params[at].name not in op.family.apart
    ]
    computed = op.family.compute(scalars) if scalars and op.family.promotes else first.dtype
    return backend_of(first.device), computed


def build(op: Op, keys: Keys, found: Resolution) -> Chain:
    """The chain for what the search found; raises its error when it found nothing."""
    if not found.found:
        raise found.error()
    choices = [kernel_chain(op, keys, found, kernel) for kernel in found.kernels]
    if choices and found.kernels[-1].when is None:
        rest: Chain = choices.pop()
    else:
        rest = _without_kernel(op, found)
    for chain in reversed(choices):
        rest = Conditional(op, chain, rest)
    return rest


def _without_kernel(op: Op, found: Resolution) -> Chain:
    """The chain for calls that no kernel takes."""
    if found.body:
        return Body(op, op.body)  # type: ignore[arg-type]
    if found.emulate is not None:
        return Emulated(op, found.emulate, found.dtype, found.warn)
    return HostFallback(op, found.backend, found.warn) if found.fallback else Declined(op, found)


def kernel_chain(op: Op, keys: Keys, found: Resolution, kernel: Kernel) -> KernelChain:
    """The chain class for the shape of an operator's arguments, around one kernel."""
    backend, computed = found.backend, found.dtype
    if op.traits.writes:
        return Writing(op, backend, kernel)
    result = op.family.result(op, computed)
    tensors = [n >= FIRST_TENSOR_KEY for n in keys if not isinstance(n, frozenset)]
    simple = op.nested and op.traits.outputs == 1 and result is not None
    leading = simple and op.tensors == tuple(range(len(op.tensors)))
    if leading:
        key = key_number(backend.device, result)  # type: ignore[arg-type]
        count, total = len(op.tensors), len(op.params)
        if op.traits.view:
            nested = bool(keys[0] & VIEW)
            view = _view_class(op, backend, kernel, nested)
            return view(op, backend, kernel, key | VIEW, nested)
        if count == 1:
            return _unary_class(op, kernel)(op, backend, kernel, key)
        if count == 2 and total == 2:
            if all(tensors):
                return Binary(op, backend, kernel, key)
            if NONE not in keys:
                scalar = BinaryScalar if tensors[0] else ScalarBinary
                return scalar(op, backend, kernel, key, computed)
        if count == 3 and total == 3 and all(tensors[:2]) and (tensors[2] or keys[2] == NONE):
            return Ternary(op, backend, kernel, key)
    if op.tensors == (0,) and op.has_list and op.traits.outputs == 1 and result is not None:
        listed = ListOne if len(op.params) == 2 else ListParams
        return listed(op, backend, kernel, key_number(backend.device, result))
    if op.tensors == (0,) and op.nested and op.traits.outputs > 1 and all(tensors):
        return UnarySeveral(op, backend, kernel)
    makers: dict[int, Callable[[Any], Any]] = {}
    for at, number in zip(op.selectors, keys, strict=True):
        if isinstance(number, int) and number < NONE:
            apart = op.params[at].name in op.family.apart
            makers[at] = _maker(backend, kind_dtype(number) if apart else computed)
    return General(op, backend, kernel, makers)


def _view_class(op: Op, backend: Backend, kernel: Kernel, nested: bool) -> type[View]:
    plain = len(op.params) - 1
    if plain == 1 and op.traits.view == "sometimes":
        own = kernel.fn is getattr(backend.array, "reshape", None)
        if own:
            return ReshapeView if nested else Reshape
        return ViewSometimes
    if plain == 1:
        return ViewOne
    return ViewTwo if plain == 2 and op.traits.view is True else View


def _unary_class(op: Op, kernel: Kernel) -> type[KernelChain]:
    total = len(op.params)
    if total == 1 and isinstance(kernel.fn, Bound) and len(kernel.fn.constants) == 2:
        return UnaryBound
    return {1: Unary, 3: UnaryTwo}.get(total, UnaryParams)


def _maker(backend: Backend, computed: dtype) -> Callable[[Any], Any]:
    return lambda value: backend.scalar(value, computed)


class Conditional(Chain):
    """Asks a kernel's predicate at each call and goes on to the next candidate when it declines."""

    __slots__ = ("below", "chain", "when")

    def __init__(self, op: Op, chain: KernelChain, below: Chain) -> None:
        self.op = op
        self.chain = chain
        self.below = below
        self.when = chain.info.when

    def call(self, *args: Any) -> Any:
        if self.declines(args) is None:
            return self.chain.call(*args)
        return self.below.call(*args)

    def declines(self, args: tuple[Any, ...]) -> str | None:
        """Why the kernel does not take this call; None when it does."""
        raws = [_raw(a) for a in args]
        return self.when(*raws)  # type: ignore[misc]

    def describe(self) -> list[str]:
        return [f"{self.chain.describe()[0]} if it accepts, else", *self.below.describe()]


def _raw(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._raw
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Tensor):
        return [t._raw for t in value]
    return value


class Declined(Chain):
    """Raises: every kernel has a predicate, and all of them declined the call."""

    __slots__ = ("found",)

    def __init__(self, op: Op, found: Resolution) -> None:
        self.op = op
        self.found = found

    def call(self, *args: Any) -> Any:
        raws = [_raw(a) for a in args]
        declined = {f"kernel {k.describe()}": k.when(*raws) for k in self.found.kernels if k.when}
        steps = [
            Step(s.number, s.what, False, f"declined: {declined[s.what]}") if s.taken else s
            for s in self.found.steps
        ]
        raise self.found.error(steps)


class Emulated(Chain):
    """Computes in a wider dtype and casts the results back."""

    __slots__ = ("dtype", "warn", "wider")

    def __init__(self, op: Op, wider: dtype, computed: dtype, warn: bool) -> None:
        self.op = op
        self.wider = wider
        self.dtype = computed
        self.warn = warn

    def call(self, *args: Any) -> Any:
        place = (self.op.name, f"{self.dtype.name} as {self.wider.name}", user_line())
        if REPORT.count(place, args) and self.warn:
            warn(
                f"'{self.op.name}' has no kernel for {self.dtype.name} and is computed in "
                f"{self.wider.name}; each call casts its arguments and its result",
                FallbackWarning,
            )
        widened = [
            a.to(self.wider) if isinstance(a, Tensor) and a.dtype is self.dtype else a for a in args
        ]
        return map_tensors(
            invoke(self.op, widened), lambda t: t.to(self.dtype) if t.dtype is self.wider else t
        )

    def describe(self) -> list[str]:
        return [f"computed in {self.wider.name}, cast back to {self.dtype.name}"]


class HostFallback(Chain):
    """Computes on the host and moves the results back; counted, and warned about once a place."""

    __slots__ = ("backend", "warn")

    def __init__(self, op: Op, backend: Backend, warn: bool) -> None:
        self.op = op
        self.backend = backend
        self.warn = warn

    def call(self, *args: Any) -> Any:
        device = self.backend.device
        spend(self.op.name, device, args)
        place = (self.op.name, device, user_line())
        if REPORT.count(place, args) and self.warn:
            warn(
                f"'{self.op.name}' has no kernel on '{device}' and runs on the host; "
                "each call moves its arguments there and back",
                FallbackWarning,
            )
        result = host_call(self.op, args, HOST)
        came_back(place, result)
        return result

    def describe(self) -> list[str]:
        return [f"host fallback: moved to '{HOST}', computed there, moved back"]


def map_tensors(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """`function` over a tensor or each tensor of a (named) tuple of results."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, tuple):
        mapped = [map_tensors(item, function) for item in value]
        return type(value)(*mapped) if hasattr(value, "_fields") else tuple(mapped)
    return value
