"""Optimizer steps over lists of arrays, in place, without temporaries as large as a parameter.

Every kernel is a formula of the framework applied to one cache-sized block after the other, half
precision in float32. It takes lists of equal length whose i-th arrays have one shape: parameters,
gradients, and the state that the options keep (None for what they do not). Parameters and state are
overwritten, gradients are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dispatch_core.extend import STEP_FORMULAS, Formula
from dispatch_cpu.kernels._common import HALF_DTYPES, Array
from dispatch_cpu.kernels._optim_blocks import BLOCK, TWO_PASSES, blocks

Step = Callable[..., None]


def steps() -> dict[str, Step]:
    """The kernel of each formula, by the operator's name."""
    return {
        name: _blockwise(formula) if formula.elementwise else _whole(formula)
        for name, formula in STEP_FORMULAS.items()
    }


def count_(counters: Sequence[Array]) -> None:
    """Adds one to each element of many arrays, most of which have one."""
    for counter in counters:
        if counter.size == 1:
            counter.fill(counter.item() + 1)
        else:
            counter += 1


def flatten_tensors(tensors: Sequence[Array]) -> Array:
    """All elements of many arrays as a vector."""
    return np.concatenate([a if a.ndim == 1 else a.reshape(-1) for a in tensors])


def unflatten_tensors_(tensors: Sequence[Array], values: Array) -> None:
    """Overwrites many arrays with the elements of a vector."""
    begin = 0
    for a in tensors:
        end = begin + a.size
        a[...] = values[begin:end] if a.ndim == 1 else values[begin:end].reshape(a.shape)
        begin = end


def _blockwise(formula: Formula) -> Step:
    lists, rows = 2 + len(formula.state), len(formula.rows)
    function = formula.function

    def step(*given: Any) -> None:
        params, grads, *state = given[:lists]
        present = [i for i, column in enumerate(state) if column is not None]
        changed = zip(params, *(state[i] for i in present), strict=True)
        hyper = dict(zip(formula.hyper, given[lists + rows :], strict=True))
        values: list[Array | None] = [None] * len(state)
        block = BLOCK if present else TWO_PASSES
        for row, (arrays, whole_grad) in enumerate(zip(changed, grads, strict=True)):
            for i, name in enumerate(formula.rows, lists):
                hyper[name] = given[i][row]
            for (param, *parts), grad in blocks(arrays, whole_grad, block):
                for i, part in zip(present, parts, strict=True):
                    values[i] = part
                new, *results = function(np, param, grad, *values, **hyper)
                if new is not param:
                    param[...] = new
                for i, part in zip(present, parts, strict=True):
                    _put(part, results[i])

    return step


def _whole(formula: Formula) -> Step:
    lists, rows = 2 + len(formula.state), len(formula.rows)

    def step(*given: Any) -> None:
        hyper = dict(zip(formula.hyper, given[lists + rows :], strict=True))
        for i in range(len(given[0])):
            row = [column and column[i] for column in given[:lists]]
            own = {name: given[lists + j][i] for j, name in enumerate(formula.rows)}
            results = formula.function(np, *map(_wide, row), **own, **hyper)
            for target, result in zip((row[0], *row[2:]), results, strict=True):
                if target is not None:
                    _put(target, result)

    return step


def _put(target: Array, result: Any) -> None:
    """Writes what a formula did not compute in place."""
    if target is not result:
        target[...] = result


def _wide(array: Array | None) -> Array | None:
    return array.astype(np.float32) if array is not None and array.dtype in HALF_DTYPES else array
