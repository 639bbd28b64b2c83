"""The update formulas of the optimizers, each written once over lists of tensors.

What holds for all three:

* Lists come first: parameters, gradients, then the state. They have one length; all their tensors
  are real, of one dtype and on one device; row `i` of each belongs together.
* A list that the options leave without a purpose is None (`momentum_buffers` without momentum).
* Gradients are read, parameters and state are written, by kernels and bodies alike.
* Hyper-parameters follow by name, as plain Python numbers and booleans; `steps` holds for each row
  the number of this update, counted from 1. (A body also takes 0-d tensors for them, which is how
  `differentiable=True` and `capturable=True` call it; a kernel never sees those, nor the argument
  `differentiable`.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dispatch_core._dispatcher.gradient import NOT_DIFFERENTIABLE
from dispatch_core._families.base import FLOATING
from dispatch_core._families.others import custom
from dispatch_core._op import composite
from dispatch_core._tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])
Keep = Callable[[Tensor], Tensor]


def _step(*writes: str) -> Callable[[F], F]:
    """A step that overwrites the lists of these names."""
    return composite(
        custom(FLOATING),
        grad=NOT_DIFFERENTIABLE,
        namespace="_",
        writes=("params", *writes),
        handled=("differentiable",),
        outputs=0,
    )


@_step("momentum_buffers")
def sgd_step_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    momentum_buffers: Sequence[Tensor] | None = None,
    *,
    steps: Sequence[int],
    lr: Any,
    momentum: float,
    dampening: float,
    weight_decay: Any,
    nesterov: bool,
    maximize: bool,
    differentiable: bool = False,
) -> None:
    """Stochastic gradient descent, in place.

    `momentum_buffers` is None when `momentum` is 0. In a row with step 1 the buffer holds nothing
    yet (its content is undefined) and becomes the gradient itself, without dampening; all later
    steps are alike, and may be given as 2.
    """
    keep = _keeper(differentiable)
    for i, (param, raw) in enumerate(zip(params, grads, strict=True)):
        grad = _with_decay(-raw if maximize else raw, param, weight_decay, keep)
        if momentum_buffers is not None:
            buffer = momentum_buffers[i]
            if steps[i] == 1:
                buffer.copy_(grad)
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - dampening)
            grad = grad.add(buffer, alpha=momentum) if nesterov else buffer
        _descend(param, grad, lr, keep)


@_step("exp_avgs", "exp_avg_sqs", "max_exp_avg_sqs")
def adam_step_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    exp_avgs: Sequence[Tensor],
    exp_avg_sqs: Sequence[Tensor],
    max_exp_avg_sqs: Sequence[Tensor] | None = None,
    *,
    steps: Sequence[Any],
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: float,
    weight_decay: Any,
    amsgrad: bool,
    maximize: bool,
    decoupled_weight_decay: bool,
    differentiable: bool = False,
) -> None:
    """Adam and, with `decoupled_weight_decay`, AdamW, in place.

    `max_exp_avg_sqs` is None unless `amsgrad`.
    """
    keep = _keeper(differentiable)
    for i, (param, raw) in enumerate(zip(params, grads, strict=True)):
        grad = -raw if maximize else raw
        if not decoupled_weight_decay:
            grad = _with_decay(grad, param, weight_decay, keep)
        elif _in_use(weight_decay):
            param.mul_(1 - lr * weight_decay)

        mean = exp_avgs[i].lerp_(grad, 1 - beta1)
        square = _update_square(exp_avg_sqs[i], grad, beta2)
        if max_exp_avg_sqs is not None:
            largest = max_exp_avg_sqs[i]
            square = largest.copy_(keep(largest).maximum(keep(square)))
        step_size = lr / (1 - beta1 ** steps[i])
        denominator = (square.sqrt() / (1 - beta2 ** steps[i]) ** 0.5).add_(eps)
        if isinstance(step_size, Tensor):
            param.addcdiv_(keep(mean), denominator / -step_size)
        else:
            param.addcdiv_(keep(mean), denominator, value=-step_size)


@_step("square_avgs", "grad_avgs", "momentum_buffers")
def rmsprop_step_(
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    square_avgs: Sequence[Tensor],
    grad_avgs: Sequence[Tensor] | None = None,
    momentum_buffers: Sequence[Tensor] | None = None,
    *,
    lr: Any,
    alpha: float,
    eps: float,
    weight_decay: Any,
    momentum: float,
    centered: bool,
    maximize: bool,
    differentiable: bool = False,
) -> None:
    """RMSprop, in place.

    `grad_avgs` is None unless `centered`, `momentum_buffers` is None unless `momentum` > 0.
    """
    keep = _keeper(differentiable)
    for i, (param, raw) in enumerate(zip(params, grads, strict=True)):
        grad = _with_decay(-raw if maximize else raw, param, weight_decay, keep)
        variance = _update_square(square_avgs[i], grad, alpha)
        if grad_avgs is not None:
            mean = keep(grad_avgs[i].lerp_(grad, 1 - alpha))
            variance = variance.addcmul(mean, mean, value=-1)
        denominator = variance.sqrt().add(eps)
        if momentum_buffers is not None:
            direction = momentum_buffers[i].mul_(momentum).addcdiv_(grad, denominator)
        else:
            direction = grad / denominator
        _descend(param, direction, lr, keep)


def _keeper(differentiable: bool) -> Keep:
    """How a tensor is handed to an operation whose gradient keeps it.

    State is overwritten at the next step, so autograd needs a copy of its own.
    """
    return _clone if differentiable else _same


def _clone(tensor: Tensor) -> Tensor:
    return tensor.clone()


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _in_use(weight_decay: Any) -> bool:
    """Whether there is weight decay; a tensor counts, since reading it would wait for it."""
    return isinstance(weight_decay, Tensor) or weight_decay != 0


def _with_decay(grad: Tensor, param: Tensor, weight_decay: Any, keep: Keep) -> Tensor:
    """The gradient of the loss plus `weight_decay / 2 * |param|^2`."""
    if isinstance(weight_decay, Tensor):
        return grad + keep(param) * weight_decay
    return grad.add(param, alpha=weight_decay) if weight_decay != 0 else grad


def _update_square(average: Tensor, grad: Tensor, decay: Any) -> Tensor:
    """Moves the running average of squares towards the square of `grad`, in place."""
    if isinstance(decay, Tensor):
        return average.lerp_(grad * grad, 1 - decay)
    return average.mul_(decay).addcmul_(grad, grad, value=1 - decay)


def _descend(param: Tensor, direction: Tensor, lr: Any, keep: Keep) -> None:
    """`param -= lr * direction`."""
    if isinstance(lr, Tensor):
        param.sub_(keep(direction) * lr)
    else:
        param.add_(direction, alpha=-lr)
