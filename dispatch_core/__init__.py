"""Deep learning with PyTorch's programming model, in which every part that varies is a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch_core import ops as _ops  # declares the operators
from dispatch_core import _methods, autograd, plugins
from dispatch_core._construct import as_tensor, from_numpy, scalar_tensor, tensor
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
from dispatch_core._loader.devices import devices
from dispatch_core._loader.layers import layer
from dispatch_core._op import OPERATORS as _OPERATORS
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

_install()
_methods.bind()


def __getattr__(name: str) -> Any:
    found = _PUBLIC.get(name)
    if found is None:
        raise AttributeError(f"module 'dispatch_core' has no attribute '{name}'")
    return found


_PUBLIC: dict[str, Any] = dict(_DTYPES)
for _declared in _OPERATORS.values():
    if _declared.exposure.namespace == "":
        _PUBLIC[_declared.op.name] = _declared.front
        if _declared.exposure.inplace is not None:
            _PUBLIC[_declared.op.name + "_"] = _declared.exposure.inplace
    for _alias in _declared.exposure.aliases:
        if "." not in _alias:
            _PUBLIC[_alias] = _declared.front
globals().update(_PUBLIC)
