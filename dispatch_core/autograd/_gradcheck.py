"""`gradcheck` and `gradgradcheck`: derivatives compared with differences of function values.

Every tensor is taken as a vector of real numbers (a complex element counts as two), so that one
check serves real and complex functions: the gradient of a real number L with respect to a complex z
is dL/dRe(z) + i dL/dIm(z).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dispatch_core._construct import tensor
from dispatch_core._errors import GradcheckError
from dispatch_core._op import K
from dispatch_core._tensor import Tensor
from dispatch_core.autograd._grad_mode import enable_grad, no_grad
from dispatch_core.autograd._run import grad
from dispatch_core.autograd.forward_ad import dual_level, make_dual, unpack_dual

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Tolerance:
    eps: float
    atol: float
    rtol: float

    def close(self, a: Array, b: Array) -> bool:
        return bool(np.allclose(a, b, rtol=self.rtol, atol=self.atol))


def gradcheck(
    func: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of `func` at `inputs` agree with central differences of width 2 eps.

    Checks the inputs that require grad, and all differentiable outputs; outputs that require no
    grad must not depend on them. Inputs should be float64 or complex128. `check_forward_ad` compares
    tangents of forward mode too. `fast_mode` compares one random direction instead of the whole
    Jacobian. The check of batched gradients is not made.

    Raises GradcheckError where they differ (returns False with `raise_exception=False`), ValueError
    when no input requires grad.
    """
    arguments = _as_tuple(inputs)
    tolerance = _Tolerance(eps, atol, rtol)
    _check_inputs(arguments, eps)
    try:
        if check_backward_ad:
            _check(func, arguments, tolerance, nondet_tol, fast_mode)
            if check_undefined_grad:
                _check_undefined(func, arguments)
        if check_forward_ad:
            _check_forward(func, arguments, tolerance, fast_mode)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Function,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of the gradients of `func` agree with differences of the gradients.

    They are taken with respect to the inputs and to `grad_outputs`, which are random unless given.
    `check_fwd_over_rev` differentiates the gradients in forward mode too. Other arguments, and what
    is raised, as for `gradcheck`.
    """
    arguments = _as_tuple(inputs)
    count = len(arguments)
    if grad_outputs is None:
        with enable_grad():
            outputs = _differentiable(func(*arguments))
        random = np.random.default_rng(0)
        given = tuple(
            _from_real(random.uniform(-1, 1, _real_size(o)), o).requires_grad_() for o in outputs
        )
    else:
        given = _as_tuple(grad_outputs)
    at = [i for i, a in enumerate(arguments) if isinstance(a, Tensor) and a.requires_grad]

    def gradients(*values: Any) -> tuple[Tensor, ...]:
        with enable_grad():
            before = list(values[:count])
            for i in at:
                # Differences are taken without recording, but the gradient needs a record.
                if not before[i].requires_grad:
                    before[i] = before[i].detach().requires_grad_()
            results = _differentiable(func(*before))
            found = grad(
                results,
                [before[i] for i in at],
                values[count:],
                create_graph=True,
                allow_unused=True,
            )
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradients,
        (*arguments, *given),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=False,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
    )


# -- inputs and outputs --------------------------------------------------------------------------


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _check_inputs(arguments: Sequence[Any], eps: float) -> None:
    wanted = [a for a in arguments if isinstance(a, Tensor) and a.requires_grad]
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for index, argument in enumerate(arguments):
        if not (isinstance(argument, Tensor) and argument.requires_grad):
            continue
        if argument.dtype.name not in ("float64", "complex128"):
            warnings.warn(
                f"Input #{index} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision.",
                UserWarning,
                stacklevel=3,
            )
        if _real_size(argument) and any(
            s == 0 and n > 1 for s, n in zip(argument.stride(), argument.shape, strict=True)
        ):
            raise RuntimeError(
                f"The {index}th input has a dimension with stride 0. gradcheck only supports "
                "inputs that are non-overlapping to be able to compute the numerical gradients "
                "correctly. You should call .contiguous on the input before passing it to gradcheck."
            )


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)


def _differentiable(outputs: Any) -> list[Tensor]:
    return [t for t in _tensors(outputs) if t.requires_grad]


def _inexact(outputs: Any) -> list[Tensor]:
    return [t for t in _tensors(outputs) if t.dtype.is_floating_point or t.dtype.is_complex]


def _real_size(value: Tensor) -> int:
    n = 2 if value.dtype.is_complex else 1
    for size in value.shape:
        n *= size
    return n


def _to_real(value: Tensor) -> Array:
    """The elements as a vector of real numbers."""
    host = np.ascontiguousarray(value._backend.to_host(value.detach()._raw))
    if host.dtype.kind == "c":
        return host.reshape(-1).view(host.real.dtype).astype(np.float64)
    return host.reshape(-1).astype(np.float64)


def _from_real(vector: Array, like: Tensor) -> Tensor:
    """A tensor of the shape, dtype and device of `like` from a vector of real numbers."""
    host = np.ascontiguousarray(vector, np.float64)
    if like.dtype.is_complex:
        host = host.view(np.complex128)
    return tensor(host.reshape(like.shape), dtype=like.dtype, device=like.device)


# -- numerical ---------------------------------------------------------------------------------


class _Point:
    """The function's arguments, moved along a direction by writing into the tensors and back."""

    def __init__(self, func: Function, arguments: Sequence[Any]) -> None:
        self.func = func
        self.arguments = arguments
        self.wanted = [a for a in arguments if isinstance(a, Tensor) and a.requires_grad]
        self.start = [_to_real(x) for x in self.wanted]

    def values(self) -> list[Array]:
        with no_grad():
            return [_to_real(o) for o in _inexact(self.func(*self.arguments))]

    def recorded(self) -> list[Tensor]:
        """The outputs with their history; differences must have been taken before."""
        with enable_grad():
            return _inexact(self.func(*self.arguments))

    def place(self, at: int, vector: Array) -> None:
        with no_grad():
            self.wanted[at].copy_(_from_real(vector, self.wanted[at]))

    def difference(self, moves: Sequence[tuple[int, Array]], eps: float) -> list[Array]:
        """The derivative along a direction, for each output."""
        try:
            sides = []
            for sign in (1.0, -1.0):
                for at, move in moves:
                    self.place(at, self.start[at] + sign * eps * move)
                sides.append(self.values())
        finally:
            for at, _ in moves:
                self.place(at, self.start[at])
        return [(a - b) / (2 * eps) for a, b in zip(*sides, strict=True)]


def _check(
    func: Function,
    arguments: Sequence[Any],
    tolerance: _Tolerance,
    nondet_tol: float,
    fast_mode: bool,
) -> None:
    point = _Point(func, arguments)
    if not any(r.requires_grad for r in point.recorded()):
        _check_constant(point, tolerance)
    elif fast_mode:
        _check_direction(point, tolerance)
    else:
        _check_jacobian(point, tolerance, nondet_tol)


def _check_constant(point: _Point, tolerance: _Tolerance) -> None:
    for at in range(len(point.wanted)):
        moves = [(at, np.ones_like(point.start[at]))]
        for slope in point.difference(moves, tolerance.eps):
            if not tolerance.close(slope, np.zeros_like(slope)):
                raise GradcheckError(
                    "Numerical gradient for function expected to be zero, but its output does not "
                    f"require grad and changes with input {at}"
                )


def _check_jacobian(point: _Point, tolerance: _Tolerance, nondet_tol: float) -> None:
    columns = [
        [point.difference([(at, unit)], tolerance.eps) for unit in np.eye(start.size)]
        for at, start in enumerate(point.start)
    ]
    results = point.recorded()
    numerical = [
        [
            np.stack([c[k] for c in found]) if found else np.zeros((0, _real_size(r)))
            for k, r in enumerate(results)
        ]
        for found in columns
    ]
    for k, result in enumerate(results):
        if not result.requires_grad:
            continue
        analytical = _jacobian(point, result)
        again = _jacobian(point, result)
        for at in range(len(point.wanted)):
            if not np.allclose(analytical[at], again[at], rtol=0, atol=nondet_tol, equal_nan=True):
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and "
                    f"grad_output multiple times gives different values (output {k}, input {at}); "
                    f"the tolerance for nondeterminism was {nondet_tol}"
                )
            if not tolerance.close(analytical[at], numerical[at][k]):
                raise GradcheckError(
                    f"Jacobian mismatch for output {k} with respect to input {at},\n"
                    f"numerical:{numerical[at][k]}\nanalytical:{analytical[at]}\n"
                )


def _jacobian(point: _Point, result: Tensor) -> list[Array]:
    """The derivatives d result_j / d input_i for each input, by one backward pass a j."""
    rows: list[list[Array]] = [[] for _ in point.wanted]
    for unit in np.eye(_real_size(result)):
        found = grad(
            [result],
            point.wanted,
            [_from_real(unit, result)],
            retain_graph=True,
            allow_unused=True,
        )
        for row, x, g in zip(rows, point.wanted, found, strict=True):
            row.append(_gradient_vector(g, x))
    return [
        np.stack(row, axis=1) if row else np.zeros((start.size, 0))
        for row, start in zip(rows, point.start, strict=True)
    ]


def _gradient_vector(g: Tensor | None, x: Tensor) -> Array:
    if g is None:
        return np.zeros(_real_size(x))
    if g.shape != x.shape:
        raise GradcheckError(
            f"grad is incorrect size: expected {list(x.shape)}, got {list(g.shape)}"
        )
    if g.dtype is not x.dtype:
        raise GradcheckError(f"grad is incorrect type: expected {x.dtype}, got {g.dtype}")
    return _to_real(g)


def _check_direction(point: _Point, tolerance: _Tolerance) -> None:
    """One random direction u of each input and v of the outputs: v . J u both ways."""
    random = np.random.default_rng(0)
    directions = [
        random.uniform(0.2, 1, x.size) * random.choice([-1, 1], x.size) for x in point.start
    ]
    differences = [
        point.difference([(at, move)], tolerance.eps) for at, move in enumerate(directions)
    ]
    results = point.recorded()
    weights = [random.uniform(0.2, 1, _real_size(r)) for r in results]
    active = [k for k, r in enumerate(results) if r.requires_grad]
    found = grad(
        [results[k] for k in active],
        point.wanted,
        [_from_real(weights[k], results[k]) for k in active],
        retain_graph=True,
        allow_unused=True,
    )
    for at, (x, g) in enumerate(zip(point.wanted, found, strict=True)):
        terms = np.concatenate([differences[at][k] * weights[k] for k in active])
        analytical = _gradient_vector(g, x) @ directions[at]
        # Terms of both signs cancel: what is accurate to rtol is each term, not their sum.
        scale = np.abs(terms).sum()
        allowed = tolerance.atol * max(terms.size, 1) + tolerance.rtol * scale
        if not abs(terms.sum() - analytical) <= allowed:
            raise GradcheckError(
                f"Gradients failed to compare equal for input {at} along a random direction, "
                f"numerical:{terms.sum()}, analytical:{analytical}. Without fast_mode the message "
                "shows the whole Jacobian."
            )


def _check_forward(
    func: Function, arguments: Sequence[Any], tolerance: _Tolerance, fast_mode: bool
) -> None:
    """Tangents along each unit vector of each input, or along one random direction."""
    point = _Point(func, arguments)
    random = np.random.default_rng(0)
    for at, start in enumerate(point.start):
        moves = [random.uniform(0.2, 1, start.size)] if fast_mode else list(np.eye(start.size))
        for move in moves:
            numerical = point.difference([(at, move)], tolerance.eps)
            analytical = _tangents(point, at, move)
            for k, (n, a) in enumerate(zip(numerical, analytical, strict=True)):
                if not tolerance.close(a, n):
                    raise GradcheckError(
                        f"Jacobian computed with forward mode mismatch for output {k} with respect "
                        f"to input {at},\nnumerical:{n}\nanalytical:{a}\n"
                    )


def _tangents(point: _Point, at: int, move: Array) -> list[Array]:
    x = point.wanted[at]
    with dual_level():
        dual = make_dual(x, _from_real(move, x))
        results = _inexact(point.func(*[dual if a is x else a for a in point.arguments]))
        found = [unpack_dual(r).tangent for r in results]
    return [
        np.zeros(_real_size(r)) if t is None else _to_real(t)
        for r, t in zip(results, found, strict=True)
    ]


def _check_undefined(func: Function, arguments: Sequence[Any]) -> None:
    """A zero gradient must give zero gradients: the formulas multiply by what comes in."""
    wanted = [a for a in arguments if isinstance(a, Tensor) and a.requires_grad]
    with enable_grad():
        results = _differentiable(func(*arguments))
    if not results:
        return
    zeros = [K.zeros_like(r.detach()) for r in results]
    found = grad(results, wanted, zeros, allow_unused=True)
    for x, g in zip(wanted, found, strict=True):
        if np.any(_gradient_vector(g, x) != 0):
            raise GradcheckError("backward not multiplied by grad_output")
