"""Products of groups of different sizes, as mixtures of experts need them."""

from __future__ import annotations

from typing import Any

from dispatch_core._namespaces import public
from dispatch_core._op import K
from dispatch_core._tensor import Tensor


@public("nn.functional.grouped_mm")
def grouped_mm(
    mat_a: Tensor, mat_b: Tensor, *, offs: Any = None, bias: Any = None, out_dtype: Any = None
) -> Tensor:
    """The product of each group of `mat_a` and `mat_b`, where one dimension is cut into groups by `offs`.

    `offs` (G) says, rising, where each group ends. (M, K) and (G, K, N) give (M, N), each group of rows
    by its own matrix; (G, M, K) and (K, N) give (M, N), each group of columns by its own; (M, K) and
    (K, N) give (G, M, N), the products of the groups of K; (G, M, K) and (G, K, N), without `offs`,
    give (G, M, N). What lies beyond the last group gives 0. `bias` is added, `out_dtype` the result's.

    Raises RuntimeError for other dimensions, and where groups, matrices and offsets do not fit.
    """
    dims = (mat_a.ndim, mat_b.ndim)
    if not set(dims) <= {2, 3}:
        raise RuntimeError(f"grouped_mm(): expected matrices of 2 or 3 dimensions, got {dims}")
    if (offs is None) != (dims == (3, 3)):
        raise RuntimeError(
            "Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d"
        )
    if mat_a.shape[-1] != mat_b.shape[-2]:
        raise RuntimeError(
            f"contraction dimension of mat_a and mat_b must match, got {list(mat_a.shape)} and "
            f"{list(mat_b.shape)}"
        )
    if offs is None:
        result = K.bmm(mat_a, mat_b)
    else:
        result = _by_groups(mat_a, mat_b, dims, _ends(offs))
    if bias is not None:
        result = result + bias
    return result if out_dtype is None else K.cast(result, out_dtype)


def _ends(offs: Tensor) -> list[int]:
    if offs.ndim != 1 or offs.dtype.is_floating_point:
        raise RuntimeError(
            f"grouped_mm(): offs must be a vector of integers, got {offs.dtype} of {list(offs.shape)}"
        )
    ends: list[int] = offs.tolist()
    if any(a > b for a, b in zip([0, *ends], ends, strict=False)):
        raise RuntimeError(f"grouped_mm(): offs must rise from 0, got {ends}")
    return ends


def _by_groups(a: Tensor, b: Tensor, dims: tuple[int, int], ends: list[int]) -> Tensor:
    groups = [m.shape[0] for m in (a, b) if m.ndim == 3]
    if groups and groups[0] != len(ends):
        raise RuntimeError(
            f"matrix batch sizes have to match: {groups[0]} matrices for {len(ends)} offsets"
        )
    cut, dim = {(2, 3): (a, 0), (3, 2): (b, 1), (2, 2): (a, 1)}[dims]
    if ends and ends[-1] > cut.shape[dim]:
        raise RuntimeError(
            f"grouped_mm(): the last group ends at {ends[-1]}, but there are {cut.shape[dim]}"
        )
    pieces = [(begin, end - begin) for begin, end in zip([0, *ends], ends, strict=False)]
    if dims == (2, 2):
        products = [K.mm(K.narrow(a, 1, *p), K.narrow(b, 0, *p)) for p in pieces]
        return K.stack(products)
    if dims == (2, 3):
        products = [K.mm(K.narrow(a, 0, *p), K.select(b, 0, i)) for i, p in enumerate(pieces)]
    else:
        products = [K.mm(K.select(a, 0, i), K.narrow(b, 1, *p)) for i, p in enumerate(pieces)]
    left = cut.shape[dim] - (ends[-1] if ends else 0)
    if left:
        shape = (left, b.shape[-1]) if dim == 0 else (a.shape[-2], left)
        products.append(K.new_zeros(a, shape))
    return K.cat(products, dim)
