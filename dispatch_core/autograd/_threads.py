"""Whether backward passes may use threads: remembered as in PyTorch; passes run in their caller's thread."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_ALLOWED: ContextVar[bool] = ContextVar("backward_threads", default=True)


def is_multithreading_enabled() -> bool:
    """Whether backward passes of this thread or task may use other threads; here they never do."""
    return _ALLOWED.get()


class set_multithreading_enabled:
    """Say at once whether backward passes may use threads; as a context manager or decorator, until its end.

    Passes run in the calling thread whatever was said, so gradients and hooks do not depend on it.
    """

    def __init__(self, mode: bool) -> None:
        self._mode = mode
        self._token = _ALLOWED.set(mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc_info: object) -> None:
        _ALLOWED.reset(self._token)

    def __call__(self, function: F) -> F:
        _ALLOWED.reset(self._token)
        mode = self._mode

        @functools.wraps(function)
        def told(*args: Any, **kwargs: Any) -> Any:
            with set_multithreading_enabled(mode):
                return function(*args, **kwargs)

        return told  # type: ignore[return-value]
