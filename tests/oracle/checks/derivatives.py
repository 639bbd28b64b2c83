"""Gradients with random cotangents, their gradients, and tangents."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.oracle.calls import Array, Call, draw
from tests.oracle.checks.common import about
from tests.oracle.comparison import Outcome, attempt
from tests.oracle.operators import OURS, THEIRS, Operator
from tests.oracle.sides import Side


@dataclass
class Problem:
    """A call on one side as a function of those of its arrays that can have gradients."""

    op: Operator
    side: Side
    call: Call

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(zlib.crc32(self.op.path.encode()))
        arrays = [a for a in self.call.arrays() if a.inexact]
        self.inputs = [self.side.tensor(a) for a in arrays]
        structured = self.op.row["category"].startswith("linalg")
        self.keep = [_structure(a.values) if structured else _unchanged for a in arrays]

    def results(self, inputs: list[Any]) -> list[Any]:
        """The results that can have gradients."""
        following = iter(keep(x) for keep, x in zip(self.keep, inputs, strict=True))

        def leaf(value: Any) -> Any:
            if isinstance(value, Array) and value.inexact:
                return next(following)
            return self.side.leaf(value)

        arguments = self.call.map(leaf)
        if self.op.writes:
            arguments = arguments.with_arg(0, arguments.args[0].clone())
        function = self.side.function(self.op.path)
        found = self.side.run(lambda: function(*arguments.args, **arguments.kwargs))
        found = self.op.settled(self.side, found)
        return [t for t in self.side.tensors(found) if self.side.differentiable(t)]

    def like(self, tensors: list[Any]) -> list[Any]:
        """Random tensors of the same shapes and dtypes, the same on both sides."""
        made = []
        for t in tensors:
            dtype = self.side.dtype(t)
            made.append(self.side.tensor(Array(draw(self.random, tuple(t.shape), dtype), dtype)))
        return made

    def grad(
        self, outputs: list[Any], inputs: list[Any], cotangents: list[Any], **more: Any
    ) -> Any:
        """The gradients of outputs, None of what does not lead to them."""
        return self.side.library.autograd.grad(
            outputs, inputs, cotangents, allow_unused=True, **more
        )


def _unchanged(x: Any) -> Any:
    return x


def _structure(values: np.ndarray) -> Callable[[Any], Any]:
    """What keeps triangular or Hermitian matrices so: half of their elements are not read."""
    if values.ndim < 2 or values.shape[-1] != values.shape[-2] or values.shape[-1] < 2:
        return _unchanged
    if np.allclose(values, np.conj(np.swapaxes(values, -1, -2))):
        return lambda x: (x + x.mH) / 2
    for name in ("tril", "triu"):
        if (values == getattr(np, name)(values)).all():
            return lambda x, n=name: getattr(x, n)()
    return _unchanged


def first(problem: Problem, only: int | None = None) -> Any:
    """Which results have gradients, and the gradients."""
    for at, x in enumerate(problem.inputs):
        x.requires_grad_(only is None or at == only)
    inputs = problem.inputs if only is None else [problem.inputs[only]]
    results = problem.results(problem.inputs)
    recorded = [r for r in results if r.requires_grad]
    cotangents = problem.like(recorded)
    grads = problem.grad(recorded, inputs, cotangents) if recorded else ()
    return [r.requires_grad for r in results], _filled(
        problem.side, grads or [None] * len(inputs), inputs
    )


def second(problem: Problem) -> Any:
    """The gradients of random combinations of gradients, by inputs and cotangents."""
    for x in problem.inputs:
        x.requires_grad_(True)
    recorded = [r for r in problem.results(problem.inputs) if r.requires_grad]
    cotangents = [c.requires_grad_(True) for c in problem.like(recorded)]
    if not recorded:
        return []
    grads = problem.grad(recorded, problem.inputs, cotangents, create_graph=True)
    pairs = zip(grads, problem.like(problem.inputs), strict=True)
    pairs = [(g, c) for g, c in pairs if g is not None and g.requires_grad]
    sources = problem.inputs + cotangents
    found = [None] * len(sources)
    if pairs:
        found = problem.grad([g for g, _ in pairs], sources, [c for _, c in pairs])
    return _filled(problem.side, found, sources)


def forward(problem: Problem) -> Any:
    """The tangents of the results."""
    ad = problem.side.library.autograd.forward_ad
    with ad.dual_level():
        tangents = problem.like(problem.inputs)
        duals = [ad.make_dual(x, t) for x, t in zip(problem.inputs, tangents, strict=True)]
        results = [ad.unpack_dual(r) for r in problem.results(duals)]
        found = [r.tangent for r in results]
        return _filled(problem.side, found, [r.primal for r in results])


def _filled(side: Side, found: Any, like: list[Any]) -> list[Any]:
    """None is zero: whether a constant is known to be one depends on how formulas are written."""
    with side.library.no_grad():
        return [
            side.library.zeros_like(x) if f is None else f * 1
            for f, x in zip(found, like, strict=True)
        ]


def _compared(op: Operator, what: Callable[[Problem], Any], call: Call, dtype: str) -> Outcome:
    """Compare what both sides come to, where PyTorch comes to something."""
    ours, theirs = (attempt(lambda s=s: what(Problem(op, s, call))) for s in (OURS, THEIRS))
    if theirs.error is None:
        op.comparison(dtype).outcomes(ours, theirs)
    return theirs


def _differentiable(op: Operator, column: str) -> list[tuple[str, Call]]:
    """The calls to differentiate, where a column of the table says that PyTorch can."""
    if op.row[column] != "1":
        return []
    return [(d, c) for d in op.smooth for c in op.calls(d) if any(a.inexact for a in c.arrays())]


def check_gradients(op: Operator) -> None:
    """All gradients at once; where PyTorch has not all of them, one at a time."""
    for dtype, call in _differentiable(op, "gradient"):
        with about(f"{dtype}: {call}"):
            if _compared(op, first, call, dtype).error is None:
                continue
            for at in range(sum(a.inexact for a in call.arrays())):
                _compared(op, lambda p, at=at: first(p, at), call, dtype)


def check_second(op: Operator) -> None:
    """Second derivatives, where PyTorch has them."""
    for dtype, call in _differentiable(op, "second_gradient"):
        with about(f"{dtype}: {call}"):
            _compared(op, second, call, dtype)


def check_forward(op: Operator) -> None:
    """Forward mode, where PyTorch has it."""
    for dtype, call in _differentiable(op, "forward_mode"):
        with about(f"{dtype}: {call}"):
            _compared(op, forward, call, dtype)
