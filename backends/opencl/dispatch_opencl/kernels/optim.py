"""Optimizer steps: one kernel for all that a step does with a parameter, made of its formula."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any

from dispatch_core.extend import STEP_FORMULAS, Formula
from dispatch_opencl.array import Array, common_device
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import is_dense
from dispatch_opencl.kernels._together import literal
from dispatch_opencl.kernels._trace import Functions, Trace
from dispatch_opencl.kernels.cast import write
from dispatch_opencl.kernels.elementwise import KERNELS as ELEMENTWISE
from dispatch_opencl.kinds import CODE, DOUBLE, FAMILY, Family
from dispatch_opencl.launch import typed

MOST_NUMBERS = 32
MOST_ARRAYS = 8
_LETTERS = "abcdefgh"
_TEXT = """
typedef struct {{ long n, span, offset[{arrays}]; int kind[{arrays}]; {scalar} number[{numbers}]; }} Step;
kernel void update({buffers}, const Step g) {{
  const {scalar}* number = g.number;
  long end = min((long)(get_global_id(0) + 1) * g.span, g.n);
  for (long i = get_global_id(0) * g.span; i < end; i += LANES_{f}) {{
    int count = (int)min((long)LANES_{f}, end - i);
    {statements}
  }}
}}
"""


def _program(family: Family, count: int, statements: str) -> str:
    return _TEXT.format(
        arrays=MOST_ARRAYS,
        numbers=MOST_NUMBERS,
        scalar=family.scalar,
        f=family.name,
        buffers=", ".join(f"Out {letter}" for letter in _LETTERS[:count]),
        statements=statements,
    )


def _packing(family: Family) -> struct.Struct:
    letter = "d" if family is DOUBLE else "f"
    return struct.Struct(f"{2 + MOST_ARRAYS}q{MOST_ARRAYS}i{MOST_NUMBERS}{letter}")


@lru_cache(maxsize=256)
def _kernel(device: Device, family: Family, count: int, statements: str) -> Any:
    kernel = device.kernel([family], _program(family, count, statements), "update")
    return typed(kernel, count, _packing(family).size)


def _traced(
    formula: Formula, family: Family, present: Sequence[bool], numbers: dict[str, Any]
) -> tuple[str, list[float]]:
    """The statements of a step, and the numbers in them; `present` says which arrays there are."""
    trace = Trace(family)
    values: list[Any] = []
    at = 0
    for given in present:
        # A vector is loaded where the array begins; its offset is counted in elements of its own.
        values.append(_loaded(trace, at) if given else None)
        at += given
    results = formula.function(Functions(trace), *values, **numbers)
    param, *state = results
    targets = [(0, param), *((j, new) for j, new in enumerate(state, 2) if present[j])]
    index = [sum(present[:j]) for j in range(len(present))]
    for j, new in targets:
        k = index[j]
        trace.statements.append(
            f"store_{family.name}({_LETTERS[k]}, g.offset[{k}] + i, 1, count, g.kind[{k}],"
            f" {trace.text(new)});"
        )
    return "\n    ".join(trace.statements), trace.numbers


def _loaded(trace: Trace, at: int) -> Any:
    f = trace.family
    return trace.new(f"load_{f}((In){_LETTERS[at]}, g.offset[{at}] + i, 1, count, g.kind[{at}])")


def _fused(formula: Formula) -> Callable[..., None]:
    lists, rows = 2 + len(formula.state), len(formula.rows)

    def step(*given: Any) -> None:
        columns = given[:lists]
        own = given[lists : lists + rows]
        hyper = dict(zip(formula.hyper, given[lists + rows :], strict=True))
        traced: dict[Any, Any] = {}
        present = [column is not None for column in columns]
        for i in range(len(columns[0])):
            arrays = [column[i] for column in columns if column is not None]
            numbers = tuple(values[i] for values in own)
            family = FAMILY[arrays[0].dtype]
            key = (family, numbers)
            if key not in traced:
                named = dict(zip(formula.rows, numbers, strict=True))
                traced[key] = _traced(formula, family, present, {**named, **hyper})
            _run(arrays, family, *traced[key])

    step.__name__ = step.__qualname__ = formula.name
    return step


def _run(arrays: list[Array], family: Family, statements: str, numbers: list[float]) -> None:
    param = arrays[0]
    device = common_device(arrays)
    if not prod(param.shape):
        return
    used = [param if _fits(param, param) else param.copied()]
    used += [a if _fits(a, used[0]) else _alike(a, used[0]) for a in arrays[1:]]
    n = prod(param.shape)
    span = device.profile.chunk if device.profile.is_cpu else device.profile.lanes(family)
    missing = MOST_ARRAYS - len(used)
    constants = _packing(family).pack(
        n, span, *[a.offset for a in used], *[0] * missing,
        *[CODE[a.dtype] for a in used], *[0] * missing,
        *numbers, *[0.0] * (MOST_NUMBERS - len(numbers)),
    )  # fmt: skip
    kernel = _kernel(device, family, len(used), statements)
    with device.lock:
        kernel(
            device.queue, (-(-n // span),), device.line, *[a.memory.buffer for a in used], constants
        )
    for array, copy in zip(arrays, used, strict=True):
        if array is not copy and array is not arrays[1]:
            write(array, copy)


def _fits(array: Array, param: Array) -> bool:
    """Whether element i of the one's memory belongs to element i of the other's."""
    return array.strides == param.strides and is_dense(array.shape, array.strides)


def _alike(array: Array, param: Array) -> Array:
    """A copy that lies in memory as the parameter does."""
    memory = array.memory.device.pool.take(prod(array.shape) * array.dtype.itemsize)
    copy = Array(memory, array.dtype, array.shape, param.strides)
    write(copy, array)
    return copy


def _takes(formula: Formula) -> Callable[..., str | None]:
    lists, rows = 2 + len(formula.state), len(formula.rows)

    def takes(*given: Any) -> str | None:
        """None to take the call, or why not."""
        numbers = [v for column in given[lists : lists + rows] for v in column]
        numbers += given[lists + rows :]
        if not all(isinstance(v, (bool, int, float)) for v in numbers):
            return "only for options that are Python numbers"
        shapes = zip(*(column for column in given[:lists] if column is not None), strict=True)
        if any(a.shape != row[0].shape for row in shapes for a in row):
            return "only for state of the parameters' shapes"
        arrays = [a for column in given[:lists] if column is not None for a in column]
        if len({FAMILY[a.dtype] for a in arrays}) > 1:
            return "only for parameters, gradients and state of like dtypes"
        return None

    return takes


def count_(counters: Sequence[Array]) -> None:
    """Adds one to each of many arrays of one element."""
    for counter in counters:
        ELEMENTWISE["add"](counter, literal(1, counter.dtype), out=counter)


KERNELS = {
    name: (_fused(formula), _takes(formula))
    for name, formula in STEP_FORMULAS.items()
    if formula.elementwise and 2 + len(formula.state) <= MOST_ARRAYS
}
