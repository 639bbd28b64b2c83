"""The checks: each takes an operator and raises a Difference at the first that it finds."""

from __future__ import annotations

from collections.abc import Callable

from tests.oracle.checks import batching, derivatives, edges, forms, memory, mistakes, values
from tests.oracle.operators import Operator

CHECKS: dict[str, Callable[[Operator], None]] = {
    "values": values.check_values,
    "dtypes": values.check_dtypes,
    "edges": edges.check_edges,
    "gradients": derivatives.check_gradients,
    "second": derivatives.check_second,
    "forward": derivatives.check_forward,
    "vmap": batching.check_vmap,
    "method": forms.check_method,
    "operators": forms.check_operators,
    "aliases": forms.check_aliases,
    "keywords": forms.check_keywords,
    "inplace": forms.check_inplace,
    "out": forms.check_out,
    "layouts": memory.check_layouts,
    "views": memory.check_views,
    "errors": mistakes.check_errors,
}
