"""`dc.override`: another function in place of a kernel, for one thread or task.

The overrides in force are a tuple in a ContextVar. The state only says that there are some; chains
of operators that were ever overridden then look through the tuple, chains of others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from dispatch_core import _state
from dispatch_core._dispatcher.chains import Chain, invoke
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dispatcher.resolve import Resolution, Step
from dispatch_core._dtypes import dtype
from dispatch_core._keys import FIRST_TENSOR_KEY, GRAD
from dispatch_core._layer import LAYERS, Keys, Layer
from dispatch_core._namespaces import operator_of
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._state import State, Switch
from dispatch_core._tensor import Tensor
from dispatch_core.backend.api import Backend
from dispatch_core.backend.kernels import Kernel
from dispatch_core.backend.registry import backend_of
from dispatch_core.layers.kernel import kernel_chain, map_tensors, site

ON = "override"


class Override:
    """One function that stands in for the kernels of an operator."""

    __slots__ = ("chains", "device", "dtypes", "kernel", "op")

    def __init__(
        self, op: Op, device: str | None, dtypes: frozenset[dtype] | None, fn: Callable[..., Any]
    ) -> None:
        self.op = op
        self.device = device
        self.dtypes = dtypes
        self.kernel = Kernel(op.name, device or "any device", fn, "override", dtypes)
        self.chains: dict[tuple[Backend, dtype, Keys], Chain] = {}

    def declines(self, device: str, computed: dtype) -> str | None:
        """Why it does not serve a device and dtype; None when it does."""
        if self.device not in (None, device):
            return f"only for device '{self.device}'"
        if self.dtypes is not None and computed not in self.dtypes:
            return "only for " + ", ".join(sorted(d.name for d in self.dtypes))
        return None

    def chain(self, backend: Backend, computed: dtype, keys: Keys) -> Chain:
        """The chain that calls the function on raw arrays; made once per combination."""
        found = self.chains.get((backend, computed, keys))
        if found is None:
            resolution = Resolution(self.op, backend, computed, (self.kernel,))
            found = kernel_chain(self.op, keys, resolution, self.kernel)
            self.chains[backend, computed, keys] = found
        return found


IN_FORCE: ContextVar[tuple[Override, ...]] = ContextVar("overrides", default=())
_ever: set[Op] = set()


def steps_for(op: Op, device: str, computed: dtype) -> list[Step]:
    """What the search finds at each override of this task, for `explain`."""
    chosen: Override | None = None
    steps = []
    for override in reversed(IN_FORCE.get()):
        if override.op is not op:
            continue
        label = f"override {override.kernel.describe()}"
        why = override.declines(device, computed)
        if why is None and chosen is not None:
            why = "a later one was found"
        if why is None:
            chosen = override
        steps.append(Step(0, label, chosen is override, why or "of this thread or task"))
    return steps


class Overrides(Layer):
    """Takes part where overrides are in force and the operator was overridden at least once."""

    name = "override"
    before = ("device",)
    after = ("autograd", "promotion")
    idle = "no override of this operator is in force"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return ON in state and op in _ever

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        return Overridden(op, keys, below)


class Overridden(Chain):
    """Calls the innermost override that serves the call, else the chain below."""

    __slots__ = ("below", "below_chain", "computed", "device", "keys")

    def __init__(self, op: Op, keys: Keys, below: Below) -> None:
        self.op = op
        self.keys = keys
        self.below = below
        self.below_chain: Chain | None = None
        backend, self.computed = site(op, keys)
        self.device = backend.device
        op.family.accept(op, self.computed)

    def chosen(self) -> Override | None:
        """The override to call now."""
        for override in reversed(IN_FORCE.get()):
            if override.op is self.op and override.declines(self.device, self.computed) is None:
                return override
        return None

    def call(self, *args: Any) -> Any:
        override = self.chosen()
        if override is not None:
            chain = override.chain(backend_of(self.device), self.computed, self.keys)
            result = chain.call(*args)
            self._check(args, result)
            return result
        if self.below_chain is None:
            # Only now: where nothing else computes the operator, the override alone is enough.
            self.below_chain = self.below()
        return self.below_chain.call(*args)

    def _check(self, args: tuple[Any, ...], result: Any) -> None:
        """Raise where the function's result is not what the operator's family says it must be."""
        op = self.op
        if not isinstance(result, Tensor):
            return
        raw = result._raw
        expected = op.family.result(op, self.computed)
        found = backend_of(self.device).dtype_of(raw)
        if expected is not None and found is not expected:
            raise RuntimeError(
                f"override(): fn returned {found.name} for '{op.name}', expected {expected.name}"
            )
        if op.family.kind == "pointwise":
            tensors = [args[i] for i in op.tensors]
            shapes = [tuple(t._raw.shape) for t in tensors if isinstance(t, Tensor)]
            shape = broadcast_shapes(*shapes)
            if tuple(raw.shape) != tuple(shape):
                raise RuntimeError(
                    f"override(): fn returned shape {list(raw.shape)} for '{op.name}', expected "
                    f"{list(shape)}"
                )

    def describe(self) -> list[str]:
        override = self.chosen()
        if override is None:
            return ["override: none of this task serves the call", *self.below().describe()]
        return [f"override: {override.kernel.describe()}"]


class OverriddenBodies(Layer):
    """The same for operators that autograd differentiates through their body, while it records."""

    name = "override_body"
    before = ("autograd",)
    after = ("promotion", "views")
    idle = "no override of this operator is in force, or it is below autograd"

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        through_body = op.gradient is None and op.traits.differentiable and op.body is not None
        return ON in state and op in _ever and "grad" in state and through_body and _has_grad(keys)

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        return ValueReplaced(op, below())


class ValueReplaced(Chain):
    """Computes and records the body, then gives the results the override's values."""

    __slots__ = ("below",)

    def __init__(self, op: Op, below: Chain) -> None:
        self.op = op
        self.below = below

    def call(self, *args: Any) -> Any:
        recorded = self.below.call(*args)
        with Switch("grad", False):
            values = invoke(self.op, args)
        found: list[Tensor] = []
        map_tensors(values, lambda t: found.append(t) or t)  # type: ignore[func-returns-value]
        replacements = iter(found)

        def replaced(tensor: Tensor) -> Tensor:
            tensor._raw = next(replacements)._raw
            return tensor

        return map_tensors(recorded, replaced)

    def describe(self) -> list[str]:
        return [
            "override: the value is the override's, the gradient the body's",
            *self.below.describe(),
        ]


def _has_grad(keys: Keys) -> bool:
    numbers = (
        n for number in keys for n in (number if isinstance(number, frozenset) else (number,))
    )
    return any(n >= FIRST_TENSOR_KEY and n & GRAD for n in numbers)


class override:  # noqa: N801  used as a function: `with dc.override("exp", fn=mine):`
    """Context manager: `fn` computes an operator in this thread or task, until the block ends.

    Args:
        op: the operator: its name, or the function (`dc.exp`).
        device: only on this device type; None: on every one.
        dtypes: only for this compute dtype or these; None: for all.
        fn: called like a kernel: raw arrays and plain arguments, in the operator's declared order;
            returns a raw array (or a tuple of them) of the dtype that the operator gives. It must not
            modify its arguments. A wrong dtype, or for an element-wise operator a wrong shape, is a
            RuntimeError; shapes of other operators are not checked.

    Overrides nest, the innermost that serves a call wins, and each is undone when its block ends,
    however it ends. Gradients stay those of the operator, whose formulas see the override's values.

    Raises AttributeError for an unknown operator, TypeError for a view operator or an `fn` that
    cannot be called, DeviceNotFoundError for an unknown device.

    """

    def __init__(
        self,
        op: str | Callable[..., Any],
        *,
        device: str | None = None,
        dtypes: dtype | Iterable[dtype] | None = None,
        fn: Callable[..., Any],
    ) -> None:
        found = operator_of(op)
        if not callable(fn):
            raise TypeError(f"override(): argument 'fn' must be callable, not {type(fn).__name__}")
        if found.traits.view or not found.selectors:
            raise TypeError(
                f"override(): '{found.name}' makes a view or has no kernel; only operators that "
                f"compute "
                "new values can be overridden"
            )
        if device is not None:
            device = str(device).partition(":")[0]
            backend_of(device)
        chosen = frozenset((dtypes,) if isinstance(dtypes, dtype) else dtypes or ())
        if not all(isinstance(each, dtype) for each in chosen):
            raise TypeError(
                "override(): argument 'dtypes' must be a dtype or several, as dc.float32"
            )
        self._override = Override(found, device, chosen or None, fn)
        self._entered = 0

    def __enter__(self) -> None:
        op = self._override.op
        if op not in _ever:
            _ever.add(op)
            op.forget()
        self._entered += 1
        _put_in_force((*IN_FORCE.get(), self._override))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._entered:
            raise RuntimeError("this override is not in force: enter it by `with` first")
        self._entered -= 1
        left = list(IN_FORCE.get())
        if self._override in left:  # the last, of several; others may end in any order
            del left[len(left) - 1 - left[::-1].index(self._override)]
        _put_in_force(tuple(left))


def _put_in_force(overrides: tuple[Override, ...]) -> None:
    IN_FORCE.set(overrides)
    number = _state.current_state() or _state.open_context()
    _state.set_state(_state.moved(number, ON, bool(overrides)))


LAYERS.add(Overrides(), OverriddenBodies())
