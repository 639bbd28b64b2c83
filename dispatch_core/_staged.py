"""numpy's kernels for a device whose arrays are of another kind: brought to the host, computed, brought back.

A backend that begins with these is complete at once, and its author replaces them one by one: a kernel
that he registers comes before a staged one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np

from dispatch_core._place import Place
from dispatch_core.backend.api import Backend, Raw
from dispatch_core.backend.array_kernels import computing

Kernel = Callable[..., Any]
PRIORITY = -10
"""Below whatever a backend registers itself."""


def fetched(
    backend: Backend, args: Sequence[Any], read: Callable[[Raw], Any]
) -> tuple[list[Any], int | None]:
    """A kernel's arguments with `read(array)` for each array, and the number of the device they are on.

    A factory's is that of its place. Raises RuntimeError where there are several, which the
    dispatcher words; arrays without a number (constants) may stand beside those of any device.
    """
    array, index_of = backend.array, backend.index_of
    indices: set[int | None] = set()
    given = list(args)
    for at, value in enumerate(given):
        if isinstance(value, array):
            indices.add(index_of(value))
            given[at] = read(value)
        elif isinstance(value, Place):
            indices.add(value.index)
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], array):
            indices.update(map(index_of, value))
            given[at] = list(map(read, value))
    numbers = indices - {None}
    if len(numbers) > 1:
        raise RuntimeError(f"the arrays are on several devices: {sorted(map(str, numbers))}")
    return given, numbers.pop() if numbers else None


def staged(backend: Backend, function: Kernel) -> Kernel:
    """A kernel on a backend's arrays from a function on numpy's; results go to the arguments' device."""
    read, make = backend.to_host, backend.from_host

    def kernel(*args: Any) -> Any:
        given, index = fetched(backend, args, read)
        with np.errstate(all="ignore"):
            results = function(*given)
        if isinstance(results, tuple):
            return tuple(make(np.asarray(each), index) for each in results)
        return make(np.asarray(results), index)

    kernel.__name__ = kernel.__qualname__ = getattr(function, "__name__", "kernel")
    return kernel


def register_staged(
    backend: Backend,
    only: Container[str] | None = None,
    stage: Callable[[Any, Kernel], Kernel] = staged,
) -> None:
    """Register numpy's kernels for all that computes; views are the backend's own.

    Args:
        backend: into whose table they go.
        only: the operators to register (`PRIMITIVES`, say); None: all that there are kernels for.
        stage: what makes a kernel for the backend of one for numpy's arrays.

    """
    for op, function, dtypes in computing(np):
        if only is None or op in only:
            backend.kernels.register(
                op,
                stage(backend, function),
                dtypes=dtypes,
                priority=PRIORITY,
                provider="numpy",
            )
