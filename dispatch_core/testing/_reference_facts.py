"""What the reference finds out about an operator by calling it: shapes, dtypes of results, mistakes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dispatch_core._construct import tensor
from dispatch_core._dispatcher.operator import Op, ParamKind
from dispatch_core._dtypes import ALL_DTYPES, bool_, complex64, dtype, float32, int64
from dispatch_core._tensor import Tensor
from dispatch_core.testing._samples import Maker, Sample, accepts

_KINDS: tuple[dtype, ...] = (bool_, int64, float32, complex64)
_WORDS = {bool_: "bool", int64: "integers", float32: "floating types", complex64: "complex types"}
_FAR = 99
"""A dimension that no sample has."""
_ANY = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)


def samples_of(op: Op, kind: dtype | None = None) -> list[Sample]:
    """The sample calls of an operator, of a dtype or the first that it takes."""
    kinds = (float32, complex64, *ALL_DTYPES) if kind is None else (kind,)
    found = next((d for d in kinds if accepts(op, d)), None)
    if found is None:
        return []
    given = op.family.samples(op, Maker(op.name, found, "cpu"))
    return [
        Sample(g[:-1], g[-1]) if g and isinstance(g[-1], dict) else Sample(tuple(g)) for g in given
    ]


def found_out(op: Op) -> Iterator[str]:
    """Sentences about the shapes, the dtypes of the results, and what mistakes raise."""
    shapes = list(
        dict.fromkeys(shown for sample in samples_of(op) if (shown := _shapes(op, sample)))
    )
    if shapes:
        yield f"Shapes, for instance: {'; '.join(shapes[:3])}."
    dtypes = _dtypes(op)
    if dtypes:
        yield dtypes
    raised = _mistakes(op)
    if raised:
        yield "Raises " + "; ".join(raised) + "."


def _called(op: Op, sample: Sample) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return op.front(*sample.args, **sample.kwargs)


def _shapes(op: Op, sample: Sample) -> str:
    """The shapes of one call: of its tensors, and of what it gives."""
    try:
        result = _called(op, sample)
    except _ANY:
        return ""
    given = [_shape(v) for v in (*sample.args, *sample.kwargs.values())]
    results = result if isinstance(result, (tuple, list)) else (result,)
    found = [_shape(v) for v in results]
    if not any(given) or not any(found):
        return ""
    return f"`{', '.join(filter(None, given))}` gives `{', '.join(filter(None, found))}`"


def _shape(value: Any) -> str:
    if isinstance(value, Tensor):
        return str(tuple(value.shape))
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Tensor):
        return f"[{', '.join(map(_shape, value))}]"
    return ""


def _dtypes(op: Op) -> str:
    """The dtypes of results, for each kind of dtype of the tensors."""
    found: dict[dtype, str] = {}
    for kind in _KINDS:
        for sample in samples_of(op, kind) if accepts(op, kind) else ():
            try:
                result = _called(op, sample)
            except _ANY:
                continue
            results = result if isinstance(result, (tuple, list)) else (result,)
            names = [t.dtype.name for t in results if isinstance(t, Tensor)]
            if names:
                found[kind] = ", ".join(dict.fromkeys(names))
                break
    if not found:
        return ""
    if all(kind.name == names for kind, names in found.items()):
        return "The result has the dtype that was computed in."
    listed = ", ".join(f"`{kind.name}` gives `{names}`" for kind, names in found.items())
    return f"Dtypes of the result: {listed}."


def _mistakes(op: Op) -> list[str]:
    """What some mistakes raise: each as "Class for what"."""
    sample = next(iter(samples_of(op)), None)
    if sample is None or not op.tensors or not sample.args:
        return []
    found: dict[str, str] = {}

    def attempt(what: str, changed: Sample) -> None:
        try:
            _called(op, changed)
        except _ANY as error:
            name = next(k.__name__ for k in type(error).__mro__ if k.__module__ == "builtins")
            found[what] = name

    first = op.tensors[0]
    if first < len(sample.args):
        attempt("what is no tensor", _with(sample, first, "a"))
    for kind in _KINDS:
        if not accepts(op, kind) and op.params[first].kind is not ParamKind.LIST:
            for each in samples_of(op)[:1]:
                attempt(_WORDS[kind], _cast(each, kind))
    at = next((i for i, p in enumerate(op.params) if p.name == "dim"), None)
    if at is not None:
        attempt("a `dim` that there is not", _with(sample, at, _FAR))
    if (
        op.family.broadcasts
        and len(op.tensors) > 1
        and all(i < len(sample.args) for i in op.tensors)
    ):
        second = op.tensors[1]
        attempt("shapes that do not go together", _with(sample, second, _odd(sample.args[first])))
    by_class: dict[str, list[str]] = {}
    for what, name in found.items():
        by_class.setdefault(name, []).append(what)
    return [f"{name} for {_listed(whats)}" for name, whats in by_class.items()]


def _listed(whats: Sequence[str]) -> str:
    return whats[0] if len(whats) == 1 else f"{', '.join(whats[:-1])} and {whats[-1]}"


def _odd(like: Any) -> Tensor:
    """A tensor whose last size fits no other."""
    size = 13 if not isinstance(like, Tensor) or not like.ndim else like.shape[-1] + 7
    return tensor(np.ones((size, size)), dtype=getattr(like, "dtype", float32))


def _with(sample: Sample, at: int, value: Any) -> Sample:
    """A sample with another argument at a place."""
    args = list(sample.args)
    while len(args) <= at:
        return Sample(sample.args, {**sample.kwargs, "dim": value})
    args[at] = value
    return Sample(tuple(args), sample.kwargs)


def _cast(sample: Sample, kind: dtype) -> Sample:
    """A sample whose floating and complex tensors have another dtype."""

    def cast(value: Any) -> Any:
        wanted = isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())
        return tensor(np.ones(tuple(value.shape)), dtype=kind) if wanted else value

    return Sample(
        tuple(map(cast, sample.args)), {name: cast(v) for name, v in sample.kwargs.items()}
    )
