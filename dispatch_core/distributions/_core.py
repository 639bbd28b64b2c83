"""The one door through which `distributions` reaches the rest of the framework."""

from __future__ import annotations

from dispatch_core import linalg, special
from dispatch_core._construct import as_tensor
from dispatch_core._dtypes import bool_, dtype, finfo, float64, get_default_dtype, int64
from dispatch_core._op import K
from dispatch_core._shapes import broadcast_shapes
from dispatch_core._size import Size
from dispatch_core._tensor import Tensor
from dispatch_core.autograd import enable_grad, grad, no_grad
from dispatch_core.nn import functional as F
from dispatch_core.ops._values import all_true, any_true
from dispatch_core.ops.chance._rejection import by_rejection
from dispatch_core.ops.facts import broadcast_tensors

__all__ = [
    "F",
    "K",
    "Size",
    "Tensor",
    "all_true",
    "any_true",
    "as_tensor",
    "bool_",
    "broadcast_shapes",
    "broadcast_tensors",
    "by_rejection",
    "dtype",
    "enable_grad",
    "finfo",
    "float64",
    "get_default_dtype",
    "grad",
    "int64",
    "linalg",
    "no_grad",
    "special",
]
