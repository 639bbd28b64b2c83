"""Forward mode against reverse mode: for random u and v, <u, J v> is <J^T u, v>."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dispatch_core._construct import tensor
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import can_cast, float64
from dispatch_core._op import Declared, K
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import grad
from dispatch_core.autograd.forward_ad import dual_level, make_dual, unpack_dual
from dispatch_core.testing._checks.common import about, fail, seeded
from dispatch_core.testing._checks.gradients import _exact_dtypes, _gradient_calls
from dispatch_core.testing._comparison import assert_close, host_of
from dispatch_core.testing._samples import Sample, samples_of, tensors_in

Function = Callable[..., tuple[Tensor, ...]]


def _random_like(tensors: Sequence[Tensor], seed: int) -> list[Tensor]:
    random = np.random.default_rng(seed)
    found = []
    for t in tensors:
        values = random.uniform(-1, 1, tuple(t.shape))
        if t.dtype.is_complex:
            values = values + 1j * random.uniform(-1, 1, tuple(t.shape))
        found.append(tensor(values, dtype=t.dtype, device=t.device))
    return found


def _product(a: Sequence[Any], b: Sequence[Any]) -> tuple[float, float]:
    """The real inner product of two lists of tensors, and the sum of its terms' sizes."""
    total = size = 0.0
    for x, y in zip(a, b, strict=True):
        if x is not None and y is not None:
            terms = (host_of(x.detach()).conj() * host_of(y.detach())).real
            total += float(terms.sum())
            size += float(np.abs(terms).sum())
    return total, size


def check_forward(declared: Declared, device: str) -> None:
    """Tangents agree with gradients, of all arguments together and of each alone."""
    op = declared.op
    for given in _exact_dtypes(op):
        for sample, function, inputs in _gradient_calls(op, device, given):
            with about(f"forward mode of {op.name}{sample}"):
                chosen = [range(len(inputs))]
                if len(inputs) > 1:
                    chosen += [range(i, i + 1) for i in range(len(inputs))]
                _check_transposed(function, inputs, chosen)


def _check_transposed(
    function: Function, inputs: Sequence[Tensor], chosen: Sequence[Sequence[int]]
) -> None:
    results = function(*inputs)
    us = _random_like(results, 1)
    vs = _random_like(inputs, 2)
    recorded = [i for i, r in enumerate(results) if r.requires_grad]
    found = (
        grad([results[i] for i in recorded], inputs, [us[i] for i in recorded], allow_unused=True)
        if recorded
        else [None] * len(inputs)
    )
    for at in chosen:
        primals, tangents = forward(
            function, inputs, [v if i in at else None for i, v in enumerate(vs)]
        )
        for primal, tangent, result in zip(primals, tangents, results, strict=True):
            if tangent is not None:
                check_fits(tangent, primal)
            if not np.allclose(host_of(primal), host_of(result.detach()), equal_nan=True):
                fail("the primal differs from the result without tangents")
        there, size = _product(us, tangents)
        back, other = _product([found[i] for i in at], [vs[i] for i in at])
        if not abs(there - back) <= 1e-9 * (size + other) + 1e-12:
            fail(f"<u, J v> = {there}, <J^T u, v> = {back} with tangents of arguments {list(at)}")


def forward(
    function: Function, inputs: Sequence[Tensor], vs: Sequence[Tensor | None]
) -> tuple[list[Tensor], list[Tensor | None]]:
    """Results and tangents of a function of dual tensors (None: an argument without tangent)."""
    with dual_level():
        duals = [
            x.detach() if v is None else make_dual(x.detach(), v)
            for x, v in zip(inputs, vs, strict=True)
        ]
        unpacked = [unpack_dual(r) for r in function(*duals)]
    return [u.primal for u in unpacked], [u.tangent for u in unpacked]


def check_fits(tangent: Tensor, primal: Tensor) -> None:
    """Fail unless a tangent has shape, dtype and device of its primal."""
    for what in ("shape", "dtype", "device"):
        if getattr(tangent, what) != getattr(primal, what):
            fail(f"tangent of {what} {getattr(tangent, what)}, primal {getattr(primal, what)}")


def check_forward_inplace(declared: Declared, device: str) -> None:
    """The in-place variant gives a dual tensor the tangent of the function's result.

    Written are a dual tensor, a part of one, and (where another argument has a tangent) a tensor that
    has none yet and a part of such a one.
    """
    op = declared.op
    variant: Any = declared.exposure.inplace
    front, inplace = seeded(op, declared.front), seeded(op, variant)
    for given in _exact_dtypes(op):
        for sample in samples_of(op, given, device):
            first = sample.args[0]
            if not isinstance(first, Tensor) or not _is_inexact(first) or 0 in first.shape:
                continue
            expected = sample.call(front)
            if expected.shape != first.shape or not can_cast(expected.dtype, first.dtype):
                continue
            with about(f"forward mode of {op.name}_{sample}"):
                _check_written(op, sample, front, inplace)


def _is_inexact(t: Tensor) -> bool:
    return t.dtype.is_floating_point or t.dtype.is_complex


def _check_written(op: Op, sample: Sample, front: Any, inplace: Any) -> None:
    first = sample.args[0]
    with dual_level():
        others = _with_tangents(op, sample)
        dual = others.args[0]
        for x in (dual, first):
            expected = K.cast(others.with_first(x).call(front), first.dtype)
            target = K.clone(x)
            returned = others.with_first(target).call(inplace)
            if returned is not target:
                fail("the in-place variant does not return its first argument")
            _same(target, expected)
            root = K.stack([x, x])
            other, part = root[1], root[0]
            others.with_first(part).call(inplace)
            _same(part, expected)
            _same(root[0], expected)
            _same(root[1], x)
            _same(other, x)


def _with_tangents(op: Op, sample: Sample) -> Sample:
    """The call with dual tensors for all but the arguments that are left alone."""
    constant = op.family.constant
    fixed = {
        id(t)
        for p, value in zip(op.params, sample.args, strict=False)
        if p.name in constant
        for t in tensors_in(value)
    }
    return sample.map(lambda t: t if id(t) in fixed else _with_tangent(t))


def _with_tangent(t: Tensor) -> Tensor:
    return make_dual(t, *_random_like([t], 3)) if _is_inexact(t) else t


def _same(actual: Tensor, expected: Tensor) -> None:
    """Compare values and tangents; a tensor without tangent has one of zeros."""
    for a, b in zip(unpack_dual(actual), unpack_dual(expected), strict=True):
        if a is not None and b is not None:
            assert_close(host_of(a), host_of(b), rtol=1e-9, atol=1e-11, equal_nan=True)
        elif (a if b is None else b) is not None and np.any(host_of(a if b is None else b) != 0):  # type: ignore[arg-type]
            fail(f"tangent {a}, expected {b}")


def check_forward_view(declared: Declared, device: str) -> None:
    """What is written into a view of a dual tensor, or into its base, is seen in the other.

    A view is linear, and so is what is written here: tangents go the way of the values.
    """
    op = declared.op

    def view_of(sample: Sample, base: Tensor) -> Tensor:
        return next(tensors_in(sample.with_first(base).call(declared.front)))

    for given in _exact_dtypes(op):
        for sample in samples_of(op, given, device):
            first = sample.args[0]
            if not isinstance(first, Tensor) or 0 in first.shape:
                continue
            base = K.clone(first)
            view = view_of(sample, base)
            if view._is_view_of is base and _is_inexact(view):
                with about(f"forward mode of {op.name}{sample}"):
                    for written in (_write_view, _write_base):
                        _check_view(first, functools.partial(view_of, sample), written)


def _write_view(base: Tensor, view: Tensor, added: Any) -> None:
    view.mul_(3)
    view.add_(added(view))


def _write_base(base: Tensor, view: Tensor, added: Any) -> None:
    base.mul_(3)
    base.add_(added(base))


def _check_view(first: Tensor, view_of: Any, written: Any) -> None:
    (tangent,) = _random_like([first], 3)
    zeros = K.zeros_like(first)
    for before in (tangent, zeros):
        plain = []
        for x, seed in ((first, 1), (before, 2)):
            base = K.clone(x)
            view = view_of(base)
            try:
                written(base, view, lambda like, seed=seed: _random_like([like], seed)[0])
            except RuntimeError:  # elements that share memory
                return
            plain.append((base, view))
        with dual_level():
            base = K.clone(make_dual(first, before) if before is tangent else first)
            view = view_of(base)
            written(
                base,
                view,
                lambda like: make_dual(_random_like([like], 1)[0], _random_like([like], 2)[0]),
            )
            for found, (value, change) in zip((base, view), zip(*plain, strict=True), strict=True):
                _same(found, make_dual(value, change))


def check_forward_refused(declared: Declared, device: str) -> None:
    """An operator whose tangent is not known raises NotImplementedError with its name."""
    op = declared.op
    for given in _exact_dtypes(op) or [float64]:
        for sample in samples_of(op, given, device):
            if not any(map(_is_inexact, sample.tensors())):
                continue
            with about(f"forward mode of {op.name}{sample}"), dual_level():
                duals = sample.map(_with_tangent)
                try:
                    duals.call(declared.front)
                except NotImplementedError as error:
                    if op.name not in str(error):
                        fail(f"the error does not name the operator: {error}")
                else:
                    fail("forward mode does not refuse an operator without tangent")


def check_mixed(declared: Declared, device: str) -> None:
    """Both modes in any order give the Hessian-vector product of <u, f> that double backward gives."""
    op = declared.op
    for given in _exact_dtypes(op):
        for sample, function, inputs in _gradient_calls(op, device, given):
            with about(f"mixed second derivative of {op.name}{sample}"):
                _check_hessians(function, inputs)


def _check_hessians(function: Function, inputs: Sequence[Tensor]) -> None:
    results = function(*inputs)
    us, vs = _random_like(results, 1), _random_like(inputs, 2)
    at = [i for i, r in enumerate(results) if r.requires_grad]
    if not at:
        return
    us = [us[i] for i in at]
    slopes = grad([results[i] for i in at], inputs, us, create_graph=True, allow_unused=True)
    expected = _gradient_of_product(slopes, vs, inputs)
    with dual_level():
        duals = [make_dual(x, v) for x, v in zip(inputs, vs, strict=True)]
        made = [r for i, r in enumerate(function(*duals)) if i in at]
        tangents = [unpack_dual(r).tangent for r in made]
        _close("reverse over forward", _gradient_of_product(tangents, us, inputs), expected)
        found = grad(made, inputs, us, allow_unused=True)
        forward = [None if g is None else unpack_dual(g).tangent for g in found]
        _close("forward over reverse", forward, expected)
        with dual_level():
            twice = [
                make_dual(make_dual(x.detach(), v, level=0), v)
                for x, v in zip(inputs, vs, strict=True)
            ]
            made = [r for i, r in enumerate(function(*twice)) if i in at]
            first = [unpack_dual(r).tangent for r in made]
            second = [None if t is None else unpack_dual(t, level=0).tangent for t in first]
    there, size = _product(us, second)
    back, other = _product(vs, expected)
    if not abs(there - back) <= 1e-7 * (size + other) + 1e-9:
        fail(f"forward over forward gives {there} along a direction, double backward {back}")


def _gradient_of_product(
    a: Sequence[Tensor | None], b: Sequence[Tensor], inputs: Sequence[Tensor]
) -> Sequence[Tensor | None]:
    """The gradient of the real inner product of two lists of tensors."""
    total = None
    for x, y in zip(a, b, strict=True):
        if x is not None and x.requires_grad:
            product = K.conj(x) * y
            product = K.sum(K.real(product) if product.is_complex() else product)
            total = product if total is None else total + product
    if total is None:
        return [None] * len(inputs)
    return grad(total, inputs, allow_unused=True, retain_graph=True)


def _close(what: str, actual: Sequence[Tensor | None], expected: Sequence[Tensor | None]) -> None:
    for i, (a, b) in enumerate(zip(actual, expected, strict=True)):
        x, y = (0.0 if t is None else host_of(t.detach()) for t in (a, b))
        scale = max(1.0, float(np.abs(y).max(initial=0.0)))
        if not np.allclose(x, y, rtol=1e-7, atol=1e-9 * scale, equal_nan=True):
            fail(f"{what} differs from double backward by {np.abs(x - y).max()} at argument {i}")
