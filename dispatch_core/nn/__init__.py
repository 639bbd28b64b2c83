"""Neural networks: layers, losses, their parameters, and how those begin."""

from dispatch_core.nn import functional, init, modules, utils
from dispatch_core.nn.modules import *  # noqa: F403  # modules/__init__.py lists every layer in its __all__
from dispatch_core.nn.modules import __all__ as _layers
from dispatch_core.nn.parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "functional", "init", "modules", "utils"]
__all__ += _layers
