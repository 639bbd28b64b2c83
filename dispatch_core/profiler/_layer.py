"""The profiler layer: notes every operator call of a thread or task while it is switched on.

    with dc.profiler.profile() as prof:
        model(x).sum().backward()
    print(prof.key_averages().table(sort_by="self_cpu_time_total"))

It is the outermost of the built-in layers and an ordinary one: what it collects lies in a
ContextVar of its own, and when it is off it is in no chain. The backward pass runs through the
dispatcher while the profiler is on (else on raw arrays), so its operators are seen too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dispatch_core._dispatcher.chains import Chain
from dispatch_core._dispatcher.compose import Below
from dispatch_core._dispatcher.operator import Op
from dispatch_core._keys import FIRST_TENSOR_KEY, tensor_key
from dispatch_core._layer import LAYERS, Keys, Layer
from dispatch_core._state import State, Switch
from dispatch_core._tensor import Tensor
from dispatch_core.profiler._profile import Profile
from dispatch_core.profiler._schedule import Schedule

NAME = "profiler"
_current: ContextVar[Profile | None] = ContextVar("profile", default=None)


class Profiler(Layer):
    """Takes part while `profile()` is on."""

    name = NAME
    before = ("views", "devices", "promotion", "autograd", "device")

    def active(self, op: Op, keys: Keys, state: State) -> bool:
        return NAME in state

    def compose(self, op: Op, keys: Keys, state: State, below: Below) -> Chain:
        return Timed(op, keys, below())

    @contextmanager
    def session(self, **options: Any) -> Iterator[Profile]:
        """Collect into a new `Profile`, made of the options, until the end."""
        profile = Profile(**options)
        token = _current.set(profile)
        try:
            yield profile
        finally:
            _current.reset(token)
            profile.finish()


class Timed(Chain):
    """Calls the chain below and notes how long it took."""

    __slots__ = ("below", "device", "dtype")

    def __init__(self, op: Op, keys: Keys, below: Chain) -> None:
        self.op = op
        self.below = below
        numbers = [n for k in keys for n in (sorted(k) if isinstance(k, frozenset) else (k,))]
        found = [tensor_key(n) for n in numbers if n >= FIRST_TENSOR_KEY]
        self.device = found[0].device if found else ""
        self.dtype = found[0].dtype.name if found else ""

    def call(self, *args: Any) -> Any:
        profile = _current.get()
        if profile is None or not profile.recording:
            return self.below.call(*args)
        shapes = shapes_of(args) if profile.record_shapes else ()
        event = profile.begin(self.op.name, shapes, self.dtype, self.device)
        try:
            result = self.below.call(*args)
            profile.note(event, args, result)
            return result
        finally:
            profile.end(event)

    def describe(self) -> list[str]:
        return ["profiler: notes shapes and wall time", *self.below.describe()]


def shapes_of(args: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    """The shapes of the tensors among arguments, also of those in lists."""
    tensors = [t for a in args for t in (a if isinstance(a, (list, tuple)) else (a,))]
    return tuple(tuple(t._raw.shape) for t in tensors if isinstance(t, Tensor))


class profile:  # noqa: N801  PyTorch's name
    """Context manager that notes every operator call of this thread or task; gives a `Profile`.

    Args:
        activities: accepted; operators of all devices are noted.
        schedule: a function from the number of a step to a `ProfilerAction`, such as `schedule(...)`
            gives; the run calls `step()` of the profile after each.
        on_trace_ready: called with the profile when a recording is complete.
        record_shapes: whether the shapes of arguments are noted.
        profile_memory: whether the memory of results is counted.
        with_stack: whether the lines of the program that called are noted.
        with_flops: whether floating-point operations of products are counted.
        with_modules: accepted.
        synchronize: whether a device is waited for after each call, so that times are those of the
            work and not of handing it over; slows an asynchronous device down.

    """

    def __init__(
        self,
        *,
        activities: Any = None,
        schedule: Schedule | None = None,
        on_trace_ready: Any = None,
        record_shapes: bool = True,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        synchronize: bool = False,
    ) -> None:
        self._session = PROFILER.session(
            record_shapes=record_shapes,
            profile_memory=profile_memory,
            with_stack=with_stack,
            with_flops=with_flops,
            synchronize=synchronize,
            schedule=schedule,
            on_trace_ready=on_trace_ready,
        )
        self._switch = Switch(NAME, True)

    def __enter__(self) -> Profile:
        found: Profile = self._session.__enter__()
        self._switch.__enter__()
        return found

    def __exit__(self, *exc_info: Any) -> None:
        self._switch.__exit__(*exc_info)
        self._session.__exit__(*exc_info)


@contextmanager
def record_function(name: str) -> Iterator[None]:
    """A range with a name of the user's choice in the profile, if one is being made."""
    found = _current.get()
    if found is None or not found.recording:
        yield
        return
    event = found.begin(name)
    try:
        yield
    finally:
        found.end(event)


PROFILER = Profiler()
LAYERS.add(PROFILER)
