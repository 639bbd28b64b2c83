"""How worker processes are started, and whether what they are sent can be pickled for that."""

from __future__ import annotations

import multiprocessing
import pickle
from multiprocessing import context as contexts
from multiprocessing import reduction
from typing import Any, cast

import numpy as np

from dispatch_core.utils.data._core import Tensor, UnpicklableError, host_array


def checked_context(context: Any) -> Any:
    """A context, from a start method's name or as it is; ValueError, TypeError for anything else."""
    if context is None:
        return None
    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                "multiprocessing_context option should specify a valid start method in "
                f"{methods!r}, but got multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, contexts.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying "
            f"the start method, but got multiprocessing_context={context!r}"
        )
    return context


def process_context(context: Any) -> Any:
    """The context that processes are started in."""
    return multiprocessing.get_context() if context is None else context


def start_method(context: Any) -> str:
    """The start method of a context or of the program, which this does not settle."""
    settled: str | None
    if context is not None:
        settled = context.get_start_method()
    else:
        settled = multiprocessing.get_start_method(allow_none=True)
    return settled or multiprocessing.get_all_start_methods()[0]


def check_picklable(parts: dict[str, Any], context: Any, workers: int) -> None:
    """Raises UnpicklableError, which names the part, for what processes cannot be started with.

    Arrays and tensors are not copied for that.
    """
    method = start_method(context)
    if method == "fork":
        return
    for name, value in parts.items():
        try:
            _Probe().dump(value)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UnpicklableError(
                f"DataLoader with num_workers={workers} starts processes by {method!r}, which sends "
                f"them its {name}, but {name}={value!r} cannot be pickled: {error}. Define classes and "
                "functions at the top of a module (no lambdas), or use "
                "multiprocessing_context='fork' or worker='thread'"
            ) from error
        except Exception:  # noqa: BLE001  what only a real start can pickle shows itself there
            continue


class _Nowhere:
    def write(self, data: Any) -> int:
        return len(data)


class _Start:
    """Stands in for the start of a process, which locks, queues and pipes ask for to be pickled."""

    @staticmethod
    def duplicate_for_child(fd: int) -> int:
        return fd

    DupFd = duplicate_for_child


class _Probe(reduction.ForkingPickler):
    """Pickles as the start of a process does, but to nowhere and without the values of arrays."""

    def __init__(self) -> None:
        super().__init__(_Nowhere())

    def dump(self, obj: Any) -> None:
        before = contexts.get_spawning_popen()
        contexts.set_spawning_popen(cast(Any, _Start()))
        try:
            super().dump(obj)
        finally:
            contexts.set_spawning_popen(before)

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is np.ndarray and not obj.dtype.hasobject:
            return bytes, ()
        if isinstance(obj, Tensor) and host_array(obj) is not None:
            return bytes, ()
        return NotImplemented
