"""The checks: each takes an operator and raises a Difference at the first that it finds."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle.checks import values
from tests.oracle.operators import Operator

CHECKS: dict[str, Callable[[Operator], None]] = {
    "values": values.check_values,
    "dtypes": values.check_dtypes,
}
