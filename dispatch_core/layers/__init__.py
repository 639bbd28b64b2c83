"""The built-in layers, outermost first: views, devices, promotion, autograd, device (kernels)."""

from __future__ import annotations

from dispatch_core._layer import LAYERS
from dispatch_core.layers.autograd import Autograd
from dispatch_core.layers.kernel import KernelLayer
from dispatch_core.layers.promotion import Devices, Promotion
from dispatch_core.layers.views import Views


def install() -> None:
    """Install the built-in layers; they declare their order like any other."""
    for layer in (KernelLayer(), Autograd(), Promotion(), Devices(), Views()):
        LAYERS.add(layer)
