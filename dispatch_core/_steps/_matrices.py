"""Steps that look at a parameter as a whole: Adafactor, Muon."""

from __future__ import annotations

from typing import Any

from dispatch_core._steps._formula import formula, is_number, less, towards


@formula(rows=("step",), elementwise=False)
def adafactor_step_(
    xp: Any,
    param: Any,
    grad: Any,
    row_var: Any = None,
    col_var: Any = None,
    variance: Any = None,
    *,
    step: Any,
    lr: Any,
    beta2_decay: Any,
    eps1: Any,
    eps2: Any,
    d: Any,
    weight_decay: Any,
    maximize: bool,
) -> tuple[Any, ...]:
    """Adafactor: of a matrix only the mean squares of rows and columns are kept, else `variance`."""
    grad = -grad if maximize else grad
    weight = step**beta2_decay
    rate = xp.maximum(_root_mean_square(xp, param), eps2) * _smaller(xp, lr, step**-0.5)
    param *= 1 - lr * weight_decay
    square = grad * grad
    if variance is None:
        row_var = towards(row_var, xp.mean(square, -1)[..., None], weight)
        col_var = towards(col_var, xp.mean(square, -2)[..., None, :], weight)
        mean = xp.maximum(xp.mean(row_var, -2)[..., None], eps1)
        estimate = row_var * col_var / mean
    else:
        estimate = variance = towards(variance, square, weight)
    update = grad / xp.sqrt(xp.maximum(estimate, eps1 * eps1))
    clipped = xp.maximum(_root_mean_square(xp, update) / d, 1.0)
    return less(param, update, rate / clipped), row_var, col_var, variance


def _root_mean_square(xp: Any, x: Any) -> Any:
    return xp.sqrt(xp.mean(x * x))


def _smaller(xp: Any, a: Any, b: Any) -> Any:
    return min(a, b) if is_number(a) and is_number(b) else xp.minimum(a, b)


@formula(elementwise=False)
def muon_step_(
    xp: Any,
    param: Any,
    grad: Any,
    momentum_buffer: Any,
    *,
    lr: Any,
    momentum: Any,
    weight_decay: Any,
    nesterov: bool,
    ns_coefficients: tuple[float, float, float],
    ns_steps: int,
    eps: Any,
    adjust_lr_fn: str | None,
) -> tuple[Any, ...]:
    """Muon: the momentum, made orthogonal."""
    momentum_buffer = towards(momentum_buffer, grad, 1 - momentum)
    direction = momentum_buffer
    if nesterov:
        direction = grad + (momentum_buffer - grad) * momentum
    update = _orthogonal(xp, direction, ns_coefficients, ns_steps, eps)
    rows, columns = param.shape
    if adjust_lr_fn == "match_rms_adamw":
        scale = 0.2 * max(rows, columns) ** 0.5
    else:
        scale = max(1, rows / columns) ** 0.5
    param *= 1 - lr * weight_decay
    return less(param, update, lr * scale), momentum_buffer


def _orthogonal(
    xp: Any, x: Any, coefficients: tuple[float, float, float], steps: int, eps: Any
) -> Any:
    """A matrix with all its singular values near 1, by Newton and Schulz's iteration.

    Every value has the eight digits of bfloat16, as in PyTorch: five steps leave the singular values
    between 0.7 and 1.2 anyway, and trajectories agree.
    """
    a, b, c = coefficients
    # Veltkamp's splitting: what is added and taken off again leaves the upper digits, rounded.
    factor = 2.0**-7 / float(xp.finfo(x.dtype).eps) + 1

    def rounded(value: Any) -> Any:
        if factor == 2:
            return value
        high = value * factor
        return high - (high - value)

    tall = x.shape[0] > x.shape[1]
    x = rounded(x.mT if tall else x)
    norm = rounded(xp.sqrt(xp.sum(x * x)))
    x = rounded(x / xp.maximum(norm, eps))
    for _ in range(steps):
        gram = rounded(x @ x.mT)
        polynomial = rounded(gram * b + gram @ gram * c)
        x = rounded(x * a + polynomial @ x)
    return x.mT if tall else x
