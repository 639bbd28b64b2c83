"""Steps along the gradient or its sign: SGD, averaged SGD, Rprop."""

from __future__ import annotations

from typing import Any

from dispatch_core._steps._formula import descended, formula, is_number, towards


@formula(rows=("step",))
def sgd_step_(
    xp: Any,
    param: Any,
    grad: Any,
    momentum_buffer: Any = None,
    *,
    step: Any,
    lr: Any,
    momentum: Any,
    dampening: Any,
    weight_decay: Any,
    nesterov: bool,
    maximize: bool,
) -> tuple[Any, ...]:
    """Stochastic gradient descent with momentum.

    At step 1 the buffer holds nothing yet (its content is undefined) and becomes the gradient
    itself, without dampening; all later steps are alike, and may be given as 2.
    """
    grad = descended(param, grad, weight_decay, maximize)
    if momentum_buffer is None:
        param -= grad * lr
        return param, None
    if step == 1:
        momentum_buffer = grad
    else:
        momentum_buffer *= momentum
        momentum_buffer += grad * (1 - dampening)
    direction = grad + momentum_buffer * momentum if nesterov else momentum_buffer
    param -= direction * lr
    return param, momentum_buffer


@formula(rows=("eta", "mu"))
def asgd_step_(
    xp: Any,
    param: Any,
    grad: Any,
    ax: Any,
    *,
    eta: Any,
    mu: Any,
    lambd: Any,
    weight_decay: Any,
    maximize: bool,
) -> tuple[Any, ...]:
    """Averaged stochastic gradient descent; `eta` and `mu` are the rates of step and average."""
    grad = descended(param, grad, weight_decay, maximize)
    param *= 1 - lambd * eta
    param -= grad * eta
    if is_number(mu) and mu == 1:
        return param, param
    return param, towards(ax, param, mu)


@formula()
def rprop_step_(
    xp: Any,
    param: Any,
    grad: Any,
    prev: Any,
    step_size: Any,
    *,
    eta_minus: Any,
    eta_plus: Any,
    step_size_min: Any,
    step_size_max: Any,
    maximize: bool,
) -> tuple[Any, ...]:
    """Resilient backpropagation: steps that grow while the gradient keeps its sign."""
    grad = -grad if maximize else grad
    agreement = grad * prev
    turned = agreement < 0
    longer = xp.where(agreement > 0, step_size * eta_plus, step_size)
    step_size = xp.where(turned, step_size * eta_minus, longer)
    step_size = xp.minimum(xp.maximum(step_size, step_size_min), step_size_max)
    grad = xp.where(turned, 0.0, grad)
    param -= xp.sign(grad) * step_size
    return param, grad, step_size
