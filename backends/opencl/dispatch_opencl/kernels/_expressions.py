"""The table operator -> C expression of x, y and z, by the kind of number computed with.

Comparisons and the like give masks, as OpenCL's vectors compare: all bits or none.
"""

from __future__ import annotations

from typing import NamedTuple

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
    result: str = "same"
    """"same", "truth" (a mask, stored as bool) or "part" (real, of complex numbers too)."""
    by_zero: bool = False
    """Whether integers refuse a second operand of zero."""

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
    "where": Expression("t ? x : y", "t ? x : y", "t ? x : y"),
}
