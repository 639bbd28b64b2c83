"""What the framework needs of a device: the `Backend` base class, eight run-time functions and a kernel table.

A raw array may be an object of any class that has a `shape` (a tuple of ints) and a `base` (None where
it owns its memory, else the owner, as numpy has it) and can be weakly referenced. Everything else the
framework asks of it goes through the methods below or through kernels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from dispatch_core._device import device_named
from dispatch_core._dtypes import dtype
from dispatch_core._keys import key_number
from dispatch_core._numbers import fitting
from dispatch_core.backend.kernels import KernelTable
from dispatch_core.backend.streams import Event, Stream, chosen_stream

Raw = Any


class Memory(NamedTuple):
    """Memory of a device, in bytes."""

    used: int
    """What tensors hold; on the host what the whole process does."""
    peak: int
    """The most that was used since the start, or since `reset_peak_memory`."""
    reserved: int
    """What the process has taken from the system, cached memory included."""
    free: int
    total: int
    peak_reserved: int = 0
    """The most that was reserved; 0 where nothing is cached, so that it is `peak`."""


class Backend(ABC):
    """One device type: its arrays and its kernels."""

    device: ClassVar[str]
    """The device type, as in `device="cpu"`; equals the name of the plugin's entry point."""
    parent: ClassVar[str | None] = None
    """The device type whose kernels serve where this one has none of its own (`opencl.intel` -> `opencl`)."""
    array: ClassVar[type]
    """The class of a raw array."""
    raw_operators: ClassVar[frozenset[dtype]] = frozenset()
    """Dtypes whose raw arrays compute `+ - * / **`, comparisons and `@` with arrays and Python scalars as
    tensors do, result dtype included: gradient formulas then run on raw arrays, without tensors between."""

    holds_values: ClassVar[bool] = True
    """Whether elements can be read; else operators skip the checks that would have to (device `meta`)."""

    numbered: ClassVar[bool] = False
    """Whether its devices have numbers (`sim:0`, `sim:1`): a place then always has an index, and
    `index_of` gives one; where no number is named, the current one of the thread is meant."""

    accelerator: ClassVar[bool] = True
    """Whether `dc.accelerator` may take it: not the host, nor what only stands in for a device."""

    stream: ClassVar[type[Stream]] = Stream
    event: ClassVar[type[Event]] = Event
    """The classes of its queues and of marks in them; as they are, all streams are one in-order queue."""

    host_memory: ClassVar[bool] = False
    """Whether the arrays lie in host memory: `to_host` then shares it, and DLPack may pass it on."""

    provider: str = "dispatch_core"
    """The distribution that brought the backend; set when it is loaded."""

    def __init__(self) -> None:
        self.kernels = KernelTable(self.device)
        self._default_streams: dict[int | None, Stream] = {}

    # -- the eight run-time functions ------------------------------------------------------------

    @abstractmethod
    def from_host(self, array: np.ndarray[Any, Any], index: int | None) -> Raw:
        """A raw array on device `index` with the contents of a host array (always a copy)."""

    @abstractmethod
    def to_host(self, raw: Raw) -> np.ndarray[Any, Any]:
        """The contents as a host array; shares memory where the device is the host."""

    @abstractmethod
    def write(self, target: Raw, source: Raw) -> None:
        """Copy `source` into the memory of `target`, broadcasting and casting as needed."""

    @abstractmethod
    def copy(self, raw: Raw) -> Raw:
        """A new contiguous array with the same contents."""

    @abstractmethod
    def dtype_of(self, raw: Raw) -> dtype:
        """The dtype of the elements."""

    def key_of(self, raw: Raw) -> int:
        """The plain dispatch key of a tensor around the array."""
        return key_number(self.device, self.dtype_of(raw))

    def storage_of(self, raw: Raw) -> object:
        """The array that owns the memory: the same for all views of one array."""
        base = raw.base
        while base.__class__ is self.array:
            raw = base
            base = raw.base
        return raw

    @abstractmethod
    def layout_of(self, raw: Raw) -> tuple[tuple[int, ...], int]:
        """Strides and offset in elements, relative to the start of the storage."""

    @abstractmethod
    def count(self) -> int:
        """How many devices of this type can be used now (0: none; `why_unavailable` says why)."""

    def synchronize(self, index: int | None) -> None:  # noqa: B027  may stay empty
        """Wait until all work given to the device is done; nothing to wait for by default."""

    # -- streams and several devices, all optional ---------------------------------------------------

    def from_host_async(self, array: np.ndarray[Any, Any], index: int | None) -> Raw:
        """`from_host` for `non_blocking=True`: may return before the current stream has done the copy."""
        return self.from_host(array, index)

    def to_index(self, raw: Raw, index: int | None) -> Raw:
        """A copy of an array on another device of the type; through the host unless overridden."""
        return self.from_host(self.to_host(raw), index)

    def default_stream(self, index: int | None) -> Stream:
        """The queue that a device's work goes to where no other stream was made current."""
        found = self._default_streams.get(index)
        if found is None:
            made = self.stream(device_named(self.device, index))
            found = self._default_streams.setdefault(index, made)
        return found

    def current_stream(self, index: int | None) -> Stream:
        """The stream that work of this thread or task goes to; kernels ask for it."""
        return chosen_stream(device_named(self.device, index)) or self.default_stream(index)

    def use_stream(self, stream: Stream) -> None:  # noqa: B027  may stay empty
        """Told in a thread that a stream becomes the current one there, for libraries that want to know."""

    def use_index(self, index: int) -> None:  # noqa: B027  may stay empty
        """Told in a thread which device becomes the current one there, for libraries that want to know."""

    def record_stream(self, raw: Raw, stream: Stream) -> None:  # noqa: B027  may stay empty
        """Keep the memory from being used again, once free, before the stream has done its present work."""

    # -- what most backends can leave as it is ------------------------------------------------------

    def why_unavailable(self) -> str:
        """One line for the user when `count()` is 0."""
        return "no device of this type was found on this machine"

    def index_of(self, raw: Raw) -> int | None:
        """The number of the device that holds the array; None where there is only one."""
        return None

    def as_array(self, result: Any) -> Raw:
        """A raw array from what a kernel returned when it is not of class `array` (numpy's scalars)."""
        raise TypeError(
            f"a kernel of device '{self.device}' returned {type(result).__name__}, "
            f"expected {self.array.__name__}"
        )

    def open_thread(self) -> None:  # noqa: B027  may stay empty
        """Runs once in every thread before its first operator."""

    def reclaim(self) -> None:  # noqa: B027  may stay empty
        """Give cached memory back (`dc.empty_cache()`)."""

    def memory(self, index: int | None) -> Memory | None:
        """How much memory of a device is in use; None where that is not known."""
        return None

    def reset_peak_memory(self, index: int | None) -> None:  # noqa: B027  may stay empty
        """Count the largest use of memory from now on."""

    def limit_memory(self, index: int | None, limit: int | None) -> None:
        """Let tensors of a device hold so many bytes at most; None: as many as there are."""
        raise NotImplementedError(f"device '{self.device}' cannot limit its memory")

    def describe(self) -> str:
        """One line for `python -m dispatch_core devices`."""
        return f"{self.device}: {self.count()} device(s)"

    def scalar(self, value: complex, dtype: dtype) -> Raw:
        """A read-only 0-d array of a Python number; RuntimeError where it does not fit the dtype."""
        try:
            host = np.asarray(value, dtype.numpy_dtype)
        except OverflowError:
            host = np.asarray(fitting(value, dtype), dtype.numpy_dtype)
        return self.from_host(host, None)
