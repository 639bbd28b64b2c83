"""The update formulas of the optimizers, each written once over lists of tensors.

These are the bodies of the operators `sgd_step_`, `adam_step_` and `rmsprop_step_`. A backend may
bring a kernel of the same name; it then gets the same arguments in the same order, raw arrays in
the place of tensors, and works in place as the bodies do. What holds for all three:

* Lists come first: parameters, gradients, then the state. All lists that are in use have one length,
  and all their tensors are real, of one dtype and on one device; row `i` of each belongs together.
* A list that the options leave without a purpose is empty (`momentum_buffers` without momentum).
* Gradients are read, parameters and state are written.
* Hyper-parameters follow as plain Python numbers and booleans. (A body also takes 0-d tensors for
  them, which is how `differentiable=True` and `capturable=True` call it; a kernel never sees those,
  nor the last argument `differentiable`.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._core import Tensor

Number = float | Tensor


def sgd_step_(
    params: list[Tensor],
    grads: list[Tensor],
    momentum_buffers: list[Tensor],
    *,
    lr: Number,
    momentum: float,
    dampening: float,
    weight_decay: Number,
    nesterov: bool,
    maximize: bool,
    first_step: bool,
    differentiable: bool = False,
) -> None:
    """Stochastic gradient descent, in place.

    `momentum_buffers` is empty when `momentum` is 0. With `first_step` the buffers hold nothing yet
    (their content is undefined) and become the gradient itself, without dampening.
    """
    saved = _saver(differentiable)
    for i, (param, raw_grad) in enumerate(zip(params, grads, strict=True)):
        grad = _with_decay(-raw_grad if maximize else raw_grad, param, weight_decay, saved)
        if momentum != 0:
            buffer = momentum_buffers[i]
            if first_step:
                buffer.copy_(grad.detach())
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - dampening)
            grad = grad.add(buffer, alpha=momentum) if nesterov else buffer
        _descend(param, grad, lr, saved)


def adam_step_(
    params: list[Tensor],
    grads: list[Tensor],
    exp_avgs: list[Tensor],
    exp_avg_sqs: list[Tensor],
    max_exp_avg_sqs: list[Tensor],
    *,
    step: Number,
    lr: Number,
    beta1: Number,
    beta2: Number,
    eps: float,
    weight_decay: Number,
    amsgrad: bool,
    maximize: bool,
    decoupled_weight_decay: bool,
    differentiable: bool = False,
) -> None:
    """Adam and, with `decoupled_weight_decay`, AdamW, in place.

    `step` counts from 1 and is the number of this update. `max_exp_avg_sqs` is empty unless `amsgrad`.
    """
    saved = _saver(differentiable)
    step_size = lr / (1 - beta1**step)
    correction2_sqrt = (1 - beta2**step) ** 0.5
    for i, (param, raw_grad) in enumerate(zip(params, grads, strict=True)):
        grad = -raw_grad if maximize else raw_grad
        if decoupled_weight_decay:
            if _in_use(weight_decay):
                param.mul_(1 - lr * weight_decay)
        else:
            grad = _with_decay(grad, param, weight_decay, saved)

        mean = exp_avgs[i].lerp_(grad, 1 - beta1)
        square = _update_square(exp_avg_sqs[i], grad, beta2)
        if amsgrad:
            largest = max_exp_avg_sqs[i]
            square = largest.copy_(saved(largest).maximum(saved(square)))
        denominator = (square.sqrt() / correction2_sqrt).add_(eps)
        if isinstance(step_size, Tensor):
            param.addcdiv_(saved(mean), denominator / -step_size)
        else:
            param.addcdiv_(saved(mean), denominator, value=-step_size)


def rmsprop_step_(
    params: list[Tensor],
    grads: list[Tensor],
    square_avgs: list[Tensor],
    grad_avgs: list[Tensor],
    momentum_buffers: list[Tensor],
    *,
    lr: Number,
    alpha: float,
    eps: float,
    weight_decay: Number,
    momentum: float,
    centered: bool,
    maximize: bool,
    differentiable: bool = False,
) -> None:
    """RMSprop, in place.

    `grad_avgs` is empty unless `centered`, `momentum_buffers` is empty unless `momentum` > 0.
    """
    saved = _saver(differentiable)
    for i, (param, raw_grad) in enumerate(zip(params, grads, strict=True)):
        grad = _with_decay(-raw_grad if maximize else raw_grad, param, weight_decay, saved)
        variance = _update_square(square_avgs[i], grad, alpha)
        if centered:
            mean = saved(grad_avgs[i].lerp_(grad, 1 - alpha))
            variance = variance.addcmul(mean, mean, value=-1)
        denominator = variance.sqrt().add(eps)
        if momentum > 0:
            _descend(param, momentum_buffers[i].mul_(momentum).addcdiv_(grad, denominator), lr, saved)
        else:
            _descend(param, grad / denominator, lr, saved)


BODIES: dict[str, Callable[..., None]] = {
    "sgd_step_": sgd_step_,
    "adam_step_": adam_step_,
    "rmsprop_step_": rmsprop_step_,
}


def _saver(differentiable: bool) -> Callable[[Tensor], Tensor]:
    """How a tensor is handed to an operation whose gradient keeps it.

    State is overwritten at the next step, so autograd needs a copy of its own.
    """
    return _clone if differentiable else _same


def _clone(tensor: Tensor) -> Tensor:
    return tensor.clone()


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _in_use(weight_decay: Number) -> bool:
    """Whether there is weight decay; a tensor counts as such, since looking at it would wait for it."""
    return isinstance(weight_decay, Tensor) or weight_decay != 0


def _with_decay(
    grad: Tensor, param: Tensor, weight_decay: Number, saved: Callable[[Tensor], Tensor]
) -> Tensor:
    """The gradient of the loss plus `weight_decay / 2 * |param|^2`."""
    if isinstance(weight_decay, Tensor):
        return grad + saved(param) * weight_decay
    return grad.add(param, alpha=weight_decay) if weight_decay != 0 else grad


def _update_square(average: Tensor, grad: Tensor, decay: Number) -> Tensor:
    """Moves the running average of squares towards the square of `grad`, in place."""
    if isinstance(decay, Tensor):
        return average.lerp_(grad * grad, 1 - decay)
    return average.mul_(decay).addcmul_(grad, grad, value=1 - decay)


def _descend(
    param: Tensor, direction: Tensor, lr: Any, saved: Callable[[Tensor], Tensor]
) -> None:
    """`param -= lr * direction`."""
    if isinstance(lr, Tensor):
        param.sub_(saved(direction) * lr)
    else:
        param.add_(direction, alpha=-lr)
