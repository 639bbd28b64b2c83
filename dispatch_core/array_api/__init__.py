"""The Python array API standard 2025.12 as a second, strict face of the same operators.

`x.__array_namespace__()` of any tensor is this module. Its functions take tensors and return `Array`,
a subclass of Tensor. (https://data-apis.org/array-api/2025.12/)
"""

from __future__ import annotations

from typing import Any

from dispatch_core._version import __version__
from dispatch_core.array_api import (  # noqa: F401  they declare functions
    _array,
    _creation,
    _dtypes,
    _elementwise,
    _info,
    _manipulation,
    _promotion,
    _searching,
    _statistics,
    fft,
    linalg,
)
from dispatch_core.array_api._array import Array
from dispatch_core.array_api._info import __array_namespace_info__
from dispatch_core.array_api._names import FUNCTIONS

__array_api_version__ = "2025.12"

_NAMES: dict[str, Any] = {
    **FUNCTIONS[""],
    **_elementwise.CONSTANTS,
    **{d.name: d for d in _promotion.DTYPES},
}
globals().update(_NAMES)
_array.bind(FUNCTIONS[""])

__all__ = [  # noqa: PLE0604  the table's names
    "Array",
    "__array_api_version__",
    "__array_namespace_info__",
    "__version__",
    "fft",
    "linalg",
    *_NAMES,
]


def __dir__() -> list[str]:
    return sorted(__all__)
