"""Formulas as OpenCL C: a function of arrays is run on names, and what it does is written down."""

from __future__ import annotations

from typing import Any

from dispatch_opencl.kinds import Family


class Trace:
    """The statements of one run, and the Python numbers that met an array in it.

    Numbers are arguments of the kernel, so that a program serves every learning rate and step.
    """

    def __init__(self, family: Family) -> None:
        self.family = family.name
        self.statements: list[str] = []
        self.numbers: list[float] = []

    def text(self, value: Any) -> str:
        """An array's name, or the argument that a number becomes."""
        if isinstance(value, Value):
            return value.name
        self.numbers.append(float(value))
        return f"(V_{self.family})(number[{len(self.numbers) - 1}])"

    def new(self, expression: str, kind: str = "V") -> Value:
        """A value computed by an expression."""
        name = f"v{len(self.statements)}"
        self.statements.append(f"{kind}_{self.family} {name} = {expression};")
        return Value(self, name)


class Value:
    """An array of which only the name is known. Nothing changes one: `x += y` gives another."""

    __slots__ = ("name", "trace")

    def __init__(self, trace: Trace, name: str) -> None:
        self.trace = trace
        self.name = name

    def _with(self, operator: str, other: Any) -> Value:
        return self.trace.new(f"{self.name} {operator} {self.trace.text(other)}")

    def _after(self, operator: str, other: Any) -> Value:
        return self.trace.new(f"{self.trace.text(other)} {operator} {self.name}")

    def __add__(self, other: Any) -> Value:
        return self._with("+", other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Value:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> Value:
        return self._after("-", other)

    def __mul__(self, other: Any) -> Value:
        return self._with("*", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Value:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> Value:
        return self._after("/", other)

    def __pow__(self, other: Any) -> Value:
        return self.trace.new(f"pow({self.name}, {self.trace.text(other)})")

    def __neg__(self) -> Value:
        return self.trace.new(f"-{self.name}")

    def __abs__(self) -> Value:
        return self.trace.new(f"fabs({self.name})")

    def __lt__(self, other: Any) -> Value:
        return self.trace.new(f"{self.name} < {self.trace.text(other)}", "M")

    def __gt__(self, other: Any) -> Value:
        return self.trace.new(f"{self.name} > {self.trace.text(other)}", "M")


class Functions:
    """What formulas take from an array module, on names."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def sqrt(self, x: Any) -> Value:
        """The square root."""
        return self._trace.new(f"sqrt({x.name})")

    def sign(self, x: Any) -> Value:
        """-1, 0 or 1."""
        return self._trace.new(f"sign({x.name})")

    def maximum(self, x: Any, y: Any) -> Value:
        """The larger of two; NaN if either is NaN."""
        return self._extreme(">", x, y)

    def minimum(self, x: Any, y: Any) -> Value:
        """The smaller of two; NaN if either is NaN."""
        return self._extreme("<", x, y)

    def _extreme(self, operator: str, x: Any, y: Any) -> Value:
        a, b = self._trace.text(x), self._trace.text(y)
        return self._trace.new(f"({a} {operator} {b}) | ({a} != {a}) ? {a} : {b}")

    def where(self, condition: Any, x: Any, y: Any) -> Value:
        """`x` where the condition holds, `y` elsewhere."""
        a, b = self._trace.text(x), self._trace.text(y)
        return self._trace.new(f"{condition.name} ? {a} : {b}")
