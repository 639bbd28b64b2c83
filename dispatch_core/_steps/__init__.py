"""The update formulas of the optimizers, each written once, for tensors and for raw arrays alike.

`ops/nn/optim.py` makes an operator of each, whose body applies it to tensors; a backend whose arrays
have numpy's operators makes a kernel of it, which applies it to blocks of memory. What a formula is,
`_formula.py` says. A new one is one function.
"""

from __future__ import annotations

from dispatch_core._steps import _adaptive, _averages, _descent, _matrices  # noqa: F401  they enter theirs
from dispatch_core._steps._formula import FORMULAS, Formula
from dispatch_core._steps._moments import nadam_momentum

__all__ = ["FORMULAS", "Formula", "nadam_momentum"]
