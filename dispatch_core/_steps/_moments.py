"""Steps from running moments of the gradient: Adam and those named after it."""

from __future__ import annotations

from typing import Any

from dispatch_core._steps._formula import (
    decayed_square,
    descended,
    formula,
    is_number,
    less,
    regularized,
    towards,
)


@formula(rows=("step",))
def adam_step_(
    xp: Any,
    param: Any,
    grad: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    max_exp_avg_sq: Any = None,
    *,
    step: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: Any,
    weight_decay: Any,
    maximize: bool,
    decoupled_weight_decay: bool,
) -> tuple[Any, ...]:
    """Adam, and AdamW with `decoupled_weight_decay`; `max_exp_avg_sq` when amsgrad."""
    param, grad = regularized(param, grad, lr, weight_decay, maximize, decoupled_weight_decay)
    exp_avg = towards(exp_avg, grad, 1 - beta1)
    square = exp_avg_sq = decayed_square(exp_avg_sq, grad, beta2)
    if max_exp_avg_sq is not None:
        square = max_exp_avg_sq = xp.maximum(max_exp_avg_sq, square)
    # lr m / c1 / (sqrt(v / c2) + eps), with the correction c2 moved to the scalars
    correction = (1 - beta2**step) ** 0.5
    scale = xp.sqrt(square)
    scale += eps * correction
    param = less(param, exp_avg / scale, lr * correction / (1 - beta1**step))
    return param, exp_avg, exp_avg_sq, max_exp_avg_sq


@formula(rows=("step",))
def sparse_adam_step_(
    xp: Any,
    param: Any,
    grad: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    *,
    step: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: Any,
    maximize: bool,
) -> tuple[Any, ...]:
    """SparseAdam, of the rows that have a gradient: `eps` is not part of the correction."""
    grad = -grad if maximize else grad
    exp_avg = towards(exp_avg, grad, 1 - beta1)
    exp_avg_sq = decayed_square(exp_avg_sq, grad, beta2)
    rate = lr * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
    return less(param, exp_avg / (xp.sqrt(exp_avg_sq) + eps), rate), exp_avg, exp_avg_sq


@formula(rows=("step",))
def adamax_step_(
    xp: Any,
    param: Any,
    grad: Any,
    exp_avg: Any,
    exp_inf: Any,
    *,
    step: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: Any,
    weight_decay: Any,
    maximize: bool,
) -> tuple[Any, ...]:
    """Adamax: the largest decayed gradient in place of the second moment."""
    grad = descended(param, grad, weight_decay, maximize)
    exp_avg = towards(exp_avg, grad, 1 - beta1)
    size = abs(grad)
    size += eps
    exp_inf *= beta2
    exp_inf = xp.maximum(exp_inf, size)
    return less(param, exp_avg / exp_inf, lr / (1 - beta1**step)), exp_avg, exp_inf


@formula(rows=("step", "mu_product"))
def nadam_step_(
    xp: Any,
    param: Any,
    grad: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    *,
    step: Any,
    mu_product: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: Any,
    weight_decay: Any,
    momentum_decay: Any,
    maximize: bool,
    decoupled_weight_decay: bool,
) -> tuple[Any, ...]:
    """NAdam: Adam with Nesterov's momentum; `mu_product` is that of all momenta, this step's included."""
    param, grad = regularized(param, grad, lr, weight_decay, maximize, decoupled_weight_decay)
    mu = nadam_momentum(step, beta1, momentum_decay)
    mu_next = nadam_momentum(step + 1, beta1, momentum_decay)
    exp_avg = towards(exp_avg, grad, 1 - beta1)
    exp_avg_sq = decayed_square(exp_avg_sq, grad, beta2)
    ahead = exp_avg * (mu_next / (1 - mu_product * mu_next))
    ahead += grad * ((1 - mu) / (1 - mu_product))
    # as in Adam, with the correction of the second moment moved to the scalars
    correction = (1 - beta2**step) ** 0.5
    scale = xp.sqrt(exp_avg_sq)
    scale += eps * correction
    return less(param, ahead / scale, lr * correction), exp_avg, exp_avg_sq


def nadam_momentum(step: Any, beta1: Any, momentum_decay: Any) -> Any:
    """The momentum of a step, which grows towards beta1."""
    return beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))


@formula(rows=("step",))
def radam_step_(
    xp: Any,
    param: Any,
    grad: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    *,
    step: Any,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: Any,
    weight_decay: Any,
    maximize: bool,
    decoupled_weight_decay: bool,
) -> tuple[Any, ...]:
    """RAdam: Adam with its variance rectified, plain momentum while that is not yet possible."""
    param, grad = regularized(param, grad, lr, weight_decay, maximize, decoupled_weight_decay)
    exp_avg = towards(exp_avg, grad, 1 - beta1)
    exp_avg_sq = decayed_square(exp_avg_sq, grad, beta2)
    rate = lr / (1 - beta1**step)
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / (1 - beta2**step)
    if is_number(length) and length <= 5:
        param -= exp_avg * rate
        return param, exp_avg, exp_avg_sq
    rectified = (length - 4) * (length - 2) * longest
    rectified = rectified / ((longest - 4) * (longest - 2) * length)
    scale = xp.sqrt(exp_avg_sq)
    scale += eps
    update = exp_avg / scale
    update *= (rectified * (1 - beta2**step)) ** 0.5
    if not is_number(length):
        update = xp.where(length > 5, update, exp_avg)
    return less(param, update, rate), exp_avg, exp_avg_sq
