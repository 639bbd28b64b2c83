"""Samples of products of vectors and matrices."""

from __future__ import annotations

from tests.oracle.calls import Call, Maker, call
from tests.oracle.samples.unary import Samples


def _scaled(*shapes: tuple[int, ...], broadcast: tuple[int, ...]) -> Samples:
    """input, two factors; then an input that is broadcast, with beta and alpha."""

    def samples(m: Maker) -> list[Call]:
        first, *factors = shapes
        return [
            call(m(*first), *(m(*s) for s in factors)),
            call(m(*broadcast), *(m(*s) for s in factors), beta=2, alpha=3),
            call(m(*first), *(m(*s) for s in factors), beta=0),
            call(m(), *(m(*s) for s in factors), alpha=2),
        ]

    return samples


def _pairs(*shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> Samples:
    return lambda m: [call(m(*a), m(*b)) for a, b in shapes]


def _matmul(m: Maker) -> list[Call]:
    shapes = [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (2, 3, 4)),
        ((5, 2, 3), (3,)),
        ((3,), (5, 3, 2)),
        ((0, 3), (3, 4)),
        ((2, 0), (0, 4)),
        ((5, 2, 3), (3, 4)),
    ]
    return _pairs(*shapes)(m)


def _cdist(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), m(2, 4)),
        call(m(2, 3, 4), m(2, 5, 4), p=1.0),
        call(m(2, 1, 3, 4), m(5, 2, 4), p=3.0),
        call(m(3, 4), m(2, 4), p=float("inf")),
        call(m(3, 4), m(2, 4), p=0.0),
        call(m(3, 4), m(2, 4), 2.0, "donot_use_mm_for_euclid_dist"),
        call(m(0, 4), m(2, 4)),
    ]


def _cross(m: Maker) -> list[Call]:
    return [call(m(4, 3), m(4, 3)), call(m(3, 4), m(3, 4), dim=0), call(m(2, 3), m(1, 3), dim=-1)]


def _einsum(m: Maker) -> list[Call]:
    return [
        call("ij,jk->ik", m(2, 3), m(3, 4)),
        call("ii", m(3, 3)),
        call("ii->i", m(3, 3)),
        call("bij,bjk", m(2, 3, 4), m(2, 4, 2)),
        call("...ij->...ji", m(2, 3, 4)),
        call("i,j,k->ijk", m(2), m(3), m(2)),
        call("ij->", m(2, 3)),
        call("b...d,b...d->b...", m(2, 3, 4), m(2, 1, 4)),
        call("i i -> i", m(2, 2)),
        call(m(2, 3), [0, 1], m(3, 2), [1, 2], [0, 2]),
    ]


def _renorm(m: Maker) -> list[Call]:
    return [
        call(m(3, 4), 2, 0, 1.0),
        call(m(3, 4), 1, -1, 0.5),
        call(m(2, 3, 4), p=3, dim=1, maxnorm=2.0),
        call(m(3, 4), float("inf"), 0, 1.0),
    ]


def _tensordot(m: Maker) -> list[Call]:
    return [
        call(m(2, 3, 4), m(3, 4, 5)),
        call(m(2, 3), m(3, 4), dims=1),
        call(m(2, 3), m(3, 4), 0),
        call(m(2, 3, 4), m(4, 2), dims=([2, 0], [0, 1])),
        call(m(2, 3), m(3, 2), dims=([-1], [0])),
    ]


def _vecdot(m: Maker) -> list[Call]:
    return [call(m(2, 3), m(2, 3)), call(m(2, 3), m(3)), call(m(3, 2), m(3, 2), dim=0)]


SAMPLES: dict[str, Samples] = {
    "addbmm": _scaled((2, 3), (4, 2, 5), (4, 5, 3), broadcast=(3,)),
    "addmm": _scaled((2, 3), (2, 4), (4, 3), broadcast=(3,)),
    "addmv": _scaled((2,), (2, 4), (4,), broadcast=(1,)),
    "addr": _scaled((2, 3), (2,), (3,), broadcast=(3,)),
    "baddbmm": _scaled((4, 2, 3), (4, 2, 5), (4, 5, 3), broadcast=(2, 1)),
    "bmm": _pairs(((4, 2, 3), (4, 3, 2)), ((0, 2, 3), (0, 3, 2)), ((2, 2, 0), (2, 0, 2))),
    "cdist": _cdist,
    "cross": _cross,
    "linalg.cross": _cross,
    "dot": _pairs(((4,), (4,)), ((0,), (0,))),
    "vdot": _pairs(((4,), (4,)), ((0,), (0,))),
    "einsum": _einsum,
    "inner": _pairs(((4,), (4,)), ((2, 3), (4, 3)), ((), (2,)), ((2, 3, 4), (4,))),
    "kron": _pairs(((2, 3), (3, 2)), ((2,), (2, 3)), ((), (2,)), ((2, 1, 2), (3, 2))),
    "matmul": _matmul,
    "mm": _pairs(((2, 3), (3, 4)), ((0, 3), (3, 2)), ((2, 0), (0, 3))),
    "mv": _pairs(((2, 3), (3,)), ((0, 3), (3,))),
    "outer": _pairs(((2,), (3,)), ((0,), (2,))),
    "renorm": _renorm,
    "tensordot": _tensordot,
    "linalg.vecdot": _vecdot,
    "linalg.multi_dot": lambda m: [
        call([m(2, 3), m(3, 4), m(4, 2)]),
        call([m(3), m(3, 4), m(4)]),
        call([m(2, 3), m(3, 4)]),
        call((m(2, 3), m(3, 4), m(4, 2), m(2, 5))),
    ],
    "linalg.matrix_power": lambda m: [
        call(m.matrix(3, 3), 2),
        call(m.matrix(2, 3, 3), 0),
        call(m.matrix(3, 3), n=3),
        call(m.matrix(3, 3), 5),
        *([call(m.matrix(2, 2), -2)] if m.floating or m.complex else []),
    ],
    "linalg.vander": lambda m: [call(m(3)), call(m(2, 3), N=4), call(m(3), N=2)],
}
