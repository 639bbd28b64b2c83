"""Optimizer steps over lists of arrays, in place, without temporaries as large as a parameter.

Every function takes lists of equal length whose i-th arrays have one shape: the parameters, their
gradients, and the state, which the caller allocates (zeros at first) and keeps. Parameters and
state are overwritten, gradients are not. With float16 and bfloat16 the arithmetic is in float32.
A list of state that an option does not need is given as None.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dispatch_cpu.kernels._common import Array
from dispatch_cpu.kernels._optim_blocks import BLOCK, TWO_PASSES, blocks

Arrays = Sequence[Array]


def sgd_step_(
    params: Arrays,
    grads: Arrays,
    momentum_buffers: Arrays | None,
    steps: Sequence[float],
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """Stochastic gradient descent as torch.optim.SGD.

    momentum_buffers are needed if momentum is not 0. `steps` counts from 1, this step included;
    at a parameter's first step its buffer becomes the undampened gradient.
    """
    changed = [params]
    if momentum:
        changed.append(_required(momentum_buffers, "momentum_buffers", "momentum"))
    first = [step == 1 for step in steps]
    block = BLOCK if momentum else TWO_PASSES
    scratch = _Scratch(block)
    # Its few passes take less time than gathering small parameters would.
    for is_first, (param, *buffers), raw in blocks(changed, grads, first, small=0, block=block):
        work, grad = scratch.pair(param)
        grad = _effective_grad(param, raw, weight_decay, maximize, grad)
        if momentum:
            buffer = buffers[0]
            if is_first:
                buffer[...] = grad
            else:
                buffer *= momentum
                np.multiply(grad, 1 - dampening, out=work)
                buffer += work
            if nesterov:
                np.multiply(buffer, momentum, out=work)
                work += grad
                grad = work
            else:
                grad = buffer
        np.multiply(grad, lr, out=work)
        param -= work


def adam_step_(
    params: Arrays,
    grads: Arrays,
    exp_avgs: Arrays,
    exp_avg_sqs: Arrays,
    max_exp_avg_sqs: Arrays | None,
    steps: Sequence[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    amsgrad: bool,
    maximize: bool,
    decoupled_weight_decay: bool,
) -> None:
    """Adam (Kingma and Ba 2015) as torch.optim.Adam; AdamW with `decoupled_weight_decay`.

    `steps` counts from 1, this step included. `amsgrad` (Reddi et al. 2018) needs max_exp_avg_sqs.
    """
    changed = [params, exp_avgs, exp_avg_sqs]
    if amsgrad:
        changed.append(_required(max_exp_avg_sqs, "max_exp_avg_sqs", "amsgrad"))
    coupled = 0.0 if decoupled_weight_decay else weight_decay
    scratch = _Scratch()
    for step, (param, mean, square, *largest), raw in blocks(changed, grads, steps):
        work, grad = scratch.pair(param)
        if decoupled_weight_decay and weight_decay:
            param *= 1 - lr * weight_decay
        grad = _effective_grad(param, raw, coupled, maximize, grad)
        _decay_towards(mean, grad, beta1, work)
        _decay_towards_square(square, grad, beta2, work)
        if amsgrad:
            np.maximum(largest[0], square, out=largest[0])
            square = largest[0]
        # lr m / c1 / (sqrt(v / c2) + eps), with the correction c2 moved to the scalars
        correction = (1 - beta2**step) ** 0.5
        np.sqrt(square, out=work)
        work += eps * correction
        np.divide(mean, work, out=work)
        work *= lr * correction / (1 - beta1**step)
        param -= work


def rmsprop_step_(
    params: Arrays,
    grads: Arrays,
    square_avgs: Arrays,
    grad_avgs: Arrays | None,
    momentum_buffers: Arrays | None,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
    maximize: bool,
) -> None:
    """RMSprop as torch.optim.RMSprop. grad_avgs for `centered`, momentum_buffers for `momentum`."""
    changed = [params, square_avgs]
    if centered:
        changed.append(_required(grad_avgs, "grad_avgs", "centered"))
    if momentum:
        changed.append(_required(momentum_buffers, "momentum_buffers", "momentum"))
    scratch = _Scratch()
    for _, (param, square, *state), raw in blocks(changed, grads, [0] * len(params)):
        work, grad = scratch.pair(param)
        grad = _effective_grad(param, raw, weight_decay, maximize, grad)
        _decay_towards_square(square, grad, alpha, work)
        if centered:
            _decay_towards(state[0], grad, alpha, work)
            np.multiply(state[0], state[0], out=work)
            np.subtract(square, work, out=work)
            np.sqrt(work, out=work)
        else:
            np.sqrt(square, out=work)
        work += eps
        np.divide(grad, work, out=work)
        if momentum:
            buffer = state[-1]
            buffer *= momentum
            buffer += work
            np.multiply(buffer, lr, out=work)
        else:
            work *= lr
        param -= work


class _Scratch:
    """Two buffers of a block's size and dtype, made once for a step."""

    def __init__(self, block: int = BLOCK) -> None:
        self._block = block
        self._pairs: dict[np.dtype[np.generic], tuple[Array, Array]] = {}

    def pair(self, block: Array) -> tuple[Array, Array]:
        found = self._pairs.get(block.dtype)
        if found is None:
            found = np.empty(self._block, block.dtype), np.empty(self._block, block.dtype)
            self._pairs[block.dtype] = found
        return found[0][: block.size], found[1][: block.size]


def _required(state: Arrays | None, name: str, option: str) -> Arrays:
    if state is None:
        raise ValueError(
            f"{option} was asked for, but {name} is None: give one array per parameter"
        )
    return state


def _effective_grad(
    param: Array, raw: Array, weight_decay: float, maximize: bool, buffer: Array
) -> Array:
    """The gradient to descend: `raw` itself, or negated and with weight decay, in `buffer`."""
    if not weight_decay:
        return np.negative(raw, out=buffer) if maximize else raw
    np.multiply(param, weight_decay, out=buffer)
    combine = np.subtract if maximize else np.add
    return combine(buffer, raw, out=buffer)


def _decay_towards(average: Array, value: Array, decay: float, work: Array) -> None:
    """Average += (1 - decay) * (value - average)."""
    np.subtract(value, average, out=work)
    work *= 1 - decay
    average += work


def _decay_towards_square(average: Array, value: Array, decay: float, work: Array) -> None:
    """Average = decay * average + (1 - decay) * value ** 2."""
    np.multiply(value, value, out=work)
    work *= 1 - decay
    average *= decay
    average += work
