"""Samples of indexing, scattering, sorting and searching."""

from __future__ import annotations

from tests.oracle.calls import INTEGERS, Call, Maker, call
from tests.oracle.samples.unary import Samples


def _along(m: Maker) -> list[Call]:
    """An index along a dimension, as `gather` takes it."""
    return [
        call(m(3, 4), 1, m.int(3, 2, high=4)),
        call(m(3, 4), 0, m.int(2, 4, high=3)),
        call(m(2, 3, 4), dim=-1, index=m.int(2, 3, 2, high=4)),
        call(m(), 0, m.int(high=1)),
        call(m(3, 4), 1, m.int(3, 0)),
    ]


def _scatter(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), 1, m.of([[0, 2], [1, 3], [3, 0]], "int64"), m(3, 2)),
        call(m(3, 4), 0, m.of([[0, 2, 1, 1]], "int64"), m(2, 4)),
        call(m(3, 4), -1, m.of([[0], [1]], "int64"), 2),
        call(m(3, 4), 1, m.of([[0], [1]], "int64"), m(2, 1), reduce="add"),
        call(m(3, 4), 1, m.of([[0], [1]], "int64"), 3, reduce="multiply"),
        call(m(3, 4), dim=0, index=m.of([[0, 2]], "int64"), value=1),
    ]


def _scatter_add(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), 1, m.int(3, 2, high=4), m(3, 2)),
        call(m(3, 4), 0, m.int(2, 4, high=3), m(3, 4)),
        call(m(3, 4), dim=-1, index=m.int(3, 2, high=4), src=m(3, 3)),
        call(m(), 0, m.int(high=1), m()),
    ]


def _scatter_reduce(m: Maker) -> list[Call]:
    index = m.of([[0, 0, 2], [1, 1, 1]], "int64")
    found = []
    for how in ("sum", "prod", "mean", "amax", "amin"):
        found += [
            call(m(3, 4), 1, index, m(2, 3), how),
            call(m(3, 4), 1, index, m(2, 3), reduce=how, include_self=False),
        ]
    return found


def _index_add(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), 0, m.int(2, high=3), m(2, 4)),
        call(m(3, 4), -1, m.int(3, high=4), m(3, 3), alpha=2),
        call(m(3), 0, m.int(1, high=3), m(1)),
        call(m(3, 4), dim=0, index=m.of([1, 1], "int32"), source=m(2, 4)),
    ]


def _index_copy(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), 0, m.of([2, 0], "int64"), m(2, 4)),
        call(m(3, 4), dim=-1, index=m.of([1, 3, 0], "int64"), source=m(3, 3)),
        call(m(3), 0, m.int(high=3), m()),
    ]


def _index_fill(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), 0, m.of([2, 0], "int64"), 1),
        call(m(3, 4), -1, m.of([1, 1], "int64"), m()),
        call(m(), 0, m.of([0], "int64"), 2),
    ]


def _index_put(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), (m.of([0, 2], "int64"), m.of([1, 3], "int64")), m(2)),
        call(m(3, 4), (m.of([0, 2], "int64"),), m(4)),
        call(m(3, 4), (m.of([1, 1], "int64"),), m(2, 4), accumulate=True),
        call(m(3, 4), [m.of([[True, False, True, False]] * 3, "bool")], m()),
        call(m(2, 3, 4), (m.of([0, 1], "int64"), m.of([2, 0], "int64")), m(2, 4)),
    ]


def _index_reduce(m: Maker) -> list[Call]:
    index = m.of([0, 2, 0], "int64")
    found = []
    for how in ("prod", "mean", "amax", "amin"):
        found += [
            call(m(3, 4), 0, index, m(3, 4), how),
            call(m(4, 3), -1, index, m(4, 3), reduce=how, include_self=False),
        ]
    return found


def _masked(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), m.bool(3, 4), 1),
        call(m(3, 4), m.bool(4), m()),
        call(m(3, 1), m.bool(3, 1), 2),
        call(m(), m.bool(), 1),
    ]


def _put(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), m.of([0, 5, -1], "int64"), m(3)),
        call(m(3, 4), m.of([[1, 1], [2, 3]], "int64"), m(2, 2), accumulate=True),
        call(m(), m.of([0], "int64"), m(1)),
    ]


def _select_scatter(m: Maker) -> list[Call]:
    return [call(m(3, 4), m(4), 0, 1), call(m(3, 4), m(3), dim=-1, index=-2)]


def _slice_scatter(m: Maker) -> list[Call]:
    return [
        call(m(4, 3), m(2, 3), 0, 1, 3),
        call(m(4, 3), m(4, 2), dim=1, start=0, end=3, step=2),
        call(m(4, 3), m(2, 3), start=-2),
        call(m(4, 3), m(4, 3)),
    ]


def _diagonal(m: Maker) -> list[Call]:
    return [
        call(m(3, 4)),
        call(m(3, 4), 1),
        call(m(2, 3, 4), offset=-1, dim1=-2, dim2=-1),
        call(m(2, 3, 4), 0, 0, 2),
        call(m(2, 3), 5),
    ]


def _linalg_diagonal(m: Maker) -> list[Call]:
    return [call(m(3, 4)), call(m(2, 3, 4), offset=1), call(m(2, 3, 4), offset=-1, dim1=0, dim2=2)]


def _triangle(m: Maker) -> list[Call]:
    return [call(m(3, 4)), call(m(3, 4), 1), call(m(2, 3, 3), diagonal=-1), call(m(0, 3))]


def _getitem(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), 1),
        call(m(3, 4), -1),
        call(m(3, 4), slice(1, None)),
        call(m(3, 4), (slice(None), 2)),
        call(m(3, 4), (..., 0)),
        call(m(3, 4), None),
        call(m(3, 4), (slice(None, None, 2), None, slice(1, 3))),
        call(m(3, 4), m.of([2, 0], "int64")),
        call(m(3, 4), (m.of([2, 0], "int64"), m.of([1, 1], "int64"))),
        call(m(3, 4), m.bool(3, 4)),
        call(m(3, 4), m.bool(3)),
        call(m(3, 4), [0, 2]),
        call(m(2, 3, 4), (m.of([1, 0], "int64"), slice(None), m.of([1, 3], "int64"))),
        call(m(), ()),
        call(m(3, 4), True),
        call(m(3, 4), ...),
        call(m(3, 4), m.of(1, "int64")),
        call(m(3, 4), slice(3, 1)),
    ]


def _take_along_dim(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), m.int(3, 2, high=4), 1),
        call(m(3, 4), m.int(1, 4, high=3), dim=0),
        call(m(3, 4), m.int(5, high=12)),
    ]


def _sort(m: Maker) -> list[Call]:
    return [
        call(m.distinct(3, 4)),
        call(m.distinct(3, 4), 0),
        call(m.distinct(2, 3, 4), dim=-1, descending=True),
        call(m.of([[2, 1, 2, 1]]), stable=True, dim=1),
        call(m.of([[2, 1, 2, 1]]), dim=1, descending=True, stable=True),
        call(m.distinct()),
        call(m(0, 3)),
    ]


def _topk(m: Maker) -> list[Call]:
    return [
        call(m.distinct(3, 4), 2),
        call(m.distinct(3, 4), 2, 0),
        call(m.distinct(2, 3, 4), k=1, dim=-1, largest=False),
        call(m.distinct(5), 5, sorted=True),
        call(m.distinct(), 1),
        call(m.distinct(5), 0),
    ]


def _kthvalue(m: Maker) -> list[Call]:
    return [
        call(m.distinct(3, 4), 2),
        call(m.distinct(3, 4), 1, 0),
        call(m.distinct(2, 3, 4), k=3, dim=-1, keepdim=True),
        call(m.distinct(), 1),
    ]


def _bucketize(m: Maker) -> list[Call]:
    edges = m.of([0, 1, 3, 4])
    return [
        call(m(3, 4), edges),
        call(m.of([0, 1, 3, 4, 5]), edges, right=True),
        call(m(3), edges, out_int32=True),
        call(2, edges),
        call(m(0), edges),
    ]


def _searchsorted(m: Maker) -> list[Call]:
    edges = m.of([0, 1, 3, 4])
    rows = m.of([[0, 1, 3], [0, 2, 4]])
    return [
        call(edges, m(3, 4)),
        call(rows, m(2, 5), right=True),
        call(edges, 2),
        call(edges, m.of([0, 1, 4]), side="right", out_int32=True),
        call(m.of([3, 0, 1]), m(2), sorter=m.of([1, 2, 0], "int64")),
    ]


def _isin(m: Maker) -> list[Call]:
    return [
        call(m.of([[1, 2], [3, 4]]), m.of([2, 3])),
        call(m.of([1, 2]), 2),
        call(1, m.of([1, 2])),
        call(m.of([1, 2, 5]), m.of([2, 3]), invert=True, assume_unique=True),
        call(m(0), m(3)),
    ]


def _unique(m: Maker) -> list[Call]:
    values = m.of([3, 1, 3, 2, 1])
    rows = m.of([[1, 2], [1, 2], [0, 2]])
    return [
        call(values),
        call(values, return_inverse=True),
        call(values, return_counts=True),
        call(values, True, True, True),
        call(rows, dim=0),
        call(rows, dim=1, return_inverse=True, return_counts=True),
        call(rows),
        call(m(0)),
    ]


def _unique_consecutive(m: Maker) -> list[Call]:
    values = m.of([1, 1, 2, 2, 1])
    rows = m.of([[1, 2], [1, 2], [0, 2]])
    return [
        call(values),
        call(values, return_inverse=True, return_counts=True),
        call(rows, dim=0, return_counts=True),
        call(rows),
    ]


SAMPLES: dict[str, Samples] = {
    "Tensor.__getitem__": _getitem,
    "argwhere": lambda m: [call(m.of([[0, 1], [2, 0]])), call(m(3, 4)), call(m()), call(m(0, 2))],
    "nonzero": lambda m: [
        call(m.of([[0, 1], [2, 0]])),
        call(m(3, 4), as_tuple=True),
        call(m()),
        call(m(0, 2)),
    ],
    "nonzero_static": lambda m: [
        call(m.of([[0, 1], [2, 0]]), size=3),
        call(m.of([0, 1, 2]), size=1, fill_value=7),
    ],
    "as_strided_scatter": lambda m: [
        call(m(12), m(2, 3), (2, 3), (4, 1)),
        call(m(3, 4), m(2, 2), (2, 2), (1, 2), 1),
    ],
    "diag": lambda m: [
        call(m(3)),
        call(m(3, 4)),
        call(m(3), 1),
        call(m(3, 4), diagonal=-1),
    ],
    "diag_embed": lambda m: [
        call(m(3)),
        call(m(2, 3), 1),
        call(m(2, 3), offset=-1, dim1=0, dim2=2),
    ],
    "diagflat": lambda m: [call(m(3)), call(m(2, 2), 1), call(m(2), offset=-1), call(m())],
    "diagonal": _diagonal,
    "diagonal_copy": _diagonal,
    "linalg.diagonal": _linalg_diagonal,
    "diagonal_scatter": lambda m: [
        call(m(3, 4), m(3)),
        call(m(3, 4), m(3), 1),
        call(m(2, 3, 4), m(2, 2), offset=-1, dim1=1, dim2=2),
    ],
    "gather": _along,
    "index_add": _index_add,
    "index_copy": _index_copy,
    "index_fill": _index_fill,
    "index_put": _index_put,
    "index_reduce": _index_reduce,
    "index_select": lambda m: [
        call(m(3, 4), 0, m.int(2, high=3)),
        call(m(3, 4), dim=-1, index=m.of([1, 1], "int32")),
        call(m(3), 0, m.int(high=3)),
        call(m(), 0, m.int(1, high=1)),
        call(m(3, 4), 1, m.int(0)),
    ],
    "masked_fill": _masked,
    "masked_scatter": lambda m: [
        call(m(3, 4), m.bool(3, 4), m(12)),
        call(m(3, 4), m.bool(4), m(3, 4)),
        call(m(2, 3), m.bool(2, 1), m(2, 3)),
    ],
    "masked_select": lambda m: [
        call(m(3, 4), m.bool(3, 4)),
        call(m(3, 4), m.bool(4)),
        call(m(4), m.bool(3, 1)),
        call(m(), m.bool()),
    ],
    "put": _put,
    "scatter": _scatter,
    "scatter_add": _scatter_add,
    "scatter_reduce": _scatter_reduce,
    "select": lambda m: [call(m(3, 4), 0, 1), call(m(2, 3, 4), dim=-1, index=-2)],
    "select_scatter": _select_scatter,
    "slice_scatter": _slice_scatter,
    "take": lambda m: [
        call(m(3, 4), m.int(5, high=12)),
        call(m(3, 4), m.of([[0, -1]], "int64")),
        call(m(3, 4), m.int(high=3)),
    ],
    "take_along_dim": _take_along_dim,
    "tril": _triangle,
    "triu": _triangle,
    **dict.fromkeys(
        ["tril_indices", "triu_indices"],
        lambda m: [call(3, 4), call(3, 3, 1), call(4, 2, offset=-1), call(0, 3)],
    ),
    "unravel_index": lambda m: [
        call(m(5, low=0, high=11), (3, 4)),
        call(m.of(7), (2, 2, 3)),
        call(m.of([3]), 6),
    ],
    "argsort": lambda m: [
        call(m.distinct(3, 4)),
        call(m.distinct(3, 4), 0),
        call(m.distinct(3, 4), dim=-1, descending=True),
        call(m.of([2, 1, 2, 1]), stable=True),
        call(m.distinct()),
    ],
    "bucketize": _bucketize,
    "isin": _isin,
    "kthvalue": _kthvalue,
    "msort": lambda m: [call(m.distinct(3, 4)), call(m.distinct(5)), call(m.distinct(2, 3, 2))],
    "searchsorted": _searchsorted,
    "sort": _sort,
    "topk": _topk,
    "unique": _unique,
    "unique_consecutive": _unique_consecutive,
}

REFLECTED = ["__radd__", "__rmul__", "__rsub__", "__rdiv__", "__rmod__", "__rpow__"]
BITWISE = ["__rand__", "__ror__", "__rxor__"]


def _reflected(m: Maker) -> list[Call]:
    whole = m.dtype in INTEGERS or m.dtype == "bool"
    return [
        call(m.positive(3, 4), 2),
        call(m.positive(), 3),
        *([] if whole else [call(m.positive(3), 2.5)]),
    ]


def _bits(m: Maker) -> list[Call]:
    value = True if m.dtype == "bool" else 3
    return [call(m(3, 4), value), call(m(), value), call(m(0, 2), value)]


SAMPLES |= {f"Tensor.{name}": _reflected for name in REFLECTED}
SAMPLES |= {f"Tensor.{name}": _bits for name in BITWISE}
SAMPLES["Tensor.__rmatmul__"] = lambda m: [
    call(m(3, 4), m(2, 3)),
    call(m(3), m(3)),
    call(m(2, 3, 4), m(3)),
]
SAMPLES["Tensor.__rmod__"] = lambda m: [*_reflected(m), call(m.positive(3), m(2, 3))]
