"""Deep learning with PyTorch's programming model, in which every part that varies is a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch_core import ops as _ops  # declares the operators
from dispatch_core import _methods, autograd, plugins, profiler, random
from dispatch_core._construct import as_tensor, from_numpy, scalar_tensor, tensor
from dispatch_core._device import device
from dispatch_core._dispatcher.policy import emulation, fallback, set_emulation, set_fallback
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
from dispatch_core._loader.devices import devices
from dispatch_core._loader.layers import layer
from dispatch_core._namespaces import names_of as _names_of
from dispatch_core._random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from dispatch_core._printing import set_printoptions
from dispatch_core._size import Size
from dispatch_core._tensor import Tensor
from dispatch_core._version import __version__
from dispatch_core.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from dispatch_core.layers import install as _install
from dispatch_core.layers.explain import explain
from dispatch_core.layers.fallback import fallback_report
from dispatch_core.layers.override import override

_install()
_methods.bind()


def __getattr__(name: str) -> Any:
    found = _PUBLIC.get(name)
    if found is None:
        raise AttributeError(f"module 'dispatch_core' has no attribute '{name}'")
    return found


_PUBLIC: dict[str, Any] = _DTYPES | _names_of("")
globals().update(_PUBLIC)
