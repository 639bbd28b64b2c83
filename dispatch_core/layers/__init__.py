"""The built-in layers, outermost first.

explain, profiler, subclass, views, devices, promotion, inference, override_body, forward_ad, autograd,
override, vmap, device (the kernels). The first two and those of override are imported and installed when
they are first used.
"""

from __future__ import annotations

from dispatch_core._layer import LAYERS
from dispatch_core.layers.autograd import Autograd
from dispatch_core.layers.inference import Inference
from dispatch_core.layers.kernel import KernelLayer
from dispatch_core.layers.promotion import Devices, Promotion
from dispatch_core.layers.subclass import Subclasses
from dispatch_core.layers.views import Views
from dispatch_core.layers.vmap import Vmap

BUILT_IN = (
    KernelLayer,
    Autograd,
    Inference,
    Promotion,
    Subclasses,
    Devices,
    Views,
    Vmap,
)


def install() -> None:
    """Install the built-in layers; they declare their order like any other."""
    LAYERS.add(*(cls() for cls in BUILT_IN))
