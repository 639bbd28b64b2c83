"""Weights of convolutions in another order of memory."""

from __future__ import annotations

from typing import Any, TypeVar

from dispatch_core.nn.modules.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d
from dispatch_core.nn.modules.module import Module

M = TypeVar("M", bound=Module)


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Bring the weights of all 2d convolutions in a module to a memory format, in place."""
    return _convert(module, (Conv2d, ConvTranspose2d), memory_format)


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Bring the weights of all 3d convolutions in a module to a memory format, in place."""
    return _convert(module, (Conv3d, ConvTranspose3d), memory_format)


def _convert(module: M, kinds: tuple[type[Module], ...], memory_format: Any) -> M:
    for each in module.modules():
        if isinstance(each, kinds):
            each.weight.data = each.weight.detach().clone(memory_format=memory_format)
    return module
