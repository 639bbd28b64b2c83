"""The table operator -> C expression of x, y and z, by the kind of number computed with.

Comparisons and the like give masks, as OpenCL's vectors compare: all bits or none.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from dispatch_opencl.kinds import (
    COMPLEX_DOUBLE,
    COMPLEX_FLOAT,
    DOUBLE,
    FLOAT,
    LONG,
    ULONG,
    Family,
)

REAL = (FLOAT, DOUBLE)
WHOLE = (LONG, ULONG)
COMPLEX = (COMPLEX_FLOAT, COMPLEX_DOUBLE)


class Expression(NamedTuple):
    """How an operator is computed."""

    real: str = ""
    whole: str = ""
    complex: str = ""
    group: str = "basic"
    """The operators of a group are compiled together."""
    operands: str = ""
    """The variables in the order of the arguments; `t` is a truth value. Else those it names, in order."""
    result: str = "same"
    """"same", "truth" (a mask, stored as bool) or "part" (real, of complex numbers too)."""
    by_zero: bool = False
    """Whether integers refuse a second operand of zero."""

    @property
    def variables(self) -> str:
        """Its operands, in the order of the operator's arguments."""
        text = self.real or self.whole or self.complex
        named = "".join(n for n in "xyz" if re.search(rf"(?<![.\w]){n}\b", text))
        return self.operands or named

    def of(self, family: Family) -> str:
        """The expression for a family; empty where the operator does not take it."""
        return self.real if family in REAL else self.whole if family in WHOLE else self.complex


def _function(name: str) -> Expression:
    return Expression(f"{name}(x)", "", f"{name}_@F(x)", "functions")


EXPRESSIONS: dict[str, Expression] = {
    "abs": Expression("fabs(x)", "x < 0 ? -x : x", "abs_@F(x)", result="part"),
    "add": Expression("x + y", "x + y", "x + y"),
    "atan2": Expression("atan2(x, y)", group="functions"),
    "bitwise_and": Expression("", "x & y"),
    "bitwise_not": Expression("", "x ^ (V_@F)(g.kind[0] == BOOL ? 1 : -1)"),
    "bitwise_or": Expression("", "x | y"),
    "bitwise_xor": Expression("", "x ^ y"),
    "conj_physical": Expression("x", "x", "C_@F(x.x, -x.y)"),
    "cos": _function("cos"),
    "div": Expression("x / y", "", "div_@F(x, y)"),
    "eq": Expression("x == y", "x == y", "x.x == y.x && x.y == y.y", result="truth"),
    "exp": _function("exp"),
    "expm1": _function("expm1"),
    "floor": Expression("floor(x)", "x"),
    "log": _function("log"),
    "log1p": _function("log1p"),
    "lt": Expression("x < y", "x < y", result="truth"),
    "mul": Expression("x * y", "x * y", "mul_@F(x, y)"),
    "neg": Expression("-x", "-x", "-x"),
    "pow": Expression("power_@F(x, y)", "power_@F(x, y)", "pow_@F(x, y)", "functions"),
    "remainder": Expression(
        "python_mod_@F(x, y)", "python_mod_@F(x, y)", group="functions", by_zero=True
    ),
    "round": Expression("rint(x)", "x"),
    "sgn": Expression(
        "sign_@F(x)",
        "(x > 0 ? (V_@F)1 : (V_@F)0) - (x < 0 ? (V_@F)1 : (V_@F)0)",
        "sgn_@F(x)",
    ),
    "sin": _function("sin"),
    "sqrt": _function("sqrt"),
    "sub": Expression("x - y", "x - y", "x - y"),
    "tanh": _function("tanh"),
    "where": Expression("t ? x : y", "t ? x : y", "t ? x : y", operands="txy"),
}
"""The primitives, for all dtypes that they take."""


def _real(text: str, whole: str = "", group: str = "basic", **rest: Any) -> Expression:
    return Expression(text, whole, group=group, **rest)


def _truth(real: str, whole: str | None = None) -> Expression:
    return Expression(real, real if whole is None else whole, group="truth", result="truth")


FASTER: dict[str, Expression] = {
    **{
        name: _real(f"{name}(x)", group="more")
        for name in (
            "acos", "acosh", "asin", "asinh", "atan", "atanh", "cosh", "exp2", "log10", "log2",
            "sinh", "tan",
        )
    },
    "ceil": _real("ceil(x)", "x"),
    "copysign": _real("copysign(x, y)"),
    "erf": _real("erf_@F(x)", group="functions"),
    "floor_divide": Expression(
        "", "(x - python_mod_@F(x, y)) / (y == 0 ? (V_@F)1 : y)", group="functions", by_zero=True
    ),
    "fmax": _real("fmax(x, y)", "max(x, y)"),
    "fmin": _real("fmin(x, y)", "min(x, y)"),
    "frac": _real("x - trunc(x)"),
    "gate": Expression("t ? x : (V_@F)0", "t ? x : (V_@F)0", operands="xt"),
    "ge": _truth("x >= y"),
    "gt": _truth("x > y"),
    "hypot": _real("hypot(x, y)", group="more"),
    "isfinite": _truth("fabs(x) < INFINITY", "(M_@F)(-1)"),
    "isinf": _truth("fabs(x) == INFINITY", "(M_@F)(0)"),
    "isnan": _truth("x != x", "(M_@F)(0)"),
    "le": _truth("x <= y"),
    "logical_and": _truth("(x != 0) & (y != 0)"),
    "logical_not": _truth("x == 0"),
    "logical_or": _truth("(x != 0) | (y != 0)"),
    "logical_xor": _truth("(x != 0) ^ (y != 0)"),
    "maximum": _real("(x > y) | (x != x) ? x : y", "max(x, y)"),
    "minimum": _real("(x < y) | (x != x) ? x : y", "min(x, y)"),
    "ne": _truth("x != y"),
    "reciprocal": _real("1 / x"),
    "relu": _real("x < 0 ? (V_@F)0 : x", "max(x, (V_@F)0)"),
    "rsqrt": _real("1 / sqrt(x)"),
    "sigmoid": _real("1 / (1 + exp(-x))", group="functions"),
    "sign": EXPRESSIONS["sgn"]._replace(complex=""),
    "silu": _real("x / (1 + exp(-x))", group="functions"),
    "square": Expression("x * x", "x * x", "mul_@F(x, x)"),
    "trunc": _real("trunc(x)", "x"),
}  # fmt: skip
"""Operators that have a definition, but are faster as one kernel."""

PARAMETERS: dict[str, Expression] = {
    "gelu_none": _real(
        "x * (V_@F)0.5 * (1 + erf_@F(x * (V_@F)0.70710678118654752))", group="functions"
    ),
    "gelu_tanh": _real(
        "x / (1 + exp(x * (V_@F)-1.5957691216057308 * (1 + (V_@F)0.044715 * x * x)))",
        group="functions",
    ),
    "leaky_relu": _real("x > 0 ? x : x * y"),
}
"""Kernels of operators whose other arguments are no tensors."""
