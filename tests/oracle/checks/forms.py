"""Other forms of a call: method, operator of Python, aliases, keywords, in place, `out=`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from tests.oracle.calls import Array, Call
from tests.oracle.checks.common import about
from tests.oracle.comparison import Outcome, attempt
from tests.oracle.operators import OURS, THEIRS, Operator, lacks_kernel
from tests.oracle.sides import Side


def _on_both(op: Operator, call: Call, form: Callable[[Side, Call], Any], dtype: str = "") -> None:
    """Compare what both sides come to in one form; where PyTorch lacks the form, we may have it."""
    ours, theirs = (attempt(lambda s=s: form(s, call)) for s in (OURS, THEIRS))
    if ours.error is None and isinstance(theirs.error, TypeError):
        return
    with about(call):
        op.compare(ours, theirs, dtype)


def _method(name: str) -> Callable[[Side, Call], Any]:
    def form(side: Side, call: Call) -> Any:
        first, *rest = (made := call.map(side.leaf)).args
        return side.run(lambda: getattr(first, name)(*rest, **made.kwargs))

    return form


def _methodical(op: Operator) -> list[Call]:
    return [c for c in op.calls() if c.args and isinstance(c.args[0], Array)]


def check_method(op: Operator) -> None:
    """The method gives what PyTorch's gives."""
    name = op.row["method"].replace("<lambda>", op.path)
    for call in _methodical(op) if name else ():
        _on_both(op, call, _method(name))


def check_operators(op: Operator) -> None:
    """Python's operators, with the operands in either order."""
    for name in op.row["operators"].split():
        function = operator.getitem if name == "getitem" else getattr(operator, name)
        for call in op.calls():
            if call.kwargs or not call.args:
                continue
            orders = [call] if len(call.args) != 2 else [call, Call(call.args[::-1])]
            for each in orders if name != "getitem" else [call]:
                _on_both(op, each, lambda s, c, f=function: s.call(f, c))


def check_aliases(op: Operator) -> None:
    """Every alias is there and gives the same."""
    for alias in op.row["aliases"].split():
        for call in op.calls():
            if op.path.startswith("Tensor."):
                alias = f"Tensor.{alias.removeprefix('Tensor.')}"
            _on_both(op, call, lambda s, c, a=alias: s.call(s.function(a), c))


def check_keywords(op: Operator) -> None:
    """Arguments by PyTorch's names, where it takes them so."""
    for call in op.calls():
        for named in _by_name(op, call):
            theirs = attempt(lambda c=named: THEIRS.call(THEIRS.function(op.path), c))
            if theirs.error is None:
                _on_both(op, named, lambda s, c: s.call(s.function(op.path), c))


def _by_name(op: Operator, call: Call) -> Iterator[Call]:
    """The call with its arguments named as PyTorch's overloads name them."""
    if op.path.startswith("Tensor.") or not call.args:
        return
    aten = op.path.replace("nn.functional.", "").replace(".", "_")
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{aten}"):
        names = [a.name for a in schema.arguments]
        if str(schema.arguments[0].type) != "Tensor" if names else True:
            continue  # an overload of TorchScript for numbers
        names = ["input" if n == "self" else n for n in names]
        if len(names) >= len(call.args) and not set(names[: len(call.args)]) & set(call.kwargs):
            yield Call((), {**dict(zip(names, call.args, strict=False)), **call.kwargs})


def check_inplace(op: Operator) -> None:
    """The in-place variant writes, returns and refuses as PyTorch's does."""
    said = op.row["inplace"]
    for dtype in (op.default, "int64", "complex64", "bool", "float16"):
        if not said or dtype not in op.dtypes:
            continue
        for call in op.calls(dtype):
            if call.args and isinstance(call.args[0], Array):
                _on_both(op, call, _writing(op.path, said), dtype)


def _writing(path: str, said: str) -> Callable[[Side, Call], Any]:
    def form(side: Side, call: Call) -> Any:
        made = call.map(side.leaf)
        first, *rest = made.args
        alias = first.detach()
        if said.endswith("(inplace=True)"):
            returned = side.run(
                lambda: side.function(path)(first, *rest, **made.kwargs, inplace=True)
            )
        else:
            returned = side.run(lambda: getattr(first, said)(*rest, **made.kwargs))
        return [returned is first, first, alias]

    return form


def check_out(op: Operator) -> None:
    """`out=` of the right kind, without elements, of other dtypes and layouts.

    A wider dtype is refused by some of PyTorch's functions, and some overloads have no `out=`; ours
    convert and have it everywhere.
    """
    for call in op.calls() if op.row["out"] == "1" else ():
        plain = attempt(lambda c=call: THEIRS.call(THEIRS.function(op.path), c))
        if plain.error is not None or "dtype" in call.kwargs:
            continue
        results = [
            Array(np.zeros(tuple(t.shape), "float32"), THEIRS.dtype(t))
            for t in THEIRS.tensors(plain.result)
        ]
        several = isinstance(plain.result, (tuple, list))
        for outs in _targets(results):
            form = _into(op.path, outs, several=several)
            ours, theirs = (attempt(lambda s=s, c=call, f=form: f(s, c)) for s in (OURS, THEIRS))
            if lacks_kernel(ours, theirs) or (
                ours.error is None and _stricter(theirs, results, outs)
            ):
                continue
            with about(f"{call}, out={outs}"):
                op.compare(ours, theirs)


def _stricter(theirs: Outcome, results: list[Array], outs: list[Array]) -> bool:
    """Whether PyTorch refuses what fits: `outs` of a wider dtype, an overload that has no `out`."""
    if theirs.error is None or isinstance(theirs.error, TypeError):
        return theirs.error is not None
    pairs = [
        (getattr(torch, r.dtype), getattr(torch, o.dtype))
        for r, o in zip(results, outs, strict=True)
    ]
    return any(a != b for a, b in pairs) and all(torch.can_cast(*p) for p in pairs)


def _into(path: str, outs: list[Array], *, several: bool) -> Callable[[Side, Call], Any]:
    def form(side: Side, call: Call) -> Any:
        made = [
            side.tensor(Array(a.values.astype(_plain(a.dtype)), a.dtype, a.layout)) for a in outs
        ]
        out = tuple(made) if several else made[0]
        full = Call(call.args, {**call.kwargs, "out": out})
        returned = side.call(side.function(path), full)
        same = [a is b for a, b in zip(side.tensors(returned), made, strict=True)]
        return returned if all(same) else same

    return form


def _plain(dtype: str) -> str:
    return "float32" if dtype == "bfloat16" else dtype


def _targets(results: list[Array]) -> Iterator[list[Array]]:
    yield results
    yield [Array(np.zeros((0,)), a.dtype) for a in results]
    yield [Array(a.values, a.dtype, "transposed") for a in results]
    for dtype in ("float64", "complex64", "int64", "bool"):
        yield [Array(a.values, dtype) for a in results]
    if all(a.values.size for a in results):
        yield [Array(np.zeros((*a.values.shape, 2)), a.dtype) for a in results]
