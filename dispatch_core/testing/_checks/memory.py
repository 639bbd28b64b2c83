"""Layout and sharing of memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dispatch_core._dispatcher.chains import KernelChain, chain_of
from dispatch_core._dispatcher.view_chains import View
from dispatch_core._dtypes import complex64, float32, float64
from dispatch_core._errors import LinAlgError
from dispatch_core._op import Declared, K
from dispatch_core._tensor import Tensor
from dispatch_core.testing._checks.common import about, cases, close, fail, seeded
from dispatch_core.testing._comparison import host_of
from dispatch_core.testing._samples import (
    Sample,
    accepted_dtypes,
    accepts,
    sample_dtype,
    tensors_in,
)

_BY_LAYOUT = {"view", "as_strided", "contiguous", "storage_index", "view_as_complex"}
LAYOUT_MATTERS = frozenset(_BY_LAYOUT | {f"{name}_copy" for name in _BY_LAYOUT})
"""Operators whose result depends on how the elements lie in memory."""


def _spread(t: Tensor) -> Tensor:
    """The same values with gaps between them and the dimensions stored in reverse order."""
    if t.ndim == 0:
        return K.select(K.stack([t, t]), 0, 1)
    order = tuple(range(t.ndim))[::-1]
    doubled = K.stack([K.permute(t, order)] * 2, t.ndim)
    return K.permute(K.select(doubled, t.ndim, 0), order)


def _stretched(t: Tensor) -> Tensor:
    """The first slice of a tensor repeated along the first dimension without copying."""
    if t.ndim == 0 or t.shape[0] < 2:
        return t
    return K.expand(K.narrow(t, 0, 0, 1), tuple(t.shape))


def check_layouts(declared: Declared, device: str) -> None:
    """Results do not depend on how the arguments lie in memory."""
    op = declared.op
    front = seeded(op, declared.front)
    chosen = [d for d in (float64, float32, complex64) if accepts(op, d)] or accepted_dtypes(op)[:2]
    for given, sample in cases(op, device, chosen[:2]):
        for rearrange in (_spread, _stretched):
            moved = sample.map(rearrange)
            packed = moved.map(lambda t: K.clone(K.reshape(t, tuple(t.shape))))
            with about(f"{op.name}{sample} after {rearrange.__name__}"):
                try:
                    expected = packed.call(front)
                except LinAlgError:  # equal rows make a matrix singular
                    continue
                close(moved.call(front), expected, sample_dtype(op, given, sample))


def check_memory(declared: Declared, device: str) -> None:
    """Views share their argument's memory and follow writes; kernels return memory of their own."""
    op = declared.op
    front = seeded(op, declared.front)
    chosen = [d for d in (float32, complex64) if accepts(op, d)] or accepted_dtypes(op)[:1]
    for given, sample in cases(op, device, chosen):
        with about(f"{op.name}{sample}"):
            result = sample.call(front)
            if op.traits.view is True:
                _check_view(sample.args[0], result)
                if op.traits.differentiable and sample_dtype(op, given, sample).is_floating_point:
                    _check_written(front, sample)
                continue
            chain = (
                chain_of(op, op.bind(sample.args, sample.kwargs)) if not op.traits.view else None
            )
            if not isinstance(chain, KernelChain) or isinstance(chain, View):
                continue
            if op.family.kind in _IN_ORDER or op.name == "cat":
                _check_order(sample.map(_spread).call(front))
            owned = {id(t._backend.storage_of(t._raw)) for t in sample.tensors()}
            for t in tensors_in(result):
                if id(t._backend.storage_of(t._raw)) in owned:
                    fail("the result shares memory with an argument, but the operator is no view")


_IN_ORDER = frozenset({"contraction", "reduction"})
"""Kinds of operators whose results lie in memory in the order of their dimensions."""


def _check_order(result: Any) -> None:
    for t in tensors_in(result):
        if t.numel() and not t.is_contiguous():
            fail(f"a result of shape {list(t.shape)} is not contiguous")


def _check_view(base: Tensor, result: Tensor) -> None:
    backend = base._backend
    if backend.storage_of(result._raw) is not backend.storage_of(base._raw):
        fail("the result of a view operator has memory of its own")
    if result._is_view_of is not base:
        fail("the view does not know its base")
    if result._version != base._version:
        fail("the view has a version counter of its own")
    base.zero_()
    if np.any(host_of(result) != 0):
        fail("a write to the base is not seen in the view")


def _check_written(front: Callable[..., Any], sample: Sample) -> None:
    """A gradient goes back through a write into the view: 3 g where it wrote, g elsewhere."""
    x = K.ones_like(sample.args[0]).requires_grad_()
    base = x * 1
    view = sample.with_first(base).call(front)
    try:
        view.mul_(3)
    except RuntimeError as error:
        if "single memory location" in str(error):
            return
        raise
    if np.count_nonzero(host_of(base) == 3) < view.numel():
        return  # elements of the view overlap, so what they are written has no one meaning
    weights = K.reshape(K.arange(x.numel(), device=x.device), tuple(x.shape)) + 1
    K.sum(base * weights).backward()
    if np.any(host_of(x.grad) != host_of(base * weights)):
        fail("a write into the view is not seen by the gradient of its base")
