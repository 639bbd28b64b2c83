"""The devices of one type as an object, as PyTorch has `torch.cuda`: `dc.cuda`, `dc.cpu`, `dc.<device>`."""

from __future__ import annotations

from typing import Any

from dispatch_core._device import device as Device
from dispatch_core._errors import DeviceNotFoundError, DeviceUnavailableError
from dispatch_core._loader.devices import is_installed
from dispatch_core._op import K
from dispatch_core._place import as_device, default_device
from dispatch_core._random import generator_of
from dispatch_core._tensor import Tensor
from dispatch_core.backend.api import Backend, Memory
from dispatch_core.backend.registry import backend_of


class DeviceModule:
    """What can be asked of all devices of one type, and done with them.

    Of a type that nothing installed provides it can be asked whether there are any.
    """

    def __init__(self, device_type: str) -> None:
        self._type = device_type
        self.__name__ = f"dispatch_core.{device_type}"

    @property
    def _backend(self) -> Backend:
        return backend_of(self._type)

    def __repr__(self) -> str:
        return f"<devices of type '{self._type}', {self.device_count()} of them usable>"

    def _index(self, device: Any) -> int | None:
        if device is None:
            return None
        if isinstance(device, int):
            return as_device(Device(self._type, device)).index
        found = as_device(device)
        if found.type != self._type:
            raise ValueError(f"expected a device of type '{self._type}', got '{found}'")
        return found.index

    def is_available(self) -> bool:
        """Whether there is one that can be used now."""
        return self.device_count() > 0

    def device_count(self) -> int:
        """How many can be used now; 0 also where nothing provides the type."""
        try:
            return self._backend.count()
        except (DeviceNotFoundError, DeviceUnavailableError):
            return 0

    def device(self, device: Any) -> Device:
        """One of them, by number: a context manager within which tensors are made there."""
        return Device(self._type, self._index(device))

    def get_device_name(self, device: Any = None) -> str:
        """What the driver calls a device."""
        self._index(device)
        return self._backend.describe()

    def current_device(self) -> Any:
        """The number of the one that is meant where none is named; its type where devices have no numbers."""
        index = K.empty((0,), device=self._type).device.index
        return self._type if index is None else index

    def synchronize(self, device: Any = None) -> None:
        """Wait until all work given to a device (None: to the current one) is done."""
        self._backend.synchronize(self._index(device))

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
        }

    def memory_summary(self, device: Any = None) -> str:
        """The same numbers as a text."""
        found = self._memory(device)._asdict().items()
        return "\n".join(f"{name:10s}{value / 2**20:12,.1f} MiB" for name, value in found)

    def reset_peak_memory_stats(self, device: Any = None) -> None:
        """Count the largest use from now on."""
        self._backend.reset_peak_memory(self._index(device))

    # -- random numbers ----------------------------------------------------------------------------

    def manual_seed(self, seed: int) -> None:
        """Seed the generator of the current device."""
        self._generator(None).manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        """Seed the generators of all devices of the type; nothing where there are none."""
        for number in range(self.device_count()):
            index = None if isinstance(self.current_device(), str) else number
            generator_of(Device(self._type, index)).manual_seed(seed)

    def initial_seed(self) -> int:
        """The seed of the current device's generator."""
        return int(self._generator(None).initial_seed())

    def get_rng_state(self, device: Any = None) -> Tensor:
        """The state of a device's generator."""
        return self._generator(device).get_state()

    def set_rng_state(self, new_state: Tensor, device: Any = None) -> None:
        """Put a device's generator into a state that `get_rng_state` gave."""
        self._generator(device).set_state(new_state)

    def _generator(self, device: Any) -> Any:
        return generator_of(Device(self._type, self._index(device)))


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
