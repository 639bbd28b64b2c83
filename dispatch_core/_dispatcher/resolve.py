"""Which kernel computes an operator on a device in a dtype: one short search in numbered steps.

1. the device's own kernels, best first: exact dtype, priority, predicate
2. the same of its parent devices (`opencl.intel` -> `opencl`)
3. the operator's body, in terms of other operators
4. dtype emulation: computed in a wider dtype and cast back, where policy allows
5. host fallback: computed on the cpu, where policy allows; counted and warned
6. NoKernelError, which says all that was tried

Overrides of a task are a layer of their own and come before all of this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dispatch_core._dispatcher.operator import Op
from dispatch_core._dispatcher.policy import DTYPE_EMULATION, HOST_FALLBACK
from dispatch_core._dtypes import dtype
from dispatch_core._dtypes import dtype as DType
from dispatch_core._errors import NoKernelError
from dispatch_core._state import State
from dispatch_core.backend.api import Backend
from dispatch_core.backend.kernels import Kernel
from dispatch_core.backend.registry import backend_of

HOST = "cpu"
_NEVER = "never for views, factories and random numbers"
MOST_STEPS = 8
"""An error that says more is not read."""
MOVING = frozenset({"creation", "custom", "indexing", "movement", "transfer"})
"""The kinds of operators that take elements where they are wanted, whatever these stand for."""


class Step(NamedTuple):
    """One candidate that the search looked at, and what it found."""

    number: int
    what: str
    taken: bool
    why: str

    def __str__(self) -> str:
        return f"{self.number}. [{'x' if self.taken else ' '}] {self.what}: {self.why}"


class Resolution:
    """The outcome of the search; where a kernel may decline, also the first of what comes after kernels."""

    __slots__ = (
        "backend",
        "body",
        "dtype",
        "emulate",
        "fallback",
        "kernels",
        "op",
        "steps",
        "warn",
    )

    def __init__(
        self, op: Op, backend: Backend, dtype: DType, kernels: tuple[Kernel, ...] = ()
    ) -> None:
        self.op = op
        self.backend = backend
        self.dtype = dtype
        self.kernels = kernels
        """The kernels to ask one after the other while their predicates decline a call."""
        self.body = False
        self.emulate: DType | None = None
        self.fallback = False
        self.warn = False
        """Whether emulation or fallback is warned about."""
        self.steps: list[Step] = []

    @property
    def found(self) -> bool:
        """Whether the operator can be computed at all."""
        return bool(self.kernels or self.body or self.emulate or self.fallback)

    def error(self, steps: Sequence[Step] | None = None) -> NoKernelError:
        """What to raise when nothing was found; `steps` in place of those of the search."""
        shown = [f"  {step}" for step in (self.steps if steps is None else steps)]
        if len(shown) > MOST_STEPS:
            left_out = len(shown) - MOST_STEPS + 1
            shown = [*shown[: MOST_STEPS - 4], f"  ... {left_out} more kernels", *shown[-3:]]
        tried = "\n".join(shown)
        device = self.backend.device
        call = f'kernels.register("{self.op.name}", fn)'
        hint = f"register one with {call} in the plugin of '{device}'"
        if self.op.traits.fallback:
            if self.dtype.wider is not None:
                wider = self.dtype.wider.name
                hint += f", or compute in {wider}: with dispatch_core.emulation('warn')"
            if device != HOST:
                hint += ", or compute on the host: with dispatch_core.fallback('warn')"
        return NoKernelError(
            f"no kernel computes '{self.op.name}' on device '{device}' for {self.dtype}.\n"
            f"Tried:\n{tried}\nTo fix it, {hint}."
        )


def resolve(op: Op, backend: Backend, computed: dtype, state: State) -> Resolution:
    """Search for what computes `op` on a backend in dtype `computed`; records every step."""
    found = Resolution(op, backend, computed)
    steps = found.steps
    for number, owner in _owners(backend):
        chosen = _choose(op, owner, computed, number, steps)
        if chosen:
            found.kernels = chosen
            if chosen[-1].when is None:
                return found
    if op.traits.primitive:
        steps.append(Step(3, "body", False, "a primitive has none"))
    else:
        found.body = True
        steps.append(Step(3, "body", True, "defined in terms of other operators"))
    if found.body:
        return found
    wider = computed.wider
    if wider is not None and op.traits.fallback:
        allowed = DTYPE_EMULATION.allows(state, op.name)
        able = allowed and resolve(op, backend, wider, HOST_FALLBACK.within(state, "error")).found
        found.emulate = wider if able else None
        found.warn = able and DTYPE_EMULATION.get(state, op.name) == "warn"
        why = "policy forbids it" if not allowed else f"{'computes' if able else 'no kernel'} there"
        steps.append(Step(4, f"emulation in {wider.name}", able, why))
    else:
        why = f"{computed.name} has no wider stand-in" if wider is None else _NEVER
        steps.append(Step(4, "dtype emulation", False, why))
    if found.emulate:
        return found
    steps.append(_host_step(found, state))
    return found


def _owners(backend: Backend) -> Iterator[tuple[int, Backend]]:
    yield 1, backend
    while backend.parent is not None:
        backend = backend_of(backend.parent)
        yield 2, backend


def _choose(
    op: Op, owner: Backend, computed: dtype, number: int, steps: list[Step]
) -> tuple[Kernel, ...]:
    chosen: list[Kernel] = []
    candidates = owner.kernels.candidates(op.name)
    if not candidates:
        steps.append(Step(number, f"kernels of '{owner.device}'", False, "none registered"))
    for kernel in candidates:
        label = f"kernel {kernel.describe()}"
        if kernel.dtypes is not None and computed not in kernel.dtypes:
            names = ", ".join(sorted(d.name for d in kernel.dtypes))
            steps.append(Step(number, label, False, f"only for {names}"))
        elif kernel.dtypes is None and computed.stored and op.family.kind not in MOVING:
            why = f"registered for no dtype by name, as {computed.name} would have to be"
            steps.append(Step(number, label, False, why))
        elif chosen and chosen[-1].when is None:
            steps.append(Step(number, label, False, "a better one was found"))
        else:
            chosen.append(kernel)
            serves = "all dtypes" if kernel.dtypes is None else computed.name
            asks = "" if kernel.when is None else "; its predicate decides at each call"
            steps.append(Step(number, label, True, f"serves {serves}{asks}"))
    return tuple(chosen)


def _host_step(found: Resolution, state: State) -> Step:
    op, device = found.op, found.backend.device
    if device == HOST:
        return Step(5, "host fallback", False, "this is the host")
    if not op.traits.fallback:
        return Step(5, "host fallback", False, _NEVER)
    if not HOST_FALLBACK.allows(state, op.name):
        return Step(5, "host fallback", False, "policy forbids it")
    host = resolve(op, backend_of(HOST), found.dtype, state)
    found.fallback = host.found
    found.warn = host.found and HOST_FALLBACK.get(state, op.name) == "warn"
    why = "policy allows it" if host.found else f"'{HOST}' has no kernel either"
    return Step(5, "host fallback", host.found, why)
