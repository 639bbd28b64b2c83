"""Functions of any number of tensors, and questions about tensors that give plain Python values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from dispatch_core import _shapes
from dispatch_core._caller import warn_once
from dispatch_core._dispatcher.kinds import telling
from dispatch_core._dtypes import Priority, promote_operands
from dispatch_core._keys import KIND, kind_dtype
from dispatch_core._namespaces import public
from dispatch_core._op import K
from dispatch_core._size import Size
from dispatch_core._tensor import Tensor, check_tensor

# -- several tensors -----------------------------------------------------------------------------


def _listed(tensors: Sequence[Any]) -> list[Tensor]:
    """The tensors of f(a, b) or f([a, b])."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tensors[0]
    return [check_tensor(t, f"argument {i}") for i, t in enumerate(tensors, 1)]


@public("")
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that all shapes broadcast to; RuntimeError where there is none."""
    return Size(
        _shapes.broadcast_shapes(
            *(
                (s,) if isinstance(s, int) else tuple(_shapes.whole("shapes", n) for n in s)
                for s in shapes
            )
        )
    )


@public("")
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors expanded to a common shape; views."""
    listed = _listed(tensors)
    shape = _shapes.broadcast_shapes(*(t.shape for t in listed))
    return tuple(t if t.shape == shape else K.expand(t, shape) for t in listed)


@public("")
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Vectors expanded to the grid they span; "xy" exchanges the first two dimensions.

    Without `indexing` it is "ij", and a warning says so once: numpy's default is "xy".
    """
    listed = _listed(tensors)
    if indexing is None:
        warn_once(
            "meshgrid: in an upcoming release, it will be required to pass the indexing argument; it is "
            "'ij' here, and 'xy' in NumPy."
        )
        indexing = "ij"
    if not isinstance(indexing, str):
        raise TypeError(
            f"meshgrid(): argument 'indexing' must be str, not {type(indexing).__name__}"
        )
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    for t in listed:
        if t.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {t}"
            )
    if not listed:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if len({t.dtype for t in listed}) > 1:
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(listed) > 1
    order = [listed[1], listed[0], *listed[2:]] if swap else listed
    shape = tuple(t.numel() for t in order)
    grids = []
    for i, t in enumerate(order):
        place = tuple(t.numel() if d == i else 1 for d in range(len(order)))
        grids.append(K.expand(K.reshape(t, place), shape))
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@public("")
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element of each vector, as rows."""
    listed = _listed(tensors)
    for t in listed:
        if t.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t.shape)}")
    if len(listed) == 1:
        return listed[0]
    return K.stack([K.reshape(g, (-1,)) for g in meshgrid(*listed, indexing="ij")], 1)


@public("")
@telling
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All combinations of r elements of a vector, as rows."""
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(range(input.shape[0]), r))
    if not r or not rows:
        return K.new_zeros(input, (0, r) if r else (0,))
    columns = [K.stack([K.select(input, 0, row[i]) for row in rows]) for i in range(r)]
    return K.stack(columns, 1)


def _atleast(ndim: int) -> Any:
    def atleast(*tensors: Any) -> Any:
        def raised(x: Tensor) -> Tensor:
            while x.ndim < ndim:
                x = K.unsqueeze(x, 2 if x.ndim == 2 else 0)
            return x

        found = tuple(raised(t) for t in _listed(tensors))
        single = len(tensors) == 1 and isinstance(tensors[0], Tensor)
        return found[0] if single else found

    atleast.__name__ = f"atleast_{ndim}d"
    atleast.__doc__ = (
        f"Views of the tensors with at least {ndim} dimension(s); of one the tensor itself."
    )
    return public("")(atleast)


atleast_1d, atleast_2d, atleast_3d = (_atleast(n) for n in (1, 2, 3))


# -- questions -----------------------------------------------------------------------------------


@public("")
def is_tensor(obj: Any) -> bool:
    """Whether an object is a tensor."""
    return isinstance(obj, Tensor)


@public("")
def numel(input: Tensor) -> int:
    """The number of elements."""
    try:
        return input.numel()
    except AttributeError:
        check_tensor(input, "numel(): argument 'input' (position 1)")
        raise


@public("")
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a floating point one."""
    try:
        return input.dtype.is_floating_point
    except AttributeError:
        check_tensor(input, "is_floating_point(): argument 'input' (position 1)")
        raise


@public("")
def is_complex(input: Tensor) -> bool:
    """Whether the dtype is a complex one."""
    try:
        return input.dtype.is_complex
    except AttributeError:
        check_tensor(input, "is_complex(): argument 'input' (position 1)")
        raise


@public("")
def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    try:
        return input.dtype.is_signed
    except AttributeError:
        check_tensor(input, "is_signed(): argument 'input' (position 1)")
        raise


@public("", "Tensor")
@telling
def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero; RuntimeError for other sizes."""
    if input.numel() != 1:
        raise RuntimeError(
            "Boolean value of Tensor with more than one value is ambiguous"
            if input.numel()
            else "Boolean value of Tensor with no values is ambiguous"
        )
    return bool(input)


@public("")
@telling
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both shapes are equal."""
    return input.shape == other.shape


@public("")
def detach(input: Tensor) -> Tensor:
    """A tensor that shares memory and has no history."""
    return input.detach()


def rank_of(value: Any) -> tuple[Any, Priority]:
    """The dtype of a tensor or number, and its rank in promotion."""
    if isinstance(value, Tensor):
        return value.dtype, Priority.DIMENSIONED if value.ndim else Priority.ZERO_DIM
    for cls, kind in KIND.items():
        if value is not None and isinstance(value, cls):
            return kind_dtype(kind), Priority.SCALAR
    raise TypeError(f"result_type(): expected tensors or numbers, got {type(value).__name__}")


@public("")
def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype that arithmetic on two tensors or numbers gives."""
    return promote_operands([rank_of(tensor1), rank_of(tensor2)])
