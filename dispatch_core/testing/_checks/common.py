"""What the checks share: sample calls in all dtypes, comparison within precision, messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

import dispatch_core
from dispatch_core._dispatcher.operator import Op
from dispatch_core._dtypes import (
    Category,
    bfloat16,
    complex64,
    complex128,
    dtype,
    float16,
    float32,
    float64,
)
from dispatch_core.testing._comparison import assert_close, host_of
from dispatch_core.testing._samples import (
    Sample,
    accepted_dtypes,
    accepts,
    samples_of,
    tensors_in,
)

HOST = "cpu"
# (rtol, atol relative to the largest result) that a result computed in this dtype may be off.
SLACK: dict[dtype, tuple[float, float]] = {
    float16: (6e-3, 4e-3),
    bfloat16: (4e-2, 3e-2),
    float32: (2e-5, 4e-6),
    complex64: (2e-5, 4e-6),
    float64: (1e-8, 1e-10),
    complex128: (1e-8, 1e-10),
}
WIDER = {float16: float64, bfloat16: float64, float32: float64, complex64: complex128}


@contextmanager
def about(what: object) -> Iterator[None]:
    """Have an error inside say which case it was."""
    try:
        yield
    except Exception as error:
        error.add_note(f"case: {what}")
        raise


def fail(message: str) -> NoReturn:
    """Raise AssertionError."""
    raise AssertionError(message)


def seeded(op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`; of a random operator so that it draws the same numbers at each call."""
    if not (op.traits.random or op.family.kind == "random"):
        return function

    def call(*args: Any, **kwargs: Any) -> Any:
        dispatch_core.manual_seed(0)
        return function(*args, **kwargs)

    return call


def comparable(op: Op, sample: Sample, result: Any) -> Any:
    """A result without what its family leaves open, as the phases of singular vectors."""
    around = op.family.tested_as
    if around is None:
        return result
    return around(lambda *args, **kwargs: result, *sample.args, **sample.kwargs)


def raises(error: type[Exception] | tuple[type[Exception], ...], call: Callable[[], Any]) -> None:
    """Fail unless `call` raises one of the errors."""
    names = error.__name__ if isinstance(error, type) else "/".join(e.__name__ for e in error)
    try:
        call()
    except error:
        return
    except Exception as other:
        other.add_note(f"expected {names}")
        raise
    fail(f"no error was raised, expected {names}")


def cases(
    op: Op, device: str, dtypes: Sequence[dtype] | None = None
) -> Iterator[tuple[dtype, Sample]]:
    """Every sample call in every dtype that the operator takes."""
    for found in accepted_dtypes(op) if dtypes is None else dtypes:
        if accepts(op, found):
            for sample in samples_of(op, found, device):
                yield found, sample


def close(actual: Any, expected: Any, computed: dtype, *, factor: float = 1.0) -> None:
    """Compare results within what computing in `computed` allows."""
    a, b = list(tensors_in(actual)), list(tensors_in(expected))
    if len(a) != len(b):
        fail(f"{len(a)} results, expected {len(b)}")
    for one, other in zip(a, b, strict=True):
        rtol, atol = SLACK.get(computed) or SLACK.get(one.dtype, (0.0, 0.0))
        if tuple(one.shape) != tuple(other.shape):
            fail(f"shape {list(one.shape)}, expected {list(other.shape)}")
        x, y = host_of(one), host_of(other)
        scale = float(np.max(np.abs(y), where=np.isfinite(y), initial=0.0)) if y.size else 0.0
        exact = one.dtype.category < Category.FLOATING
        wide = np.complex128 if "c" in (x.dtype.kind, y.dtype.kind) else np.float64
        assert_close(
            x if exact else x.astype(wide),
            y.astype(x.dtype) if exact else y.astype(wide),
            rtol=0.0 if exact else factor * rtol,
            atol=0.0 if exact else factor * atol * max(scale, 1.0),
            equal_nan=True,
        )
