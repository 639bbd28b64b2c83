"""Results against references: the host, the definition, wider types, numpy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import bfloat16, dtype, float16
from dispatch_core._op import Declared, K
from dispatch_core._tensor import Tensor
from dispatch_core.testing._checks.common import (
    HOST,
    SLACK,
    WIDER,
    about,
    cases,
    close,
    comparable,
    fail,
    seeded,
)
from dispatch_core.testing._comparison import assert_close, host_of
from dispatch_core.testing._reference import REFERENCES
from dispatch_core.testing._samples import sample_dtype, tensors_in


def check_values(declared: Declared, device: str) -> None:
    """Results equal those of the host; their dtype is the family's; arguments stay unchanged."""
    op = declared.op
    front = seeded(op, declared.front)
    host = [None] * 10_000 if device == HOST else [s for _, s in cases(op, HOST)]
    for (given, sample), on_host in zip(cases(op, device), host, strict=False):
        with about(f"{op.name}{sample}"):
            before = [host_of(t).copy() for t in sample.tensors()]
            result = sample.call(front)
            for t, value in zip(sample.tensors(), before, strict=True):
                if not np.array_equal(host_of(t), value, equal_nan=value.dtype.kind in "fc"):
                    fail("an argument was modified")
            computed = sample_dtype(op, given, sample)
            _check_result_dtypes(op, result, computed)
            if on_host is not None:
                expected = on_host.call(front)
                _check_same_dtypes(result, expected)
                expected = comparable(op, on_host, expected)
                close(comparable(op, sample, result), expected, computed)


def _check_result_dtypes(op: Op, result: Any, computed: dtype) -> None:
    expected = op.family.result(op, computed)
    for index, t in enumerate(tensors_in(result)):
        carried = t._backend.dtype_of(t._raw)
        if carried is not t.dtype:
            fail(f"the array of result {index} holds {carried}, but the tensor says {t.dtype}")
        if expected is not None and op.traits.outputs == 1 and t.dtype is not expected:
            fail(f"result dtype {t.dtype}, expected {expected}")


def _check_same_dtypes(result: Any, expected: Any) -> None:
    for a, b in zip(tensors_in(result), tensors_in(expected), strict=True):
        if a.dtype is not b.dtype:
            fail(f"result dtype {a.dtype}, on the host {b.dtype}")


def check_definition(declared: Declared, device: str) -> None:
    """A composite's kernel computes what its body says."""
    op = declared.op
    for given, sample in cases(op, device):
        with about(f"{op.name}{sample}"):
            computed = sample_dtype(op, given, sample)
            defined = sample.call(seeded(op, _promoted_body(op, computed)))
            result = sample.call(seeded(op, declared.front))
            _check_same_dtypes(result, defined)
            result, defined = (comparable(op, sample, each) for each in (result, defined))
            close(result, defined, computed, factor=4.0)


def _promoted_body(op: Op, computed: dtype) -> Callable[..., Any]:
    """The body, with operands brought to the compute dtype first, as the dispatcher does."""
    body: Any = op.body
    if not op.family.promotes:
        return body

    def call(*args: Any, **kwargs: Any) -> Any:
        args = tuple(
            K.cast(a, computed)
            if isinstance(a, Tensor)
            and a.dtype is not computed
            and op.params[i].name not in op.family.apart
            else a
            for i, a in enumerate(args)
        )
        return body(*args, **kwargs)

    return call


LIMITS_MATTER = frozenset({"nan_to_num", "nextafter", "histc"})
"""Operators whose result depends on the limits or the grain of the dtype."""


def check_precision(declared: Declared, device: str) -> None:
    """Narrow floating types give what float64 gives, within their precision."""
    op = declared.op
    front = seeded(op, declared.front)
    for given, sample in cases(op, device, list(WIDER)):
        wide = sample.map(lambda t, d=given: K.cast(t, WIDER[d]) if t.dtype is d else t)  # type: ignore[misc]
        with about(f"{op.name}{sample}"):
            result, exact = (comparable(op, s, s.call(front)) for s in (sample, wide))
            close(result, exact, given)


def check_reference(declared: Declared, device: str) -> None:
    """Results equal those of numpy."""
    op = declared.op
    reference = REFERENCES[op.name]
    for given, sample in cases(op, device):
        computed = sample_dtype(op, given, sample)
        numpy_dtype = np.dtype(
            np.float32 if computed in (float16, bfloat16) else computed.numpy_dtype
        )

        def array(t: Tensor, d: dtype = given, to: Any = numpy_dtype) -> Any:
            host = host_of(t)
            return host.astype(to) if t.dtype is d else host

        with about(f"{op.name}{sample}"), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, about empty means
            arrays = [_with_arrays(a, array) for a in sample.args]
            options = {k: _with_arrays(v, array) for k, v in sample.kwargs.items()}
            expected = np.asarray(reference(*arrays, **options))
            result = sample.call(declared.front)
            if tuple(result.shape) != expected.shape:
                fail(f"shape {list(result.shape)}, numpy gives {list(expected.shape)}")
            _close_to_array(result, expected, computed)


def _with_arrays(value: Any, array: Callable[[Tensor], Any]) -> Any:
    if isinstance(value, Tensor):
        return array(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_with_arrays(v, array) for v in value)
    return value


def _close_to_array(result: Tensor, expected: Any, computed: dtype) -> None:
    rtol, atol = SLACK.get(computed) or SLACK.get(result.dtype, (0.0, 0.0))
    found = host_of(result)
    scale = 1.0
    if expected.dtype.kind in "fc":
        scale = max(float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)), 1.0)
    assert_close(
        found,
        expected.astype(found.dtype),
        rtol=rtol,
        atol=atol * scale,
        equal_nan=True,
    )
