"""`get_device_module`: the devices of one type as an object, as PyTorch has `torch.cuda`."""

from __future__ import annotations

from typing import Any

from dispatch_core._device import device as Device
from dispatch_core._op import K
from dispatch_core._place import as_device, default_device
from dispatch_core._random import generator_of
from dispatch_core._tensor import Tensor
from dispatch_core.backend.registry import backend_of


class DeviceModule:
    """What can be asked of all devices of one type, and done with them."""

    def __init__(self, device_type: str) -> None:
        self._type = device_type
        self._backend = backend_of(device_type)
        self.__name__ = f"dispatch_core.{device_type}"

    def __repr__(self) -> str:
        return f"<devices of type '{self._type}': {self._backend.describe()}>"

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
        return self._backend.count() > 0

    def device_count(self) -> int:
        """How many can be used now."""
        return self._backend.count()

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

    def manual_seed(self, seed: int) -> None:
        """Seed the generator of the current device."""
        self._generator(None).manual_seed(seed)

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
