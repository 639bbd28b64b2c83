"""Samples of functions that rearrange, view, join and split."""

from __future__ import annotations

from typing import Any

from tests.oracle.calls import Call, Maker, Named, call
from tests.oracle.samples.unary import Samples


def _first(*calls: Call) -> Samples:
    """The same arguments after tensors of rank 3."""
    return lambda m: [Call((m(2, 3, 4), *c.args), c.kwargs) for c in calls]


def _of(*shapes: tuple[int, ...]) -> Samples:
    """Tensors of these shapes alone."""
    return lambda m: [call(m(*s)) for s in shapes]


def _lists(*shapes: list[tuple[int, ...]]) -> Samples:
    """Lists of tensors of these shapes."""
    return lambda m: [call([m(*s) for s in group]) for group in shapes]


def _cat(m: Maker) -> list[Call]:
    return [
        call([m(2, 3), m(4, 3)]),
        call((m(2, 3), m(2, 1)), 1),
        call([m(2, 3), m(2, 2)], dim=-1),
        call([m(0), m(2, 3)]),
        call([m(2), m(2, dtype="float64")]),
        call([m(2, 3)]),
    ]


def _split(m: Maker) -> list[Call]:
    return [
        call(m(5, 2), 2),
        call(m(2, 5), 3, 1),
        call(m(5, 2), [1, 4]),
        call(m(2, 5), [2, 0, 3], dim=-1),
        call(m(4), 4),
    ]


def _sizes(m: Maker) -> list[Call]:
    return [
        call(m(5, 2), [1, 4]),
        call(m(2, 5), [2, 0, 3], dim=-1),
        call(m(2, 5), (2, 3), 1),
    ]


def _chunk(m: Maker) -> list[Call]:
    return [call(m(5, 2), 2), call(m(2, 7), 3, 1), call(m(3, 2), chunks=5, dim=-2)]


def _tensor_split(m: Maker) -> list[Call]:
    return [
        call(m(7, 2), 3),
        call(m(7, 2), (1, 4)),
        call(m(2, 7), [2, 5], dim=1),
        call(m(2, 7), sections=3, dim=-1),
        call(m(7), m.of([1, 3], "int64")),
        call(m(7), indices=(2, -1)),
    ]


def _squeeze(m: Maker) -> list[Call]:
    return [
        call(m(2, 1, 3, 1)),
        call(m(2, 1, 3, 1), 1),
        call(m(2, 1, 3, 1), -1),
        call(m(2, 1, 3, 1), (1, 3)),
        call(m(2, 1, 3), 0),
        call(m(), 0),
    ]


def _strided(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), (2, 2), (1, 2)),
        call(m(12), (3, 3), (3, 1), 2),
        call(m(3, 4), [2, 3], [4, 1], storage_offset=1),
        call(m(4), (), ()),
        call(m(4), (2, 2), (1, 1)),
    ]


def _expand(m: Maker) -> list[Call]:
    return [
        call(m(3, 1), (3, 4)),
        call(m(3, 1), [2, -1, 4]),
        call(m(), (2, 2)),
        call(m(1, 3), (0, 3)),
    ]


def _view(m: Maker) -> list[Call]:
    return [
        call(m(2, 6), (3, 4)),
        call(m(2, 6), (-1,)),
        call(m(2, 6), [2, 3, -1]),
        call(m(1), ()),
        call(m(0, 3), (3, 0)),
    ]


def _repeat_interleave(m: Maker) -> list[Call]:
    repeats = m.of([1, 0, 2], "int64")
    return [
        call(m(2, 3), 2),
        call(m(3, 2), 2, 0),
        call(m(3, 2), repeats, dim=0),
        call(m(2, 3), repeats=repeats, dim=-1),
        call(repeats),
        call(m(3), m.of([2], "int64")),
        call(m(3, 2), repeats, 0, output_size=3),
    ]


def _pad(m: Maker) -> list[Call]:
    return [
        call(m(2, 3), (1, 2)),
        call(m(2, 3), [1, 0, 0, 2], 1),
        call(m(2, 3, 4), (-1, 1)),
        call(m(2, 3), (0, 0), value=2),
    ]


def _meshgrid(m: Maker) -> list[Call]:
    return [
        call(m(2), m(3)),
        call([m(2), m(3)], indexing="ij"),
        call(m(2), m(3), m(), indexing="xy"),
    ]


def _block_diag(m: Maker) -> list[Call]:
    return [call(m(2, 3), m(3, 2)), call(m(2), m(), m(2, 2)), call(m(2, 3)), call()]


def _broadcast(m: Maker) -> list[Call]:
    return [call(m(3, 1), m(4)), call(m(), m(2, 3), m(1, 3)), call(m(3))]


def _flatten(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4)),
        call(m(2, 3, 4), 1),
        call(m(2, 3, 4), start_dim=-2, end_dim=-1),
        call(m()),
        call(m(3)),
    ]


def _transpose(m: Maker) -> list[Call]:
    return [call(m(2, 3, 4), 0, 2), call(m(2, 3), dim0=-1, dim1=0), call(m(), 0, 0)]


def _movedim(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4), 0, 2),
        call(m(2, 3, 4), (0, 1), (1, 2)),
        call(m(2, 3, 4), source=-1, destination=0),
    ]


def _permute(m: Maker) -> list[Call]:
    return [call(m(2, 3, 4), (2, 0, 1)), call(m(2, 3), [-1, 0]), call(m(), ())]


def _to(m: Maker) -> list[Call]:
    return [
        call(m(2, 3), Named("float64")),
        call(m(2, 3), dtype=Named("int32")),
        call(m(2, 3), "cpu", Named("float16")),
        call(m(2, 3), m(1, dtype="bool")),
        call(m(2, 3), Named("complex64")),
        call(m(2, 3), Named("float32"), copy=True),
    ]


def _resize(*shapes: tuple[Any, ...]) -> Samples:
    return lambda m: [call(m(2, 3), *s) for s in shapes]


ANY_RANK = _of((2, 3), (), (3,), (2, 3, 4), (0, 2))
MATRICES = _of((2, 3), (3, 3), (0, 2))
STACKS = _of((2, 3), (4, 2, 3))
PARTS = _lists([(3,), (3,)], [(), ()], [(2, 3), (2, 3)])
CASTS = [
    "bfloat16",
    "bool",
    "byte",
    "cdouble",
    "cfloat",
    "char",
    "double",
    "float",
    "half",
    "int",
    "long",
    "short",
]

SAMPLES: dict[str, Samples] = {
    **dict.fromkeys([f"Tensor.{name}" for name in CASTS], ANY_RANK),
    "Tensor.to": _to,
    **dict.fromkeys(
        ["Tensor.contiguous", "alias_copy", "clone", "ravel", "resolve_conj", "resolve_neg"],
        ANY_RANK,
    ),
    **dict.fromkeys(["Tensor.H", "Tensor.T"], MATRICES),
    **dict.fromkeys(["Tensor.mH", "Tensor.mT"], STACKS),
    **dict.fromkeys(["t", "t_copy"], _of((2, 3), (3,), ())),
    **dict.fromkeys(
        ["atleast_1d", "atleast_2d", "atleast_3d"],
        lambda m: [call(m()), call(m(2)), call(m(2, 3)), call(m(), m(3)), call([m(2), m(2, 3)])],
    ),
    **dict.fromkeys(["Tensor.expand", "broadcast_to", "expand_copy"], _expand),
    **dict.fromkeys(
        ["Tensor.expand_as", "Tensor.reshape_as", "Tensor.view_as"],
        lambda m: [call(m(2, 3), m(2, 3)), call(m(1, 1), m(1, 1))],
    ),
    "Tensor.expand_as": lambda m: [call(m(3, 1), m(2, 3, 4)), call(m(), m(2))],
    "Tensor.reshape_as": lambda m: [call(m(2, 6), m(3, 4)), call(m(1), m())],
    "Tensor.view_as": lambda m: [call(m(2, 6), m(3, 4)), call(m(1), m())],
    **dict.fromkeys(
        ["Tensor.repeat", "tile"],
        lambda m: [
            call(m(2, 3), (2, 1)),
            call(m(3), (2, 2)),
            call(m(2, 3), [1, 0]),
            call(m(), (3,)),
        ],
    ),
    "Tensor.resize_": _resize(((2, 3),), ((3, 2),), ((2, 2),)),
    "resize_as_": lambda m: [call(m(2, 3), m(3, 2)), call(m(2, 3), m(2))],
    "Tensor.sum_to_size": lambda m: [
        call(m(2, 3, 4), (3, 1)),
        call(m(2, 3), 1, 3),
        call(m(2, 3), (2, 3)),
        call(m(2, 3), ()),
    ],
    **dict.fromkeys(
        ["Tensor.unfold", "unfold_copy"],
        lambda m: [call(m(7), 0, 3, 2), call(m(2, 5), -1, 2, 1), call(m(4, 3), 0, 4, 1)],
    ),
    **dict.fromkeys(["Tensor.view", "view_copy", "reshape"], _view),
    "view_copy": lambda m: [*_view(m), call(m(2, 4, dtype="float32"), Named("int32"))],
    "Tensor.view": lambda m: [
        *_view(m),
        call(m(2, 4, dtype="float32"), Named("int32")),
        call(m(2, 4, dtype="float32"), Named("int16")),
        call(m(2, 4, dtype="int16"), dtype=Named("int32")),
    ],
    **dict.fromkeys(["as_strided", "as_strided_copy"], _strided),
    "block_diag": _block_diag,
    "broadcast_shapes": lambda m: [
        call((2, 1), (3,)),
        call((), (2, 3), (1, 3)),
        call(3, (2, 1)),
        call((0,), (1,)),
    ],
    "broadcast_tensors": _broadcast,
    "cartesian_prod": lambda m: [call(m(2), m(3)), call(m(2)), call(m(2), m(1), m(2))],
    "cat": _cat,
    **dict.fromkeys(["chunk", "unsafe_chunk"], _chunk),
    **dict.fromkeys(["split", "unsafe_split"], _split),
    "unsafe_split": lambda m: [call(m(5, 2), 2), call(m(2, 5), 3, 1), call(m(4), 4)],
    **dict.fromkeys(["split_with_sizes", "split_with_sizes_copy"], _sizes),
    "tensor_split": _tensor_split,
    "hsplit": lambda m: [call(m(2, 4), 2), call(m(4), 2), call(m(2, 5, 2), [1, 3])],
    "vsplit": lambda m: [call(m(4, 2), 2), call(m(5, 2), [1, 3])],
    "dsplit": lambda m: [call(m(2, 2, 4), 2), call(m(2, 2, 5), (1, 3))],
    **dict.fromkeys(["column_stack", "hstack", "vstack", "dstack"], PARTS),
    "stack": lambda m: [
        call([m(2, 3), m(2, 3)]),
        call((m(2), m(2)), 1),
        call([m(2, 3), m(2, 3)], dim=-1),
        call([m(), m()]),
        call([m(2), m(2, dtype="float64")]),
    ],
    "combinations": lambda m: [
        call(m(4)),
        call(m(4), 3),
        call(m(3), r=2, with_replacement=True),
        call(m(3), 0),
        call(m(2), 3),
    ],
    "constant_pad_nd": _pad,
    "flatten": _flatten,
    "flip": lambda m: [
        call(m(2, 3, 4), (0, -1)),
        call(m(2, 3), [1]),
        call(m(2, 3), dims=()),
        call(m(), ()),
    ],
    "fliplr": _of((2, 3), (2, 3, 4)),
    "flipud": _of((2,), (2, 3)),
    "meshgrid": _meshgrid,
    "movedim": _movedim,
    **dict.fromkeys(
        ["narrow", "narrow_copy"],
        lambda m: [
            call(m(2, 5), 1, 1, 3),
            call(m(5), dim=-1, start=-3, length=2),
            call(m(3), 0, 3, 0),
        ],
    ),
    **dict.fromkeys(["permute", "permute_copy"], _permute),
    "repeat_interleave": _repeat_interleave,
    "roll": lambda m: [
        call(m(2, 3), 1),
        call(m(2, 3), 2, 1),
        call(m(2, 3), (1, -1), (0, 1)),
        call(m(2, 3), shifts=4, dims=-1),
        call(m(0, 2), 1, 0),
    ],
    "rot90": lambda m: [
        call(m(2, 3)),
        call(m(2, 3, 4), 2, (0, 2)),
        call(m(2, 3), k=-1, dims=[1, 0]),
    ],
    **dict.fromkeys(["squeeze", "squeeze_copy"], _squeeze),
    **dict.fromkeys(["transpose", "transpose_copy"], _transpose),
    **dict.fromkeys(
        ["unbind", "unbind_copy"],
        lambda m: [call(m(2, 3)), call(m(2, 3), 1), call(m(2, 3), dim=-1)],
    ),
    "unflatten": lambda m: [
        call(m(2, 6), 1, (2, 3)),
        call(m(6), 0, (-1, 2)),
        call(m(4, 2), dim=-2, sizes=[2, 2]),
    ],
    **dict.fromkeys(
        ["unsqueeze", "unsqueeze_copy"],
        lambda m: [call(m(2, 3), 1), call(m(2, 3), dim=-1), call(m(), 0)],
    ),
    "view_as_complex": _of((3, 2), (2,), (0, 2)),
    "view_as_real": lambda m: [
        call(m(*s, dtype=m.dtype if m.complex else "complex64")) for s in ((3,), (), (2, 2))
    ],
    "zero_": ANY_RANK,
}
