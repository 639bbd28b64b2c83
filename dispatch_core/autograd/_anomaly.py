"""Anomaly mode: backward names the forward line of an operation that fails or gives NaN."""

from __future__ import annotations

import warnings
from contextvars import Token
from typing import Self

from dispatch_core import _state

TRACES = "anomaly"
CHECKS_NAN = "anomaly_nan"


def _switch(mode: bool, check_nan: bool) -> Token[int]:
    number = _state.current_state() or _state.open_context()
    number = _state.moved(number, TRACES, mode)
    return _state.set_state(_state.moved(number, CHECKS_NAN, mode and check_nan))


class detect_anomaly:
    """Context manager: remember where each operation was called, and raise when a gradient is NaN.

    The error of the backward pass then carries the forward call as a note. Slow: to find mistakes.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        self._tokens: list[Token[int]] = []
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            UserWarning,
            stacklevel=2,
        )

    def __enter__(self) -> Self:
        self._tokens.append(_switch(True, self._check_nan))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _state.reset_state(self._tokens.pop())


class set_detect_anomaly:
    """Turn anomaly mode on or off at once; as a context manager, until its end."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._token = _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc_info: object) -> None:
        _state.reset_state(self._token)


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """Turn anomaly mode on or off at once, until it is turned again."""
    _switch(enabled, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return _state.is_on(TRACES)


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN in gradients."""
    return _state.is_on(CHECKS_NAN)
