"""`RowSparse`: a gradient that holds only the rows of a table which are not zero."""

from __future__ import annotations

from typing import Any, TypeGuard

from dispatch_core._device import device as Device
from dispatch_core._graph import WRITES, Raw
from dispatch_core._keys import PLAIN
from dispatch_core._op import K
from dispatch_core._size import Size
from dispatch_core._tensor import Tensor


class RowSparse(Tensor):
    """The gradient of `embedding(sparse=True)` for its table, as rows and their indices.

    To optimizers it is what PyTorch's sparse tensors are: `is_sparse`, `coalesce()`, `indices()`,
    `values()`, `to_dense()`. An operator is given the dense gradient, which is made when first asked
    for; once that was written in place, this is a dense tensor.
    """

    __slots__ = ("_dense", "_parts")
    __dispatch_function__ = None

    _parts: tuple[Tensor, Tensor, int, bool]
    """Indices (n), rows (n, ...), the number of rows of the table, whether indices are unique."""
    _dense: Raw | None

    @property
    def _raw(self) -> Raw:
        if self._dense is None:
            index, rows, count, _ = self._parts
            table = K.new_zeros(rows, (count, *rows.shape[1:]))
            self._dense = K.index_add(table, 0, index, rows)._raw
        return self._dense

    @_raw.setter
    def _raw(self, raw: Raw) -> None:
        self._dense = raw
        WRITES.record(self._backend.storage_of(raw))

    @property
    def is_sparse(self) -> bool:
        """Whether the rows are still all there is."""
        return self._dense is None or not WRITES.version(self._backend.storage_of(self._dense))

    @property
    def shape(self) -> Size:
        """The shape of the table."""
        return Size((self._parts[2], *self._parts[1].shape[1:]))

    @property
    def device(self) -> Device:
        """The device that holds the rows."""
        return self._parts[1].device

    def indices(self) -> Tensor:
        """The indices of the rows, as one row of a matrix."""
        return K.unsqueeze(self._kept()[0], 0)

    def values(self) -> Tensor:
        """The rows."""
        return self._kept()[1]

    _indices, _values = indices, values

    def is_coalesced(self) -> bool:
        """Whether no row is named twice."""
        return self._kept()[3]

    def coalesce(self) -> RowSparse:
        """The same with every row named once, in order."""
        index, rows, count, unique = self._kept()
        if unique:
            return self
        named, place = K.unique(index, return_inverse=True)
        summed = K.index_add(K.new_zeros(rows, (named.shape[0], *rows.shape[1:])), 0, place, rows)
        return row_sparse(named, summed, count, unique=True)

    def joined(self, other: RowSparse) -> RowSparse:
        """The sum of two gradients of one table."""
        mine, theirs = self._kept(), other._kept()
        return row_sparse(K.cat((mine[0], theirs[0])), K.cat((mine[1], theirs[1])), mine[2])

    def to_dense(self, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
        """The whole table, as a tensor of its own."""
        whole: Tensor = K.clone(self)
        return whole if dtype is None else whole.to(dtype)

    def sparse_dim(self) -> int:
        """1: rows are named by one index."""
        return 1

    def dense_dim(self) -> int:
        """The number of dimensions of a row."""
        return self._parts[1].ndim - 1

    def _nnz(self) -> int:
        return self._kept()[0].shape[0]

    def _kept(self) -> tuple[Tensor, Tensor, int, bool]:
        if not self.is_sparse:
            raise RuntimeError(
                "this gradient was written in place as a dense tensor, so that its rows are not all "
                "there is; use it as a tensor"
            )
        return self._parts

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        if not self.is_sparse:
            return super().__repr__()
        index, rows, count, _ = self._parts
        shape = (count, *rows.shape[1:])
        return f"tensor(indices={self.indices()}, values={rows}, size={shape}, nnz={len(index)})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (
            (row_sparse, self._parts) if self.is_sparse else self.to_dense().__reduce_ex__(protocol)
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_sparse:
            return self.to_dense()
        index, rows, count, unique = self._parts
        return row_sparse(K.clone(index), K.clone(rows), count, unique)


def row_sparse(index: Tensor, rows: Tensor, count: int, unique: bool = False) -> RowSparse:
    """A table of `count` rows, zero but for those named."""
    made: RowSparse = object.__new__(RowSparse)
    made._parts = index, rows, count, unique
    made._dense = None
    made._k = rows._k & PLAIN
    made._node = None
    return made


def is_row_sparse(value: Any) -> TypeGuard[RowSparse]:
    """Whether this is a gradient that holds rows only."""
    return isinstance(value, RowSparse) and value.is_sparse
