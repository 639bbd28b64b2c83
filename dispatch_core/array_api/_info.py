"""What the namespace can do, for those who ask it: `__array_namespace_info__()`."""

from __future__ import annotations

from typing import Any

from dispatch_core._device import device as Device
from dispatch_core._dtypes import dtype, get_default_dtype, int64
from dispatch_core._loader.devices import devices as _devices
from dispatch_core._op import K
from dispatch_core._place import DEFAULT
from dispatch_core.array_api._dtypes import isdtype
from dispatch_core.array_api._promotion import DTYPES, default_complex


class Info:
    """The standard's inspection functions."""

    def capabilities(self) -> dict[str, Any]:
        """What of the standard's optional behaviour is there."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Device:
        """Where arrays are made."""
        return DEFAULT.device

    def default_dtypes(self, *, device: Any = None) -> dict[str, dtype]:
        """The dtypes of arrays made without one."""
        return {
            "real floating": get_default_dtype(),
            "complex floating": default_complex(),
            "integral": int64,
            "indexing": int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, dtype]:
        """The dtypes of a kind by name; without kind, all."""
        return {d.name: d for d in DTYPES if kind is None or isdtype(d, kind)}

    def devices(self) -> tuple[Device, ...]:
        """The devices that can be used, as `x.device` of their arrays says."""
        return tuple(
            K.empty((0,), device=Device(found.type, number if found.count > 1 else None)).device
            for found in _devices()
            for number in range(found.count)
        )


def __array_namespace_info__() -> Info:  # noqa: N807  the standard's name
    """The inspection functions of the standard."""
    return Info()
