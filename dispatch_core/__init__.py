"""Deep learning with PyTorch's programming model, in which every part that varies is a plugin."""

from __future__ import annotations

from importlib import import_module as _import_module
from math import e, inf, nan, pi
from typing import Any

from dispatch_core._startup import NoCollection as _NoCollection

with _NoCollection():
    from dispatch_core import _loader, _methods, autograd, random  # noqa: F401  it fills slots
    from dispatch_core import ops as _ops  # noqa: F401  declares the operators
from dispatch_core import _settings  # noqa: F401  its functions are public
from dispatch_core._buffers import asarray, from_file, frombuffer, to_dlpack
from dispatch_core._construct import as_tensor, from_dlpack, from_numpy, scalar_tensor, tensor
from dispatch_core._device import device
from dispatch_core._dtypes import PUBLIC_NAMES as _DTYPES
from dispatch_core._dtypes import (
    can_cast,
    dtype,
    finfo,
    get_default_dtype,
    iinfo,
    promote_types,
    set_default_dtype,
)
from dispatch_core._errors import AcceleratorError, OutOfMemoryError
from dispatch_core._layer import LAYERS as _LAYERS
from dispatch_core._layouts import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from dispatch_core._namespaces import names_of as _names_of
from dispatch_core._op import OPERATORS as _OPERATORS
from dispatch_core._printing import set_printoptions
from dispatch_core._random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
    thread_safe_generator,
)
from dispatch_core._size import Size
from dispatch_core._storage import TypedStorage, UntypedStorage
from dispatch_core._subclass import subclass_hooks
from dispatch_core._tensor import Tensor
from dispatch_core._typed import TYPES as _TYPES
from dispatch_core._typed import set_default_tensor_type
from dispatch_core._version import __version__
from dispatch_core.autograd import (
    enable_grad,
    inference_mode,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from dispatch_core.autograd._anomaly import set_anomaly_enabled
from dispatch_core.autograd._forward import ForwardMode as _ForwardMode
from dispatch_core.backend.streams import Event, Stream
from dispatch_core.layers import install as _install
from dispatch_core.layers.fallback import fallback_report
from dispatch_core.layers.policies import emulation, fallback, set_emulation, set_fallback

_install()
_LAYERS.add(_ForwardMode())
_methods.bind()

newaxis = None

# The public names of dtypes and operators come from their tables.
globals().update(_DTYPES | _TYPES | _names_of(""))

_FACES = frozenset(
    {
        "accelerator",
        "backends",
        "amp",
        "array_api",
        "distributions",
        "fft",
        "func",
        "linalg",
        "nn",
        "optim",
        "overrides",
        "plugins",
        "profiler",
        "return_types",
        "signal",
        "special",
        "testing",
        "utils",
    }
)
"""Public namespaces that are imported when they are first named, to keep the import short."""


_AUTOCAST = (
    "autocast",
    "autocast_decrement_nesting",
    "autocast_increment_nesting",
    "clear_autocast_cache",
    "get_autocast_dtype",
    "is_autocast_cache_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
)
_LATE = dict.fromkeys(_AUTOCAST, "amp.autocast_mode") | {
    "devices": "_loader.devices",
    "explain": "layers.explain",
    "get_device_module": "_device_module",
    "layer": "_loader.layers",
    "load": "_saving",
    "lobpcg": "_lobpcg",
    "override": "layers.override",
    "save": "_saving",
    "vmap": "func",
}
"""Public functions whose module is imported when they are first named, and that module."""


def __getattr__(name: str) -> Any:
    if name in _FACES:
        return _import_module(f"dispatch_core.{name}")
    if name in _LATE:
        found = getattr(_import_module(f"dispatch_core.{_LATE[name]}"), name)
        globals()[name] = found
        return found
    if not name.startswith("_") and name in _tables():
        return globals()[name]
    devices = None if name.startswith("_") else _import_module("dispatch_core._device_module")
    module = devices and devices.module_named(name)
    if module:
        return globals().setdefault(name, module)
    raise AttributeError(f"module 'dispatch_core' has no attribute '{name}'")


def _tables() -> dict[str, Any]:
    """The names of all dtypes and operators; those of operators that waited are entered here."""
    _OPERATORS.complete()
    found = _DTYPES | _names_of("")
    globals().update(found)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_FACES, *_LATE, *_tables()})


__all__ = [
    "AcceleratorError",
    "Event",
    "Generator",
    "OutOfMemoryError",
    "Size",
    "Stream",
    "Tensor",
    "TypedStorage",
    "UntypedStorage",
    "__version__",
    "as_tensor",
    "asarray",
    "autograd",
    "can_cast",
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "default_generator",
    "device",
    "dtype",
    "e",
    "emulation",
    "enable_grad",
    "fallback",
    "fallback_report",
    "finfo",
    "from_dlpack",
    "from_file",
    "from_numpy",
    "frombuffer",
    "get_default_dtype",
    "get_rng_state",
    "iinfo",
    "inf",
    "inference_mode",
    "initial_seed",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "layout",
    "manual_seed",
    "memory_format",
    "nan",
    "newaxis",
    "no_grad",
    "pi",
    "preserve_format",
    "promote_types",
    "random",
    "scalar_tensor",
    "seed",
    "set_anomaly_enabled",
    "set_default_dtype",
    "set_default_tensor_type",
    "set_emulation",
    "set_fallback",
    "set_grad_enabled",
    "set_printoptions",
    "set_rng_state",
    "strided",
    "subclass_hooks",
    "tensor",
    "thread_safe_generator",
    "to_dlpack",
]


class _All(list[str]):
    """The names above, and when the first is read (by `from dispatch_core import *`) those of the tables."""

    def __getitem__(self, at: Any) -> Any:
        if at == 0 and "add" not in self:
            self.extend([*_FACES, *_LATE, *_tables()])
        return super().__getitem__(at)


globals()["__all__"] = _All(__all__)
