"""The functions of neural networks, without parameters of their own."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from dispatch_core._namespaces import names_of
from dispatch_core._op import K
from dispatch_core._tensor import Tensor, check_tensor

globals().update(names_of("nn.functional"))

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


def _chosen_dim(name: str, dim: int | None, input: Tensor, stacklevel: int) -> int:
    """The dimension; without one PyTorch's old choice, and its warning."""
    if dim is not None:
        return dim
    check_tensor(input, f"{name}(): argument 'input' (position 1)")
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X "
        "as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.ndim in (0, 1, 3) else 1


# `nn.functional` lets the dimension out, which the operators of these names do not.


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """exp(input) scaled to sum to 1 along `dim`, computed in `dtype` if given."""
    if dim is None:
        dim = _chosen_dim("softmax", dim, input, _stacklevel)
    return K.softmax(input, dim, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """The logarithm of `softmax`, without underflow."""
    if dim is None:
        dim = _chosen_dim("log_softmax", dim, input, _stacklevel)
    return K.log_softmax(input, dim, dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """`softmax` of the negative."""
    if dim is None:
        dim = _chosen_dim("softmin", dim, input, _stacklevel)
    return K.softmax(-input, dim, dtype)
