"""The run-time functions of device `sim`, and the launch of its kernels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from dispatch_core.extend import (
    VIEW_KERNELS,
    Backend,
    Memory,
    Place,
    Stream,
    dtype,
    fetched,
    register_staged,
)
from dispatch_sim import races
from dispatch_sim.array import SimArray
from dispatch_sim.memory import Block, Pool
from dispatch_sim.simulation import settings
from dispatch_sim.streams import STREAMS, SimEvent, SimStream

Kernel = Callable[..., Any]


class SimBackend(Backend):
    """Several devices whose work is numpy's, done at once, and watched as if it were not."""

    device = "sim"
    numbered = True
    array = SimArray
    stream = SimStream
    event = SimEvent

    def __init__(self) -> None:
        super().__init__()
        self._pools: dict[int, Pool] = {}
        register_staged(self, stage=SimBackend.launched)
        for op, view in VIEW_KERNELS.items():
            self.kernels.register(op, self.copying(view) if op == "reshape" else view)
        self.kernels.register("fill_new", self.fill_new)

    def pool(self, index: int) -> Pool:
        """The memory of a device."""
        return self._pools.get(index) or self._pools.setdefault(index, Pool(index))

    def queue(self, index: int | None) -> SimStream:
        """The current stream of a device."""
        found = self.current_stream(index)
        if not isinstance(found, SimStream):
            raise TypeError(f"expected a stream of device '{self.device}', got {found!r}")
        return found

    # -- work ----------------------------------------------------------------------------------------

    def begin(self, what: str, reads: Iterable[SimArray], index: int | None) -> SimStream:
        """Give the current stream of a device one more work, which reads some arrays."""
        stream = self.queue(index)
        with races.LOCK:
            stream.count += 1
            for array in reads:
                races.read(array.memory.uses, stream, what)
        return stream

    def made(self, values: Any, stream: SimStream, what: str) -> SimArray:
        """A new array with the result of a stream's present work."""
        with races.LOCK:
            races.allocated(stream)
            array = SimArray.of(np.asarray(values), self.pool(_number(stream)), stream)
            races.write(array.memory.uses, stream, what)
        return array

    def launched(self, function: Kernel) -> Kernel:
        """A kernel in the current stream from a function on numpy's arrays."""
        name = getattr(function, "__name__", "kernel")

        def kernel(*args: Any) -> Any:
            arrays: list[SimArray] = []

            def read(array: SimArray) -> Any:
                arrays.append(array)
                return array.numpy()

            given, index = fetched(self, args, read)
            stream = self.begin(name, arrays, index)
            start = time.perf_counter()
            with np.errstate(all="ignore"):
                results = function(*given)
            stream.seconds += time.perf_counter() - start
            if isinstance(results, tuple):
                return tuple(self.made(each, stream, name) for each in results)
            return self.made(results, stream, name)

        kernel.__name__ = kernel.__qualname__ = name
        return kernel

    def copying(self, view: Kernel) -> Kernel:
        """A view that copies where strides cannot show it: then it is work like any other."""

        def kernel(input: SimArray, *rest: Any) -> SimArray:
            found: SimArray = view(input, *rest)
            if found.memory is not input.memory:
                stream = self.begin(view.__name__, [input], self.index_of(input))
                races.write(found.memory.uses, stream, view.__name__)
            return found

        kernel.__name__ = kernel.__qualname__ = view.__name__
        return kernel

    def fill_new(self, size: Any, value: Any, place: Place) -> SimArray:
        """Memory first, so that too much of it is refused before the host has to find it."""
        stream = self.begin("fill_new", (), place.index)
        races.allocated(stream)
        block = Block(prod(size) * place.dtype.itemsize, self.pool(_number(stream)), stream)
        made = SimArray(block, place.dtype, tuple(size))
        if value is not None:
            if isinstance(value, complex) and not place.dtype.is_complex:
                raise RuntimeError(f"value {value} cannot be converted to type {place.dtype.name}")
            made.numpy()[...] = value
        races.write(block.uses, stream, "fill_new")
        return made

    # -- the run-time functions ----------------------------------------------------------------------

    def from_host_async(self, array: np.ndarray[Any, Any], index: int | None) -> SimArray:
        return self.made(
            array, self.begin("a copy from the host", (), index), "a copy from the host"
        )

    def from_host(self, array: np.ndarray[Any, Any], index: int | None) -> SimArray:
        if index is None:  # a number among a kernel's arguments: every device has it
            return SimArray.of(array, None, None)
        made = self.from_host_async(array, index)
        self.queue(index).synchronize()
        return made

    def to_host(self, raw: SimArray) -> np.ndarray[Any, Any]:
        self.begin("a copy to the host", [raw], self.index_of(raw)).synchronize()
        return raw.numpy().copy()

    def to_index(self, raw: SimArray, index: int | None) -> SimArray:
        """Between devices: the current streams of both wait for each other."""
        source = self.begin("a copy between devices", [raw], self.index_of(raw))
        target = self.queue(index)
        target.wait_stream(source)
        made = self.from_host_async(raw.numpy(), index)
        source.wait_stream(target)
        return made

    def write(self, target: SimArray, source: SimArray) -> None:
        stream = self.begin("a write", [source], self.index_of(target))
        with races.LOCK:
            races.write(target.memory.uses, stream, "a write")
        with np.errstate(all="ignore"):
            np.copyto(target.numpy(), source.numpy(), casting="unsafe")

    def copy(self, raw: SimArray) -> SimArray:
        return self.made(raw.numpy(), self.begin("a copy", [raw], self.index_of(raw)), "a copy")

    def dtype_of(self, raw: SimArray) -> dtype:
        return raw.dtype

    def layout_of(self, raw: SimArray) -> tuple[tuple[int, ...], int]:
        return raw.strides, raw.offset

    def index_of(self, raw: SimArray) -> int | None:
        return raw.memory.index

    def count(self) -> int:
        return settings().devices

    def synchronize(self, index: int | None) -> None:
        for stream in list(STREAMS):
            if index in (None, stream.device.index):
                stream.synchronize()

    def record_stream(self, raw: SimArray, stream: Stream) -> None:
        if isinstance(stream, SimStream):
            raw.memory.uses.recorded.add(stream)

    # -- memory --------------------------------------------------------------------------------------

    def memory(self, index: int | None) -> Memory:
        return self.pool(index or 0).figures()

    def reset_peak_memory(self, index: int | None) -> None:
        pool = self.pool(index or 0)
        pool.peak = pool.used

    def limit_memory(self, index: int | None, limit: int | None) -> None:
        self.pool(index or 0).limit = limit

    def describe(self) -> str:
        now = settings()
        return f"simulated over numpy, {now.memory / 2**20:,.0f} MiB each, races: {now.races}"


def _number(stream: SimStream) -> int:
    return stream.device.index or 0
