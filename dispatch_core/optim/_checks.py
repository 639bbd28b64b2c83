"""Checks of hyper-parameters and gradients that the optimizers share."""

from __future__ import annotations

from typing import Any

from dispatch_core.optim._core import Tensor


def check_one_element(name: str, value: Any) -> None:
    """Raises ValueError for a hyper-parameter that is a tensor of other than one element."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element, but got shape {tuple(value.shape)}")


def check_not_negative(what: str, value: Any) -> None:
    """Raises ValueError, "Invalid <what>: <value>", for a value below zero or NaN."""
    if not value >= 0.0:
        raise ValueError(f"Invalid {what}: {value} (expected a number >= 0)")


def check_positive(what: str, value: Any) -> None:
    """Raises ValueError, "Invalid <what>: <value>", for a value that is not above zero."""
    if not value > 0.0:
        raise ValueError(f"Invalid {what}: {value} (expected a number > 0)")


def check_at_least(least: int, what: str, value: Any) -> None:
    """Raises ValueError, "<what> should be >= <least> but is: <value>", for less or NaN."""
    if not value >= least:
        raise ValueError(f"{what} should be >= {least} but is: {value}")


def check_betas(betas: tuple[Any, Any]) -> None:
    """Raises ValueError for a beta that is not in [0, 1)."""
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(
                f"Invalid beta parameter at index {i}: {beta} (expected 0 <= beta < 1)"
            )


def check_implementation(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Raises RuntimeError for options that exclude each other."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`; set one of them to False")
    if fused and foreach:
        raise RuntimeError(
            "`fused` and `foreach` cannot be `True` together; every step is fused unless "
            "`fused=False`, so leave both out"
        )


def check_real(param: Tensor, optimizer: str) -> None:
    """Raises RuntimeError for a complex parameter."""
    if param.is_complex():
        raise RuntimeError(
            f"{optimizer} does not support complex parameters, but got {param.dtype}; "
            "optimize their real and imaginary parts (view_as_real)"
        )


def check_gradient(
    grad: Tensor, param: Tensor, group: dict[str, Any], optimizer: str, hint: str = ""
) -> None:
    """Raises RuntimeError for a gradient that the optimizer cannot work with."""
    if grad.is_sparse:
        raise RuntimeError(
            f"{optimizer} does not support sparse gradients{hint}; "
            "make the gradient dense (Embedding(sparse=False), grad.to_dense())"
        )
    if group.get("fused") and not param.is_floating_point():
        raise RuntimeError(
            "`fused=True` requires all the params to be floating point Tensors, but got "
            f"{param.dtype} on {param.device}; leave `fused` out"
        )
