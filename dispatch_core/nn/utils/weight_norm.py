"""Weight norm by a hook before each call, as it was before `nn.utils.parametrizations.weight_norm`."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from dispatch_core.nn._core import Tensor
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter, is_lazy
from dispatch_core.nn.utils._hooks import hook_of
from dispatch_core.nn.utils._norms import norm_except, weight_of

M = TypeVar("M", bound=Module)


class WeightNorm:
    """The hook: makes the weight of the parameters `name_g` and `name_v`."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Tensor:
        """The weight as it is now."""
        magnitude, direction = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return weight_of(direction, magnitude, self.dim)

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Learn magnitude `weight_g` and direction `weight_v` of a weight apart (Salimans and Kingma, 2016).

    Deprecated for `nn.utils.parametrizations.weight_norm`, as FutureWarning says. RuntimeError where
    the weight has one already, ValueError for one without shape.
    """
    warnings.warn(
        "`nn.utils.weight_norm` is deprecated in favor of `nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    if hook_of(module, WeightNorm, name) is not None:
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to "
            "run the dummy forward before applying weight normalization"
        )
    del module._parameters[name]
    value = weight.detach()
    module.register_parameter(f"{name}_g", Parameter(norm_except(value, hook.dim)))
    module.register_parameter(f"{name}_v", Parameter(value))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the weight a parameter again; ValueError where it has no weight norm."""
    found = hook_of(module, WeightNorm, name)
    if found is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    key, hook = found
    del module._forward_pre_hooks[key]
    weight = hook.compute_weight(module)
    delattr(module, name)
    for part in ("g", "v"):
        del module._parameters[f"{name}_{part}"]
    setattr(module, name, Parameter(weight.detach()))
    return module
