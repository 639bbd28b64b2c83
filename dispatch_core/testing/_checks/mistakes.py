"""Calls that must raise, and what."""

from __future__ import annotations

from typing import Any

from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dtypes import ALL_DTYPES, dtype
from dispatch_core._op import Declared, K
from dispatch_core._tensor import Tensor
from dispatch_core.testing._checks.common import about, raises
from dispatch_core.testing._samples import (
    Sample,
    accepted_dtypes,
    accepts,
    sample_dtype,
    samples_of,
    tensors_in,
)


def check_mistakes(declared: Declared, device: str) -> None:
    """Wrong dtypes, types, dimensions and shapes raise what PyTorch raises."""
    op = declared.op
    for refused in (d for d in _one_of_each() if not accepts(op, d)):
        for sample in _samples_of_refused(op, refused, device)[:1]:
            with about(f"{op.name}{sample}: dtype that the operator does not take"):
                raises((NotImplementedError, RuntimeError), lambda s=sample: s.call(declared.front))  # type: ignore[misc]
    widest = reversed(accepted_dtypes(op))
    sample = next(s for d in widest for s in samples_of(op, d, device))
    named = _named(op, sample)
    for param in op.params:
        if param.kind in (ParamKind.TENSOR, ParamKind.LIST):
            wrongs: tuple[Any, ...] = ("text", None if param.required else "text", {})
            for wrong in wrongs:
                with about(f"{op.name}: {param.name}={wrong!r}"):
                    raises(TypeError, lambda n=param.name, w=wrong: _call(declared, named | {n: w}))  # type: ignore[misc]
    with about(f"{op.name}: a keyword that does not exist"):
        raises(TypeError, lambda: sample.call(lambda *a, **k: declared.front(*a, **k, colour=1)))
    _check_bad_dims(declared, sample)
    if op.family.kind == "pointwise" and op.family.given_samples is None:
        _check_shapes(declared, sample, device)


def _one_of_each() -> list[dtype]:
    return list({d.category: d for d in ALL_DTYPES}.values())


def _samples_of_refused(op: Op, refused: dtype, device: str) -> list[Sample]:
    """Sample calls that have a tensor of the dtype; making them may already use other operators."""
    try:
        found = samples_of(op, refused, device)
    except NotImplementedError:
        return []
    return [s for s in found if _refuses(op, refused, s)]


def _refuses(op: Op, refused: dtype, sample: Sample) -> bool:
    """Whether the dtype stands where it decides what is computed, and no number changes it."""
    at = next((i for i in op.tensors if op.params[i].name not in op.family.apart), None)
    deciding = None if at is None else op.bind(sample.args, sample.kwargs)[at]
    if not any(t.dtype is refused for t in tensors_in(deciding)):
        return False
    return not op.family.takes(sample_dtype(op, refused, sample))


def _named(op: Op, sample: Sample) -> dict[str, Any]:
    return dict(zip((p.name for p in op.params), sample.args, strict=False)) | sample.kwargs


def _call(declared: Declared, named: dict[str, Any]) -> Any:
    """Call with the arguments by position where they are positional."""
    args, keywords = [], dict(named)
    for param in declared.op.params:
        if param.keyword_only or param.name not in keywords:
            break
        args.append(keywords.pop(param.name))
    return declared.front(*args, **keywords)


def _check_bad_dims(declared: Declared, sample: Sample) -> None:
    op = declared.op
    named = _named(op, sample)
    if not any(isinstance(v, Tensor) for v in named.values()):
        return
    for name, value in named.items():
        is_dim = name in ("dim", "dim0", "dim1", "dim2", "start_dim", "end_dim")
        if not is_dim or value is None or isinstance(value, bool):
            continue
        wrong = 17 if isinstance(value, int) else (17,) * max(len(value), 1)
        with about(f"{op.name}{sample}: {name}={wrong}"):
            errors = IndexError if isinstance(value, int) else (IndexError, RuntimeError)
            raises(errors, lambda n=name, w=wrong: _call(declared, named | {n: w}))  # type: ignore[misc]


def _check_shapes(declared: Declared, sample: Sample, device: str) -> None:
    op = declared.op
    tensors = [
        op.params[i].name
        for i in op.tensors
        if isinstance(_named(op, sample).get(op.params[i].name), Tensor)
    ]
    if len(tensors) < 2:
        return
    named = _named(op, sample)
    for size, name in enumerate(tensors, 3):
        named[name] = K.ones((size,), dtype=named[name].dtype, device=device)
    with about(f"{op.name}: shapes that do not broadcast"):
        raises(RuntimeError, lambda: _call(declared, named))
