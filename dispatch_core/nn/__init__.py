"""Neural networks: layers, losses, their parameters, and how those begin."""

from dispatch_core.nn import functional, init, modules, utils
from dispatch_core.nn.modules import *  # noqa: F403  # its __all__ lists every layer
from dispatch_core.nn.modules._sizes import factory_kwargs
from dispatch_core.nn.parameter import (
    Buffer,
    Parameter,
    UninitializedBuffer,
    UninitializedParameter,
)

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "factory_kwargs",
    "functional",
    "init",
    "modules",
    "utils",
]
__all__ += modules.__all__
