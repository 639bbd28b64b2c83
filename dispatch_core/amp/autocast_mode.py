"""`autocast`, PyTorch's switches for it, and the decorators for functions with gradients of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Self, TypeVar

from dispatch_core import _state
from dispatch_core._caller import warn
from dispatch_core._device import device as Device
from dispatch_core._dtypes import bfloat16, dtype, float16
from dispatch_core._tensor import Tensor
from dispatch_core.layers.autocast import CACHE, PREFIX, casts

F = TypeVar("F", bound=Callable[..., Any])

_dtypes: ContextVar[Mapping[str, dtype]] = ContextVar(
    "autocast_dtypes", default=MappingProxyType({"cpu": bfloat16})
)
"""The dtype that a device type casts to by default; float16 where none is named."""
_cached: ContextVar[bool] = ContextVar("autocast_cached", default=True)
_nesting: ContextVar[int] = ContextVar("autocast_nesting", default=0)


def _type_of(device: Any) -> str:
    if not isinstance(device, (str, Device)):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device).__name__}`")
    return Device(device).type


class _Block:
    """Context manager in which autocast is as `_switched` says, with the cache of weights or without."""

    def __init__(self, cache_enabled: bool | None) -> None:
        self._cache_enabled = cache_enabled
        self._undo: list[tuple[Any, ...]] = []

    def _switched(self) -> int:
        raise NotImplementedError

    def __enter__(self) -> Self:
        cached = _cached.get() if self._cache_enabled is None else self._cache_enabled
        self._undo.append(
            (
                _state.set_state(self._switched()),
                _cached.set(cached),
                CACHE.open() if cached else CACHE.off(),
            )
        )
        return self

    def __exit__(self, *exc_info: object) -> None:
        state, cached, cache = self._undo.pop()
        if cache is not None:
            CACHE.close(cache)
        _cached.reset(cached)
        _state.reset_state(state)


class autocast(_Block):  # noqa: N801  the name that users know
    """Context manager and decorator: on a device type operators run in the precision that suits them.

    Products run in `dtype` (bfloat16 on the cpu, float16 elsewhere, unless `set_autocast_dtype` said
    otherwise); losses, decompositions and the like in float32; see `layers/autocast.py` for which.
    Blocks may be nested, also to switch it off. Weights are cast once for the outermost block, unless
    `cache_enabled=False`. Float64 and integers are never cast. The gradient of a cast is in the
    dtype before it, so parameters keep theirs and their gradients.

    Raises ValueError for a `device_type` that is no string, RuntimeError for a malformed one. A
    `dtype` other than float16 and bfloat16 switches it off, with a warning.
    """

    def __init__(
        self,
        device_type: str,
        dtype: dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        self.device = _type_of(device_type)
        self.fast_dtype = get_autocast_dtype(self.device) if dtype is None else dtype
        if enabled and self.fast_dtype not in (float16, bfloat16):
            warn(
                f"In {self.device.upper()} autocast, but the target dtype {self.fast_dtype} is not "
                "supported. Disabling autocast. It supports dtypes of dc.bfloat16 and dc.float16."
            )
            enabled = False
        self._enabled = enabled
        super().__init__(cache_enabled)

    def _switched(self) -> int:
        return _switched(self.device, self.fast_dtype if self._enabled else None)

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def cast(*args: Any, **kwargs: Any) -> Any:
            with autocast(self.device, self.fast_dtype, self._enabled, self._cache_enabled):
                return function(*args, **kwargs)

        return cast  # type: ignore[return-value]


def _switched(device: str, target: dtype | None) -> int:
    """The number of the state in which a device type casts to a dtype, or not."""
    prefix = f"{PREFIX}{device}:"
    return _state.renamed(prefix, frozenset([prefix + target.name] if target else ()))


class AutocastOfNow(_Block):
    """Context manager in which autocast is, on all devices, as it was when this was made.

    For what computes later what was asked for now, as a recomputation in backward does.
    """

    def __init__(self) -> None:
        super().__init__(_cached.get())
        self._names = _state.names_of(PREFIX)

    def _switched(self) -> int:
        return _state.renamed(PREFIX, self._names)


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast knows a device type: any one whose name is well formed."""
    _type_of(device_type)
    return True


# -- PyTorch's switches ---------------------------------------------------------------------------


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether autocast is on for a device type; without one, for cuda."""
    number = _state.current_state() or _state.open_context()
    return _type_of("cuda" if device_type is None else device_type) in casts(_state.STATES[number])


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Switch autocast on or off for a device type, from here on in this thread or task."""
    device = "cuda" if enabled is None else _type_of(device_type)
    on = device_type if enabled is None else enabled
    _state.set_state(_switched(device, get_autocast_dtype(device) if on else None))


def get_autocast_dtype(device_type: str) -> dtype:
    """The dtype to which autocast casts on a device type; inside a block, the block's."""
    device = _type_of(device_type)
    number = _state.current_state() or _state.open_context()
    on = casts(_state.STATES[number]).get(device)
    return on or _dtypes.get().get(device, float16)


def set_autocast_dtype(device_type: str, dtype: dtype) -> None:
    """Set the dtype to which autocast casts on a device type, from here on in this thread or task."""
    device = _type_of(device_type)
    _dtypes.set({**_dtypes.get(), device: dtype})
    if is_autocast_enabled(device):
        _state.set_state(_switched(device, dtype))


def is_autocast_cache_enabled() -> bool:
    """Whether autocast keeps the casts of weights."""
    return _cached.get()


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Say whether autocast keeps the casts of weights, from here on in this thread or task."""
    _cached.set(bool(enabled))


def clear_autocast_cache() -> None:
    """Forget the casts of weights."""
    CACHE.clear()


def autocast_increment_nesting() -> int:
    """Count one more block; returns how many there are."""
    _nesting.set(_nesting.get() + 1)
    return _nesting.get()


def autocast_decrement_nesting() -> int:
    """Count one block less; returns how many there are."""
    _nesting.set(_nesting.get() - 1)
    return _nesting.get()


# -- functions with gradients of their own --------------------------------------------------------


def custom_fwd(
    fwd: Any = None, *, device_type: str, cast_inputs: dtype | None = None
) -> Callable[..., Any]:
    """Decorator for `forward` of an `autograd.Function` that is called under autocast.

    With `cast_inputs` floating tensors on the device are cast to it and autocast is off inside;
    otherwise `forward` runs as it is, and `backward`, under `custom_bwd`, in the same mode.
    """
    device = _type_of(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        ctx._dtype = get_autocast_dtype(device)
        on = is_autocast_enabled(device)
        ctx._fwd_used_autocast = on and cast_inputs is None
        if not on or cast_inputs is None:
            return fwd(ctx, *args, **kwargs)
        with autocast(device, enabled=False):
            given = _cast((args, kwargs), device, cast_inputs)
            return fwd(ctx, *given[0], **given[1])

    return decorated


def custom_bwd(bwd: Any = None, *, device_type: str) -> Callable[..., Any]:
    """Decorator for `backward` of an `autograd.Function`: it runs as `forward` did under `custom_fwd`."""
    device = _type_of(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device)

    @functools.wraps(bwd)
    def decorated(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with autocast(device, dtype=ctx._dtype, enabled=ctx._fwd_used_autocast):
            return bwd(ctx, *args, **kwargs)

    return decorated


def _cast(value: Any, device: str, target: dtype) -> Any:
    """Floating tensors on a device in another dtype, also inside lists, tuples and dicts; not float64."""
    if isinstance(value, Tensor):
        eligible = value.is_floating_point() and value.device.type == device
        return value.to(target) if eligible and value.dtype.itemsize < 8 else value
    if isinstance(value, Mapping):
        return {_cast(k, device, target): _cast(v, device, target) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(each, device, target) for each in value)
    return value
