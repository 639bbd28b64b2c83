"""Activation checkpointing: what backward needs is computed again instead of kept (Chen et al. 2016).

A checkpointed call keeps its arguments only. When backward asks for the first tensor that the call would
have saved, it is run once more, and what it saves then is used. With `create_selective_checkpoint_contexts`
the results of chosen operators are kept all the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from dispatch_core._random import generator_of
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import no_grad
from dispatch_core.utils.checkpoint._frames import (
    CheckpointError,
    Contexts,
    Frame,
    GraphExecGroup,
)
from dispatch_core.utils.checkpoint._reentrant import (
    CheckpointFunction,
    check_backward_validity,
    detach_variable,
)
from dispatch_core.utils.checkpoint._selective import (
    CheckpointPolicy,
    SelectiveCheckpointContext,
    create_selective_checkpoint_contexts,
)

SAC_IGNORED_OPS: frozenset[Any] = frozenset()
"""Operators that no policy is asked about beside the views: none here."""
_EARLY_STOP: ContextVar[bool | None] = ContextVar("checkpoint_early_stop", default=None)
_DEBUG: ContextVar[bool | None] = ContextVar("checkpoint_debug", default=None)
_CHECKS = {"default": True, "none": False}


def noop_context_fn() -> Contexts:
    """Two contexts that do nothing: the default of `checkpoint`."""
    return nullcontext(), nullcontext()


@contextmanager
def _set(variable: ContextVar[bool | None], value: bool | None) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def set_checkpoint_early_stop(enable: bool) -> Any:
    """Context manager: whether recomputation stops when all that is needed was computed (default: yes)."""
    return _set(_EARLY_STOP, enable)


def set_checkpoint_debug_enabled(enabled: bool | None) -> Any:
    """Context manager: `debug` for all checkpoints within; None leaves it to each call."""
    return _set(_DEBUG, enabled)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`, saving nothing for backward but the arguments.

    Backward runs the function again. Random numbers are drawn again alike (`preserve_rng_state=True`).
    `use_reentrant=False` is recommended: it takes keyword arguments and nested structures, works with
    `autograd.grad` and higher derivatives, and stops early; with True (the default, which warns) backward
    goes back within backward. `context_fn` gives two contexts, for the first and the repeated run. What
    the repeated run saves is compared with what the first saved by shape, dtype and device
    (`determinism_check` "none": not); a difference raises CheckpointError, which with `debug` shows the
    operators of both.
    """
    if use_reentrant is None:
        use_reentrant = _default_variant("checkpoint")
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in _CHECKS:
        raise ValueError(
            f"determinism_check should be one of {list(_CHECKS)} but got {determinism_check!r}"
        )
    if debug and context_fn is not noop_context_fn:
        raise ValueError("debug=True is incompatible with non-default context_fn")
    stop, watch = _EARLY_STOP.get(), _DEBUG.get()
    frame = Frame(
        lambda: function(*args, **kwargs),
        (args, kwargs),
        context_fn(),
        preserve_rng_state=preserve,
        early_stop=early_stop if stop is None else stop,
        check=_CHECKS[determinism_check],
        debug=debug if watch is None else watch,
    )
    return frame.run()


def _default_variant(name: str) -> bool:
    warnings.warn(
        f"{name}: the use_reentrant parameter should be passed explicitly; use_reentrant=False is "
        "recommended, True is taken",
        stacklevel=3,
    )
    return True


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """A `Sequential` (or list of functions) in so many checkpointed segments, the last one not.

    Each segment keeps its input only; there is no use in one without parameters after it.
    """
    if use_reentrant is None:
        use_reentrant = _default_variant("checkpoint_sequential")
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)
    if not 1 <= segments <= len(steps):
        raise ValueError(
            f"expected from 1 to {len(steps)} segments, one function each, got {segments}"
        )
    size = len(steps) // segments
    start = 0
    for _ in range(segments - 1):
        input = checkpoint(
            _chain(steps[start : start + size]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
        start += size
    return _chain(steps[start:])(input)


def _chain(steps: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return run


def get_device_states(*args: Any) -> tuple[list[Any], list[Tensor]]:
    """The devices of the tensors among the arguments, the host left out, and their generators' states."""
    devices = sorted(
        {a.device for a in args if isinstance(a, Tensor) and a.device.type != "cpu"}, key=str
    )
    return devices, [generator_of(device).get_state() for device in devices]


def set_device_states(devices: Iterable[Any], states: Iterable[Tensor]) -> None:
    """Put the devices' generators into states that `get_device_states` gave."""
    with no_grad():
        for device, state in zip(devices, states, strict=True):
            generator_of(device).set_state(state)


__all__ = [
    "SAC_IGNORED_OPS",
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "GraphExecGroup",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]
