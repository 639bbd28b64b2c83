"""Element-wise arithmetic, comparison and functions, generated from the table of expressions."""

from __future__ import annotations

from itertools import repeat
from typing import Any

from dispatch_core.extend import bool_, broadcast_shapes, dtype
from dispatch_opencl import source
from dispatch_opencl.array import Array, common_device
from dispatch_opencl.device import Device
from dispatch_opencl.geometry import result_strides
from dispatch_opencl.kernels._expressions import (
    COMPLEX,
    EXPRESSIONS,
    FASTER,
    PARAMETERS,
    REAL,
    Expression,
)
from dispatch_opencl.kernels._together import literal, together
from dispatch_opencl.kernels.cast import write
from dispatch_opencl.kinds import FAMILY, FLOAT, LONG, ULONG, Family
from dispatch_opencl.launch import GEOMETRY_SIZE, Plan, Plans, geometry, layout, typed

_ALL = EXPRESSIONS | FASTER | PARAMETERS


def _kernel_text(name: str, expression: Expression, family: Family) -> str:
    """One kernel of the program of a family."""
    value = expression.of(family)
    variables = expression.variables
    buffers = "".join(f", In {buffer}" for buffer in "abc"[: len(variables)])
    checks = expression.by_zero and family in (LONG, ULONG)
    flag = ", global long* report" if checks else ""
    lines = [f"kernel void op_{name}(Out out{buffers}{flag}, const Geometry g) {{"]
    lines.append("  EACH_CHUNK(LANES_@F)")
    for k, (variable, buffer, start) in enumerate(zip(variables, "abc", "pqr", strict=False), 1):
        kind, load = ("M_@F", "load_truth_@F") if variable == "t" else ("V_@F", "load_@F")
        lines.append(f"  {kind} {variable} = LOAD_OPERAND({k}, {load}, {buffer}, {start});")
    if checks:
        lines.append("  if (any(y == 0)) report[0] = 1;")
    store = {"same": "store_@F", "truth": "store_truth_@F", "part": "store_part_@F"}
    lines += [f"  STORE_RESULT({store[expression.result]}, ({value}));", "  END_CHUNK", "}"]
    return "\n".join(lines)


def _helpers(family: Family) -> str:
    if family in COMPLEX:
        text = source.text("complex.cl") + (
            "#define store_part_@F(p, at, stride, count, kind, x) ((global @R*)(p))[at] = x\n"
        )
    else:
        name = "real.cl" if family in REAL else "whole.cl"
        text = f"#define store_part_@F store_@F\n{source.text(name)}"
    return text


def program(family: Family, lanes: int, group: str) -> str:
    """The text of all kernels of a group for a family, after its loads and stores."""
    kernels = [
        _kernel_text(name, expression, family)
        for name, expression in _ALL.items()
        if expression.group == group and expression.of(family)
    ]
    return source.filled(
        "\n".join([source.text("elementwise.cl"), _helpers(family), *kernels]),
        F=family.name,
        C=family.scalar,
        R=family.parts,
        M="long",
        W=lanes,
        SINGLE=int(family is FLOAT),
        UNSIGNED=-int(family is ULONG),
    )


class Elementwise:
    """The kernel of one operator, for all dtypes and layouts."""

    def __init__(self, name: str, expression: Expression) -> None:
        self.__name__ = self.__qualname__ = name
        self.expression = expression
        self.first = max(expression.variables.index("x"), 0)
        """Which operand has the dtype that is computed with."""
        self.plans = Plans(self._plan)
        self._kernels: dict[tuple[Device, Family], Any] = {}

    def result_dtype(self, computed: dtype) -> dtype:
        """What the result holds."""
        if self.expression.result == "truth":
            return bool_
        return computed.to_real() if self.expression.result == "part" else computed

    def _kernel(self, device: Device, family: Family, buffers: int) -> Any:
        found = self._kernels.get((device, family))
        if found is None:
            if not self.expression.of(family):
                raise NotImplementedError(f'"{self.__name__}" is not implemented for this dtype')
            lanes = device.profile.lanes(family)
            text = program(family, lanes, self.expression.group)
            found = typed(
                device.kernel([family], text, f"op_{self.__name__}"), buffers, GEOMETRY_SIZE
            )
            self._kernels[device, family] = found
        return found

    def _plan(self, operands: tuple[Array, ...], out: Array | None) -> Plan:
        device = common_device(operands)
        computed = operands[self.first].dtype
        family = FAMILY[computed]
        if not all(map(self._reads, self.expression.variables, operands, repeat(family))):
            raise ValueError(f"expected operands of one dtype, got {[a.dtype for a in operands]}")
        shape = tuple(broadcast_shapes(*(a.shape for a in operands)))
        result = self.result_dtype(computed)
        if out is not None and out.shape != shape:
            raise ValueError(f"out has shape {out.shape}, the result {shape}")
        strides = (
            out.strides if out is not None
            else result_strides(shape, [(a.shape, a.strides) for a in operands])
        )  # fmt: skip
        target = (shape, strides, 0 if out is None else out.offset, result)
        reports = int(self.checks(computed))
        kernel = self._kernel(device, family, 1 + len(operands) + reports)
        launches = geometry(
            device, shape, [target, *map(layout, operands)], device.profile.lanes(family)
        )
        return Plan(device, kernel, launches, shape, strides, result)

    @staticmethod
    def _reads(variable: str, operand: Array, family: Family) -> bool:
        """Whether a kernel of a family reads an operand as it is stored."""
        if variable == "t":
            return operand.dtype.itemsize == 1
        return FAMILY[operand.dtype] is family

    def checks(self, computed: dtype) -> bool:
        """Whether the kernel reports operands that it cannot take."""
        return self.expression.by_zero and FAMILY[computed] in (LONG, ULONG)

    def _finish(self, plan: Plan, computed: dtype, out: Array | None, operands: Any) -> Array:
        """Run a plan into a new array, or into `out`."""
        if out is None:
            memory = plan.take(plan.nbytes)
            result = Array(memory, self.result_dtype(computed), plan.shape, plan.strides)
        else:
            result = out
            memory = out.memory
        buffers = [a.memory.buffer for a in operands]
        if self.checks(computed):
            device = memory.device
            divisor = operands[-1].memory.literal
            with device.lock:
                plan.run(memory.buffer, *buffers, device.report.buffer)
                asks = divisor is None or divisor == 0
                wrong = device.report.taken() if asks else None
            if wrong is not None:
                raise RuntimeError("ZeroDivisionError: integer division or modulo by zero")
        else:
            plan.run(memory.buffer, *buffers)
        return result

    def _safe(self, operands: tuple[Array, ...], out: Array) -> bool:
        """Whether `out` can be written while operands are read: no overlap but element by element."""
        return all(
            a.memory is not out.memory
            or (a.offset == out.offset and a.strides == out.strides and a.shape == out.shape)
            for a in operands
        )


class Unary(Elementwise):
    """An operator of one array."""

    def __call__(self, x: Array, out: Array | None = None) -> Array:
        """The result as a new array, or in `out`."""
        memory = x.memory
        key: Any
        if out is None:
            key = (x.dtype, memory.device, x.shape, x.strides, x.offset)
        elif self._safe((x,), out):
            key = (x.dtype, memory.device, x.shape, x.strides, x.offset, out.strides, out.offset,
                   out.shape)  # fmt: skip
        else:
            return into(out, self(x))
        plan = self.plans.get(key) or self.plans.find(key, (x,), out)
        if out is None and len(plan.launches) == 1:
            made = plan.take(plan.nbytes)
            with plan.lock:
                plan.kernel(
                    plan.queue, plan.launches[0][0], plan.local, made.buffer, memory.buffer,
                    plan.launches[0][1],
                )  # fmt: skip
            return Array(made, self.result_dtype(x.dtype), plan.shape, plan.strides)
        return self._finish(plan, x.dtype, out, (x,))


class Binary(Elementwise):
    """An operator of two arrays."""

    def __call__(self, x: Array, y: Array, out: Array | None = None) -> Array:
        """The result as a new array, or in `out`."""
        mx, my = x.memory, y.memory
        if mx.device is not my.device:
            x, y = together(x, y)
            mx, my = x.memory, y.memory
        key: Any = (
            x.dtype, mx.device, x.shape, x.strides, x.offset, y.dtype, y.shape, y.strides, y.offset
        )  # fmt: skip
        if out is not None:
            if not self._safe((x, y), out):
                return into(out, self(x, y))
            key = (*key, out.strides, out.offset, out.shape)
        plan = self.plans.get(key) or self.plans.find(key, (x, y), out)
        if out is None and len(plan.launches) == 1 and not self.expression.by_zero:
            made = plan.take(plan.nbytes)
            with plan.lock:
                plan.kernel(
                    plan.queue, plan.launches[0][0], plan.local, made.buffer, mx.buffer, my.buffer,
                    plan.launches[0][1],
                )  # fmt: skip
            return Array(made, self.result_dtype(x.dtype), plan.shape, plan.strides)
        return self._finish(plan, x.dtype, out, (x, y))


class Several(Elementwise):
    """An operator of three arrays."""

    def __call__(self, *operands: Array, out: Array | None = None) -> Array:
        """The result as a new array, or in `out`."""
        operands = together(*operands)
        key: Any = (
            operands[self.first].dtype, operands[0].memory.device,
            *[(a.dtype, a.shape, a.strides, a.offset) for a in operands],
        )  # fmt: skip
        if out is not None:
            if not self._safe(operands, out):
                return into(out, self(*operands))
            key = (*key, out.strides, out.offset, out.shape)
        plan = self.plans.get(key) or self.plans.find(key, operands, out)
        return self._finish(plan, operands[self.first].dtype, out, operands)


def into(target: Array, source: Array) -> Array:
    """The target, with the elements of an array written into it."""
    write(target, source)
    return target


def _made(name: str, expression: Expression) -> Any:
    return (Unary, Binary, Several)[len(expression.variables) - 1](name, expression)


KERNELS = {name: _made(name, expression) for name, expression in EXPRESSIONS.items()}
FASTER_KERNELS = {name: _made(name, expression) for name, expression in FASTER.items()}
_OF_PARAMETERS = {name: _made(name, expression) for name, expression in PARAMETERS.items()}


def dtypes_of(expression: Expression) -> list[dtype]:
    """The dtypes for which an operator is computed by its expression."""
    return [each for each, family in FAMILY.items() if expression.of(family)]


def gelu(input: Array, approximate: str) -> Array:
    """Each x times the probability of a normal number below it, or the approximation by tanh."""
    return _OF_PARAMETERS["gelu_tanh" if approximate == "tanh" else "gelu_none"](input)


def leaky_relu(input: Array, negative_slope: float) -> Array:
    """Each x > 0 as it is, others times `negative_slope`."""
    slope = literal(negative_slope, input.dtype)
    return _OF_PARAMETERS["leaky_relu"](input, slope)


FLOATING_KERNELS = {"gelu": gelu, "leaky_relu": leaky_relu}
