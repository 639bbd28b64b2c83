"""The devices of one type as an object, as PyTorch has `torch.cuda`: `dc.cuda`, `dc.cpu`, `dc.<device>`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from contextvars import Token
from typing import Any

from dispatch_core._device import device as Device
from dispatch_core._errors import (
    AcceleratorError,
    DeviceNotFoundError,
    DeviceUnavailableError,
    OutOfMemoryError,
)
from dispatch_core._loader.devices import is_installed
from dispatch_core._place import as_device, default_device
from dispatch_core._random import Generator, generator_of
from dispatch_core._tensor import Tensor
from dispatch_core.backend import streams
from dispatch_core.backend.api import Backend, Memory
from dispatch_core.backend.registry import BACKENDS, backend_of
from dispatch_core.backend.streams import choose_index, choose_stream, restore_index


class DeviceModule:
    """What can be asked of all devices of one type, and done with them.

    Of a type that nothing installed provides it can be asked whether there are any.
    """

    AcceleratorError = AcceleratorError
    OutOfMemoryError = OutOfMemoryError

    def __init__(self, device_type: str) -> None:
        self._type = device_type
        self.__name__ = f"dispatch_core.{device_type}"

    @property
    def _backend(self) -> Backend:
        return backend_of(self._type)

    def __repr__(self) -> str:
        return f"<devices of type '{self._type}', {self.device_count()} of them usable>"

    def _place(self, device: Any) -> Device:
        """A device argument (None: the current one, a number, a device) as a usable device of the type."""
        numbered = isinstance(device, int) and not isinstance(device, bool)
        if device is None or numbered:
            return as_device(Device(self._type, device))
        found = as_device(device)
        if found.type != self._type:
            raise ValueError(f"expected a device of type '{self._type}', got '{found}'")
        return found

    def _index(self, device: Any) -> int | None:
        return self._place(device).index

    def is_available(self) -> bool:
        """Whether there is one that can be used now."""
        return self.device_count() > 0

    def device_count(self) -> int:
        """How many can be used now; 0 also where nothing provides the type."""
        try:
            return self._backend.count()
        except (DeviceNotFoundError, DeviceUnavailableError):
            return 0

    def is_initialized(self) -> bool:
        """Whether the type is in use: its plugin was loaded."""
        return self._type in BACKENDS

    def init(self) -> None:
        """Load the type's plugin now; DeviceNotFoundError or DeviceUnavailableError where it cannot be."""
        self._place(None)

    def get_device_name(self, device: Any = None) -> str:
        """What the driver calls a device."""
        self._index(device)
        return self._backend.describe()

    def synchronize(self, device: Any = None) -> None:
        """Wait until all work given to a device (None: to the current one), in any stream, is done."""
        self._backend.synchronize(self._index(device))

    # -- which one is the current one ----------------------------------------------------------------

    def device(self, device: Any) -> Current:
        """Context manager within which one of them, by number, is the current one of its type.

        It is what a name without a number means (`device="sim"`), for this thread or task; factories
        that are told no device go on making tensors where they did. None and -1 change nothing.
        """
        nothing = device is None or (isinstance(device, int) and device < 0)
        return Current(None if nothing else self._place(device))

    def device_of(self, obj: Tensor) -> Current:
        """The same with the device of a tensor; one of another type changes nothing."""
        return Current(obj.device if obj.device.type == self._type else None)

    def current_device(self) -> Any:
        """The number of the one that is meant where none is named; its type where devices have no numbers."""
        index = self._place(None).index
        return self._type if index is None else index

    def set_device(self, device: Any) -> None:
        """Make one the current one of its type, for this thread or task; a negative number changes nothing."""
        if not (isinstance(device, int) and device < 0):
            choose_index(self._place(device))

    # -- streams -------------------------------------------------------------------------------------

    @property
    def Stream(self) -> type:  # noqa: N802  PyTorch's name
        """The class of the type's streams: `Stream(device=None, priority=0)`; None is the current device."""
        return _StreamsOf("Stream", (), {"module": self})

    @property
    def Event(self) -> type:  # noqa: N802  PyTorch's name
        """The class of its events: `Event(enable_timing=False, blocking=False, interprocess=False)`."""
        return _EventsOf("Event", (), {"module": self})

    def current_stream(self, device: Any = None) -> streams.Stream:
        """The stream that a device's work of this thread or task goes to."""
        return self._backend.current_stream(self._index(device))

    def default_stream(self, device: Any = None) -> streams.Stream:
        """The stream that it goes to where no other was chosen."""
        return self._backend.default_stream(self._index(device))

    def set_stream(self, stream: streams.Stream) -> None:
        """Make a stream the current one of its device; None changes nothing."""
        if stream is not None:
            choose_stream(stream)

    def stream(self, stream: streams.Stream | None) -> AbstractContextManager[Any]:
        """Context manager within which a stream is the current one; None changes nothing."""
        return nullcontext() if stream is None else stream

    def empty_cache(self) -> None:
        """Give cached memory back to the system."""
        self._backend.reclaim()

    # -- memory ------------------------------------------------------------------------------------

    def _memory(self, device: Any) -> Memory:
        found = self._backend.memory(self._index(device))
        if found is None:
            raise NotImplementedError(
                f"device '{self._type}' does not say how much memory is in use"
            )
        return found

    def memory_allocated(self, device: Any = None) -> int:
        """The bytes that tensors hold; on the host those that the whole process does."""
        return self._memory(device).used

    def max_memory_allocated(self, device: Any = None) -> int:
        """The most bytes that were held since the start, or `reset_peak_memory_stats`."""
        return self._memory(device).peak

    def memory_reserved(self, device: Any = None) -> int:
        """The bytes taken from the system, cached ones included."""
        return self._memory(device).reserved

    def max_memory_reserved(self, device: Any = None) -> int:
        """The most bytes that were taken since the start, or `reset_peak_memory_stats`."""
        return _most_reserved(self._memory(device))

    def mem_get_info(self, device: Any = None) -> tuple[int, int]:
        """The bytes that are free, and all there are."""
        found = self._memory(device)
        return found.free, found.total

    def memory_stats(self, device: Any = None) -> dict[str, int]:
        """The same numbers under PyTorch's names."""
        found = self._memory(device)
        return {
            "allocated_bytes.all.current": found.used,
            "allocated_bytes.all.peak": found.peak,
            "reserved_bytes.all.current": found.reserved,
            "reserved_bytes.all.peak": _most_reserved(found),
        }

    def memory_summary(self, device: Any = None) -> str:
        """The same numbers as a text."""
        found = [(name, value) for name, value in self._memory(device)._asdict().items() if value]
        return "\n".join(f"{name:10s}{value / 2**20:12,.1f} MiB" for name, value in found)

    def reset_peak_memory_stats(self, device: Any = None) -> None:
        """Count the largest use from now on."""
        self._backend.reset_peak_memory(self._index(device))

    def set_per_process_memory_fraction(self, fraction: float, device: Any = None) -> None:
        """Let tensors hold that part of a device's memory at most; more is an OutOfMemoryError."""
        if not 0 <= fraction <= 1:
            raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
        limit = None if fraction == 1 else int(self._memory(device).total * fraction)
        self._backend.limit_memory(self._index(device), limit)

    # -- random numbers ----------------------------------------------------------------------------

    def manual_seed(self, seed: int) -> None:
        """Seed the generator of the current device."""
        self._generator(None).manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        """Seed the generators of all devices of the type; nothing where there are none."""
        for generator in self._generators():
            generator.manual_seed(seed)

    def seed(self) -> None:
        """Seed the generator of the current device with a number that cannot be foreseen."""
        self._generator(None).seed()

    def seed_all(self) -> None:
        """Seed the generators of all devices of the type with one number that cannot be foreseen."""
        self.manual_seed_all(int.from_bytes(os.urandom(8), "little") >> 1)

    def initial_seed(self) -> int:
        """The seed of the current device's generator."""
        return int(self._generator(None).initial_seed())

    def get_rng_state(self, device: Any = None) -> Tensor:
        """The state of a device's generator."""
        return self._generator(device).get_state()

    def set_rng_state(self, new_state: Tensor, device: Any = None) -> None:
        """Put a device's generator into a state that `get_rng_state` gave."""
        self._generator(device).set_state(new_state)

    def get_rng_state_all(self) -> list[Tensor]:
        """The states of the generators of all devices of the type."""
        return [generator.get_state() for generator in self._generators()]

    def set_rng_state_all(self, new_states: Iterable[Tensor]) -> None:
        """Put the generators of all devices of the type into states that `get_rng_state_all` gave."""
        for generator, state in zip(self._generators(), new_states, strict=True):
            generator.set_state(state)

    def _generator(self, device: Any) -> Generator:
        return generator_of(self._place(device))

    def _generators(self) -> list[Generator]:
        count = self.device_count()
        if not count:
            return []
        return [
            self._generator(index if self._backend.numbered else None) for index in range(count)
        ]


class _StreamsOf(type):
    """A class that makes streams of one device type, whatever class they are of there, and knows them."""

    module: DeviceModule

    def __call__(cls, device: Any = None, priority: int = 0) -> streams.Stream:
        return streams.Stream(cls.module._place(device), priority=priority)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, streams.Stream) and instance.device.type == cls.module._type


class _EventsOf(type):
    """The same for events, which are made on the current device."""

    module: DeviceModule

    def __call__(
        cls, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> streams.Event:
        options = {"blocking": blocking, "interprocess": interprocess}
        return streams.Event(cls.module._place(None), enable_timing=enable_timing, **options)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, streams.Event) and instance.device.type == cls.module._type


class Current:
    """Context manager within which a device is the current one of its type; None changes nothing."""

    def __init__(self, device: Device | None) -> None:
        self._device = device
        self._tokens: list[Token[Any]] = []

    def __enter__(self) -> None:
        if self._device is not None:
            self._tokens.append(choose_index(self._device))

    def __exit__(self, *exc_info: object) -> None:
        if self._device is not None:
            restore_index(self._tokens.pop(), self._device.type)


def _most_reserved(memory: Memory) -> int:
    return memory.peak_reserved or max(memory.peak, memory.reserved)


def get_device_module(device: Any = None) -> DeviceModule:
    """The devices of a type as an object: `device_count()`, `synchronize()`, `manual_seed()` and the like.

    `device` is a type, a device, or None for the default one. RuntimeError where no such device is
    installed, or it holds no values (`meta`).
    """
    found = default_device() if device is None else as_device(device)
    if not backend_of(found.type).holds_values:
        raise RuntimeError(
            f"device '{found.type}' has no module: it computes nothing that could be waited for or drawn"
        )
    return DeviceModule(found.type)


KNOWN = ("cpu", "cuda", "mps", "opencl", "xpu")
"""Types that have a module whether anything provides them or not: programs ask."""


def module_named(name: str) -> DeviceModule | None:
    """The module of a device type that is known or installed."""
    return DeviceModule(name) if name in KNOWN or is_installed(name) else None
