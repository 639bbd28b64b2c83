"""The forms of a call: method, in-place, `out=`."""

from __future__ import annotations

from typing import Any

from dispatch_core._dtypes import (
    Category,
    bool_,
    can_cast,
    complex64,
    float16,
    float32,
    int64,
    uint8,
)
from dispatch_core._op import Declared, K
from dispatch_core._tensor import Tensor
from dispatch_core.testing._checks.common import about, cases, close, fail, raises, seeded
from dispatch_core.testing._samples import sample_dtype, tensors_in

FORMS_IN = (bool_, uint8, int64, float16, float32, complex64)
"""The forms of a call do not depend on the dtype: some of each kind are enough."""


def check_method(declared: Declared, device: str) -> None:
    """The method gives what the function gives."""
    op = declared.op
    for given, sample in cases(op, device, FORMS_IN):
        if not isinstance(sample.args[0], Tensor):
            continue
        with about(f"{op.name}{sample}"):
            method = getattr(sample.args[0], op.name)
            result = seeded(op, method)(*sample.args[1:], **sample.kwargs)
            expected = sample.call(seeded(op, declared.front))
            close(result, expected, sample_dtype(op, given, sample))


def check_inplace(declared: Declared, device: str) -> None:
    """The in-place variant writes what the function returns, or refuses when it does not fit."""
    op = declared.op
    inplace: Any = declared.exposure.inplace
    for given, sample in cases(op, device, FORMS_IN):
        if not isinstance(sample.args[0], Tensor):
            continue
        with about(f"{op.name}_{sample}"):
            expected = sample.call(seeded(op, declared.front))
            target = K.clone(sample.args[0])
            own = target.dtype
            fits = tuple(expected.shape) == tuple(target.shape)
            if not fits or not can_cast(expected.dtype, target.dtype):
                raises(RuntimeError, lambda s=sample, t=target: s.with_first(t).call(inplace))  # type: ignore[misc]
                continue
            version = target._version
            alias = target.detach()
            returned = sample.with_first(target).call(seeded(op, inplace))
            if returned is not target:
                fail("the in-place variant does not return its first argument")
            if target._version <= version:
                fail("the in-place variant does not count as a write")
            if target.dtype is not own:
                fail(f"the in-place variant changed the dtype to {target.dtype}")
            close(alias, K.cast(expected, own), sample_dtype(op, given, sample))


def takes_out(declared: Declared) -> bool:
    """Whether the function has an `out` argument."""
    return declared.exposure.out


def check_out(declared: Declared, device: str) -> None:
    """`out=` is filled and returned; an empty one is resized; a wrong dtype is refused."""
    op = declared.op
    front = seeded(op, declared.front)
    for given, sample in cases(op, device, FORMS_IN):
        with about(f"{op.name}{sample} with out="):
            expected = sample.call(front)
            results = list(tensors_in(expected))
            for shape in (None, (0,)):
                outs = [
                    K.empty(
                        tuple(r.shape) if shape is None else shape, dtype=r.dtype, device=device
                    )
                    for r in results
                ]
                out = tuple(outs) if isinstance(expected, tuple) else outs[0]
                returned = front(*sample.args, **sample.kwargs, out=out)
                if any(a is not b for a, b in zip(tensors_in(returned), outs, strict=True)):
                    fail("what is returned is not `out`")
                close(outs, results, sample_dtype(op, given, sample))
            lowest = min(r.dtype.category for r in results)
            if lowest > Category.INTEGRAL and len(results) == 1:
                wrong = K.empty(tuple(results[0].shape), dtype=int64, device=device)
                raises(RuntimeError, lambda s=sample, o=wrong: front(*s.args, **s.kwargs, out=o))  # type: ignore[misc]
