"""Spectral norm by a hook before each call, as before `nn.utils.parametrizations.spectral_norm`."""

from __future__ import annotations

from typing import Any, TypeVar

from dispatch_core.nn._core import F, Tensor, no_grad
from dispatch_core.nn.modules.module import Module
from dispatch_core.nn.parameter import Parameter, is_lazy
from dispatch_core.nn.utils._hooks import hook_of
from dispatch_core.nn.utils._norms import as_matrix, iterate_power, output_dim

M = TypeVar("M", bound=Module)


class SpectralNorm:
    """The hook: divides the parameter `name_orig` by its largest singular value."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.n_power_iterations = n_power_iterations
        self.dim = dim
        self.eps = eps

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Tensor:
        """The weight as it is now, perhaps after further steps of the power method."""
        name = self.name
        weight, u, v = (getattr(module, f"{name}_{part}") for part in ("orig", "u", "v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            # v first, as states of this hook expect
            new_v, new_u = iterate_power(matrix.mH, v, u, self.n_power_iterations, self.eps)
            with no_grad():
                u.copy_(new_u)
                v.copy_(new_v)
            u, v = new_u, new_v
        result: Tensor = weight / u.dot(matrix.mv(v))
        return result

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Keep the largest singular value of a weight at 1 (Miyato et al., 2018).

    The weight is `weight_orig`, the singular vectors are the buffers `weight_u` and `weight_v`.
    `nn.utils.parametrizations.spectral_norm` does the same without a hook. RuntimeError where the
    weight has one already, ValueError for one without shape and a number of steps that is not positive.
    """
    if hook_of(module, SpectralNorm, name) is not None:
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to "
            "run the dummy forward before applying spectral normalization"
        )
    hook = SpectralNorm(name, n_power_iterations, output_dim(module) if dim is None else dim, eps)
    sizes = as_matrix(weight.detach(), hook.dim).shape
    vectors = [F.normalize(weight.detach().new_empty(n).normal_(), dim=0, eps=eps) for n in sizes]
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())
    for part, vector in zip("uv", vectors, strict=True):
        module.register_buffer(f"{name}_{part}", vector)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the weight a parameter again; ValueError where it has no spectral norm."""
    found = hook_of(module, SpectralNorm, name)
    if found is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    key, hook = found
    del module._forward_pre_hooks[key]
    with no_grad():
        weight = hook.compute_weight(module, do_power_iteration=False)
    for part in (name, f"{name}_u", f"{name}_v", f"{name}_orig"):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight.detach()))
    return module
