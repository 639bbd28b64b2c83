"""Older names of what is called differently today."""

from __future__ import annotations

from typing import Any

from dispatch_core.nn.modules.loss import NLLLoss
from dispatch_core.nn.modules.module import Module


class Container(Module):
    """Holds the modules that it is given by name; `ModuleDict` and `Sequential` took its place."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        for name, module in kwargs.items():
            self.add_module(name, module)


class NLLLoss2d(NLLLoss):
    """`NLLLoss` of images, which `NLLLoss` takes itself."""
