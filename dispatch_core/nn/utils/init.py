"""Modules without drawing their first values."""

from __future__ import annotations

import inspect
from typing import Any

from dispatch_core.nn.modules.module import Module


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A module whose parameters are made but not initialized: of undefined content.

    For those that are filled otherwise at once, as from a state. It is made on device `meta` and
    moved to `device`. RuntimeError for what is no module class, or one without argument `device`.
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, device="meta", **kwargs).to_empty(device=device)
