"""Steps scaled by past gradients' squares: Adagrad, Adadelta, RMSprop."""

from __future__ import annotations

from typing import Any

from dispatch_core._steps._formula import decayed_square, descended, formula, less, towards


@formula(rows=("step",))
def adagrad_step_(
    xp: Any,
    param: Any,
    grad: Any,
    sum: Any,
    *,
    step: Any,
    lr: Any,
    lr_decay: Any,
    eps: Any,
    weight_decay: Any,
    maximize: bool,
) -> tuple[Any, ...]:
    """Adagrad: `sum` is that of all squares so far."""
    grad = descended(param, grad, weight_decay, maximize)
    sum += grad * grad
    rate = lr / (1 + (step - 1) * lr_decay)
    scale = xp.sqrt(sum)
    scale += eps
    return less(param, grad / scale, rate), sum


@formula()
def adadelta_step_(
    xp: Any,
    param: Any,
    grad: Any,
    square_avg: Any,
    acc_delta: Any,
    *,
    lr: Any,
    rho: Any,
    eps: Any,
    weight_decay: Any,
    maximize: bool,
) -> tuple[Any, ...]:
    """Adadelta: the gradient in units of past steps."""
    grad = descended(param, grad, weight_decay, maximize)
    square_avg = decayed_square(square_avg, grad, rho)
    delta = xp.sqrt((acc_delta + eps) / (square_avg + eps))
    delta *= grad
    acc_delta = decayed_square(acc_delta, delta, rho)
    return less(param, delta, lr), square_avg, acc_delta


@formula()
def rmsprop_step_(
    xp: Any,
    param: Any,
    grad: Any,
    square_avg: Any,
    momentum_buffer: Any = None,
    grad_avg: Any = None,
    *,
    lr: Any,
    alpha: Any,
    eps: Any,
    weight_decay: Any,
    momentum: Any,
    maximize: bool,
) -> tuple[Any, ...]:
    """RMSprop: `grad_avg` when centered, `momentum_buffer` with momentum."""
    grad = descended(param, grad, weight_decay, maximize)
    square_avg = decayed_square(square_avg, grad, alpha)
    variance = square_avg
    if grad_avg is not None:
        grad_avg = towards(grad_avg, grad, 1 - alpha)
        variance = square_avg - grad_avg * grad_avg
    scale = xp.sqrt(variance)
    scale += eps
    direction = grad / scale
    if momentum_buffer is None:
        return less(param, direction, lr), square_avg, None, grad_avg
    momentum_buffer *= momentum
    momentum_buffer += direction
    param -= momentum_buffer * lr
    return param, square_avg, momentum_buffer, grad_avg
