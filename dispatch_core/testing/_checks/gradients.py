"""First and second derivatives against differences."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import complex128, dtype, float64
from dispatch_core._op import OPERATORS, Declared, K
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import grad, gradcheck, gradgradcheck
from dispatch_core.testing._checks.common import HOST, WIDER, about, close, fail, seeded
from dispatch_core.testing._comparison import assert_close, host_of
from dispatch_core.testing._samples import Sample, accepts, samples_of, tensors_in


def _gradient_calls(
    op: Op, device: str, given: dtype
) -> Iterator[tuple[Sample, Callable[..., Any], list[Tensor]]]:
    """For each sample: a function of its differentiable tensors alone, and those tensors."""
    for sample in samples_of(op, given, device):
        wanted = [K.clone(t).requires_grad_() for t in _differentiable_arguments(op, sample)]
        if not wanted or any(0 in t.shape for t in wanted):
            continue
        ids = [id(t) for t in _differentiable_arguments(op, sample)]

        def function(
            *values: Tensor, sample: Sample = sample, ids: list[int] = ids
        ) -> tuple[Tensor, ...]:
            places = dict(zip(ids, values, strict=True))
            replaced = sample.map(lambda t: places.get(id(t), t))
            result = replaced.call(_differentiated(op))
            return tuple(
                t for t in tensors_in(result) if t.dtype.is_floating_point or t.dtype.is_complex
            )

        yield sample, function, wanted


def _differentiated(op: Op) -> Callable[..., Any]:
    """The operator, or what its family says is to be differentiated instead."""
    front = seeded(op, OPERATORS[op.name].front)
    around = op.family.tested_as
    return front if around is None else functools.partial(around, front)


def _differentiable_arguments(op: Op, sample: Sample) -> list[Tensor]:
    found = []
    names = [p.name for p in op.params]
    gradient = op.gradient
    bound = dict(zip(names, sample.args, strict=False)) | sample.kwargs
    for name, value in bound.items():
        if name in op.family.constant:
            continue
        if gradient is not None:
            at = names.index(name) if name in names else -1
            if at in op.tensors and at not in gradient.differentiable:
                continue
        found += [t for t in tensors_in(value) if t.dtype.is_floating_point or t.dtype.is_complex]
    return found


def _exact_dtypes(op: Op) -> list[dtype]:
    return [d for d in (float64, complex128) if accepts(op, d)]


SMALL = 600
"""Elements of a Jacobian that are all compared, on the host; larger ones along a direction."""


def _is_small(function: Callable[..., Any], inputs: Sequence[Tensor]) -> bool:
    results = function(*inputs)
    return sum(map(_size, inputs)) * sum(map(_size, results)) <= SMALL


def _size(t: Tensor) -> int:
    return t.numel() * (2 if t.dtype.is_complex else 1)


def check_gradient(declared: Declared, device: str, *, full: bool = False) -> None:
    """Gradients agree with differences, whether computed on raw arrays or recorded again.

    Whole Jacobians are compared where they are small, on the host: formulas are the same
    everywhere.
    """
    op = declared.op
    for given in _exact_dtypes(op):
        for sample, function, inputs in _gradient_calls(op, device, given):
            with about(f"gradient of {op.name}{sample}"):
                whole = full or (device == HOST and _is_small(function, inputs))
                gradcheck(function, inputs, nondet_tol=1e-12, fast_mode=not whole)
                _check_modes(function, inputs)


def _check_modes(function: Callable[..., Any], inputs: Sequence[Tensor]) -> None:
    found = []
    for create_graph in (False, True):
        results = [r for r in function(*inputs) if r.requires_grad]
        if not results:
            return
        weights = [K.cast_like(K.ones_like(r.detach()) * 0.7, r.detach()) for r in results]
        found.append(grad(results, inputs, weights, create_graph=create_graph, allow_unused=True))
    for raw, recorded in zip(*found, strict=True):
        if (raw is None) != (recorded is None):
            fail("create_graph=True changes whether there is a gradient")
        if raw is not None and recorded is not None:
            if raw.dtype is not recorded.dtype:
                fail(f"gradient {raw.dtype}, with create_graph {recorded.dtype}")
            assert_close(host_of(raw), host_of(recorded), rtol=1e-9, atol=1e-11, equal_nan=True)


def check_gradient_dtypes(declared: Declared, device: str) -> None:
    """Gradients in narrow types have the dtype of the argument, and the values of wide ones."""
    op = declared.op
    for given, wide in WIDER.items():
        if not (accepts(op, given) and accepts(op, wide)):
            continue
        calls = _gradient_calls(op, device, given)
        for sample, function, inputs in calls:
            with about(f"gradient of {op.name}{sample}"):
                results = [r for r in function(*inputs) if r.requires_grad]
                if not results:
                    continue
                found = grad(results, inputs, [K.ones_like(r) for r in results], allow_unused=True)
                widened = [
                    (K.cast(x.detach(), wide) if x.dtype is given else x.detach()).requires_grad_()
                    for x in inputs
                ]
                expected_results = [
                    r for r in _wide_call(op, sample, given, wide, widened) if r.requires_grad
                ]
                expected = grad(
                    expected_results,
                    widened,
                    [K.ones_like(r) for r in expected_results],
                    allow_unused=True,
                )
                for x, a, b in zip(inputs, found, expected, strict=True):
                    if (a is None) != (b is None):
                        fail("whether there is a gradient depends on the dtype")
                    if a is None or b is None:
                        continue
                    if a.dtype is not x.dtype or a._backend.dtype_of(a._raw) is not x.dtype:
                        fail(f"gradient {a.dtype} for an argument of {x.dtype}")
                    close(a, b, given, factor=4.0)


def _wide_call(op: Op, sample: Sample, given: dtype, wide: dtype, inputs: Sequence[Tensor]) -> Any:
    places = dict(zip((id(t) for t in _differentiable_arguments(op, sample)), inputs, strict=True))

    def widened(t: Tensor) -> Tensor:
        if id(t) in places:
            return places[id(t)]
        return K.cast(t, wide) if t.dtype is given else t

    result = sample.map(widened).call(_differentiated(op))
    return [t for t in tensors_in(result) if t.dtype.is_floating_point or t.dtype.is_complex]


def check_second_gradient(declared: Declared, device: str, *, full: bool = False) -> None:
    """Gradients of gradients agree with differences: along a direction, or (`full`) all of them."""
    op = declared.op
    for given in _exact_dtypes(op):
        for sample, function, inputs in _gradient_calls(op, device, given):
            if not any(r.requires_grad for r in function(*inputs)):
                continue
            with about(f"second gradient of {op.name}{sample}"):
                gradgradcheck(function, inputs, fast_mode=not full, nondet_tol=1e-12)


def check_no_gradient(declared: Declared, device: str) -> None:
    """What is declared not differentiable gives results without history."""
    op = declared.op
    for given in _exact_dtypes(op):
        for sample in samples_of(op, given, device):
            recorded = sample.map(
                lambda t: (
                    K.clone(t).requires_grad_()
                    if t.dtype.is_floating_point or t.dtype.is_complex
                    else t
                )
            )
            with about(f"{op.name}{sample}"):
                for t in tensors_in(recorded.call(seeded(op, declared.front))):
                    if t.requires_grad:
                        fail("the result requires grad, but the operator is not differentiable")
