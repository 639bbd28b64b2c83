"""Turning the recording of gradients on and off, for this thread or task."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Self, overload

from dispatch_core import _state
from dispatch_core._dual import OFF, ON
from dispatch_core._keys import INFERENCE
from dispatch_core._state import F, Switch


class _Mode(Switch):
    """A switch of grad mode that also decorates functions without being called first."""

    __slots__ = ()
    _on_value = False

    def __new__(cls, function: Any = None) -> Any:
        made = object.__new__(cls)
        Switch.__init__(made, "grad", cls._on_value)
        return made if function is None else made(function)

    def __init__(self, function: Any = None) -> None:
        pass


class no_grad(_Mode):
    """Operations inside are not recorded; context manager and decorator."""

    __slots__ = ()


class enable_grad(_Mode):
    """Operations inside are recorded, also inside `no_grad`; context manager and decorator."""

    __slots__ = ()
    _on_value = True


class inference_mode(Switch):
    """Neither records nor computes tangents, and what is made inside can never be recorded later.

    Such tensors (`is_inference()`) may not be saved for a gradient, written in place or made to require one
    outside; their clones may. `mode=False` leaves inference mode. Context manager and decorator.
    """

    __slots__ = ("_mode",)

    _mode: bool

    @overload
    def __new__(cls, mode: bool = True) -> Self: ...
    @overload
    def __new__(cls, mode: Callable[..., Any]) -> Any: ...
    def __new__(cls, mode: Any = True) -> Any:
        made = object.__new__(cls)
        on = mode if isinstance(mode, bool) else True
        made._mode = on
        back = _state.is_on("grad") or _state.is_on(INFERENCE)
        Switch.__init__(made, "grad", not on and back)
        return made if isinstance(mode, bool) else made(mode)

    def __init__(self, mode: Any = True) -> None:
        pass

    def __enter__(self) -> Self:
        entered = super().__enter__()
        number = _state.moved(_state.current_state(), INFERENCE, self._mode)
        if self._mode and _state.is_on(ON):
            number = _state.moved(number, OFF, True)
        _state.set_state(number)
        return entered

    def __call__(self, function: F) -> F:
        mode = self._mode

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with inference_mode(mode):
                return function(*args, **kwargs)

        return switched  # type: ignore[return-value]


class set_grad_enabled:
    """Turn recording on or off at once; as a context manager, until its end."""

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_grad_enabled(): argument 'mode' must be bool, not {type(mode).__name__}"
            )
        number = _state.current_state() or _state.open_context()
        self._token = _state.set_state(_state.moved(number, "grad", mode))

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc_info: object) -> None:
        _state.reset_state(self._token)


def is_grad_enabled() -> bool:
    """Whether operations are being recorded."""
    return _state.is_on("grad")
