"""Samples of linear algebra: factorisations, solutions, determinants."""

from __future__ import annotations

from typing import Any

from tests.oracle.calls import Array, Call, Maker, call
from tests.oracle.samples.unary import Samples


def _square(m: Maker) -> list[Call]:
    return [call(m.matrix(3, 3)), call(m.matrix(2, 3, 3)), call(m(0, 2, 2)), call(m.matrix(1, 1))]


def _with(made: str, *options: dict[str, Any], shapes: Any = ((3, 3), (2, 3, 3))) -> Samples:
    """Matrices made in one way, plain and then with each set of options."""
    return lambda m: [
        *(call(getattr(m, made)(*s)) for s in shapes),
        *(call(getattr(m, made)(*shapes[0]), **o) for o in options),
    ]


RECTANGLES = ((4, 3), (3, 4), (2, 3, 3))


def _systems(m: Maker) -> list[Call]:
    return [
        call(m.matrix(3, 3), m(3, 2)),
        call(m.matrix(2, 3, 3), m(2, 3, 2)),
        call(m.matrix(3, 3), m(3)),
        call(m.matrix(3, 3), m(2, 3), left=False),
    ]


def _triangular(m: Maker) -> list[Call]:
    return [
        call(m.triangle(3, 3), m(3, 2), upper=False),
        call(m.triangle(2, 3, 3, upper=True), m(3, 2), upper=True),
        call(m.triangle(3, 3), m(2, 3), upper=False, left=False),
        call(m.matrix(3, 3), m(3, 2), upper=True, unitriangular=True),
    ]


def _triangular_legacy(m: Maker) -> list[Call]:
    return [
        call(m(3, 2), m.triangle(3, 3, upper=True)),
        call(m(2, 3, 1), m.triangle(2, 3, 3), upper=False),
        call(m(3, 2), m.triangle(3, 3), False, True),
        call(m(3, 2), m.matrix(3, 3), unitriangular=True),
    ]


def _lstsq(m: Maker) -> list[Call]:
    return [
        call(m(5, 3), m(5, 2)),
        call(m(2, 5, 3), m(2, 5, 2)),
        call(m(3, 5), m(3, 2), driver="gelsy"),
        call(m(5, 3), m(5, 2), driver="gelsd"),
        call(m(5, 3), m(5, 2), rcond=0.01, driver="gelss"),
        call(m(5, 3), m(5, 2), driver="gels"),
    ]


def _pinv(m: Maker) -> list[Call]:
    return [
        call(m(4, 3)),
        call(m(2, 3, 4)),
        call(m(4, 3), rtol=0.1),
        call(m(4, 3), atol=0.2, rtol=0.0),
        call(m.hermitian(3, 3), hermitian=True),
    ]


def _rank(m: Maker) -> list[Call]:
    return [
        call(m(4, 3)),
        call(m(2, 3, 4), 0.5),
        call(m(4, 3), atol=0.5, rtol=0.1),
        call(m.hermitian(3, 3), hermitian=True),
        call(m.of([[1, 2], [2, 4]])),
        call(m.hermitian(3, 3), 0.1, True),
    ]


def _pivots(m: Maker, batch: tuple[int, ...] = ()) -> Array:
    return m.of([[2, 3, 3]] * batch[0] if batch else [2, 3, 3], "int32")


def _lu_solve(m: Maker) -> list[Call]:
    return [
        call(m.matrix(3, 3), _pivots(m), m(3, 2)),
        call(m.matrix(2, 3, 3), _pivots(m, (2,)), m(2, 3, 2)),
        call(m.matrix(3, 3), _pivots(m), m(2, 3), left=False),
        call(m.matrix(3, 3), _pivots(m), m(3, 2), adjoint=True),
    ]


def _lu_solve_legacy(m: Maker) -> list[Call]:
    return [
        call(m(3, 2), m.matrix(3, 3), _pivots(m)),
        call(m(2, 3, 2), m.matrix(2, 3, 3), _pivots(m, (2,))),
    ]


def _lu_unpack(m: Maker) -> list[Call]:
    return [
        call(m.matrix(3, 3), _pivots(m)),
        call(m.matrix(2, 3, 3), _pivots(m, (2,))),
        call(m.matrix(3, 3), _pivots(m), unpack_data=False),
        call(m.matrix(3, 3), _pivots(m), unpack_pivots=False),
    ]


def _ldl_solve(m: Maker) -> list[Call]:
    return [
        call(m.triangle(3, 3), m.of([1, 2, 3], "int32"), m(3, 2)),
        call(m.triangle(2, 3, 3), m.of([[1, 2, 3]] * 2, "int32"), m(2, 3, 1)),
    ]


def _reflectors(m: Maker) -> list[Call]:
    return [call(m(4, 3), m(3)), call(m(2, 4, 3), m(2, 2)), call(m(3, 3), m(2))]


def _ormqr(m: Maker) -> list[Call]:
    return [
        call(m(4, 3), m(3), m(4, 2)),
        call(m(4, 3), m(3), m(2, 4), left=False),
        call(m(4, 3), m(3), m(4, 2), transpose=True),
        call(m(2, 4, 2), m(2, 2), m(2, 4, 3)),
    ]


def _cholesky_solve(m: Maker) -> list[Call]:
    return [
        call(m(3, 2), m.triangle(3, 3)),
        call(m(2, 3, 1), m.triangle(2, 3, 3)),
        call(m(3, 2), m.triangle(3, 3, upper=True), upper=True),
    ]


def _norms(m: Maker) -> list[Call]:
    orders = (None, 2, -2, 1, -1, "fro", "nuc", float("inf"))
    return [
        *(call(m.matrix(3, 3), p) for p in orders),
        call(m.matrix(2, 3, 3), p=1),
        call(m(4, 3)),
    ]


def _tensorsolve(m: Maker) -> list[Call]:
    return [
        call(m.of(m.matrix(6, 6).values.reshape(2, 3, 6)), m(2, 3)),
        call(m.of(m.matrix(6, 6).values.reshape(2, 3, 3, 2)), m(2, 3)),
    ]


def _lowrank(m: Maker) -> list[Call]:
    return [call(m(6, 4), 4), call(m(2, 5, 3), q=3), call(m(6, 4), 4, niter=1)]


SAMPLES: dict[str, Samples] = {
    **dict.fromkeys(["linalg.det", "logdet", "linalg.inv", "linalg.slogdet"], _square),
    **dict.fromkeys(["linalg.inv_ex"], _with("matrix", {"check_errors": True})),
    **dict.fromkeys(["cholesky", "linalg.cholesky"], _with("hermitian", {"upper": True})),
    "linalg.cholesky_ex": _with("hermitian", {"upper": True}, {"check_errors": True}),
    "cholesky_inverse": lambda m: [
        call(m.triangle(3, 3)),
        call(m.triangle(2, 3, 3)),
        call(m.triangle(3, 3, upper=True), True),
    ],
    "cholesky_solve": _cholesky_solve,
    "linalg.cond": _norms,
    **dict.fromkeys(["linalg.eig", "linalg.eigvals"], _with("matrix")),
    **dict.fromkeys(
        ["linalg.eigh", "linalg.eigvalsh"], _with("hermitian", {"UPLO": "U"}, {"UPLO": "L"})
    ),
    "linalg.householder_product": _reflectors,
    "ormqr": _ormqr,
    "geqrf": _with("__call__", shapes=RECTANGLES),
    **dict.fromkeys(
        ["linalg.ldl_factor", "linalg.ldl_factor_ex"], _with("hermitian", {"hermitian": True})
    ),
    "linalg.ldl_solve": _ldl_solve,
    "linalg.lstsq": _lstsq,
    "linalg.lu": _with("__call__", {"pivot": True}, shapes=RECTANGLES),
    **dict.fromkeys(
        ["linalg.lu_factor", "linalg.lu_factor_ex"], _with("__call__", shapes=RECTANGLES)
    ),
    "lu": _with("__call__", {"get_infos": True}, shapes=RECTANGLES),
    "linalg.lu_solve": _lu_solve,
    "lu_solve": _lu_solve_legacy,
    "lu_unpack": _lu_unpack,
    "linalg.matrix_rank": _rank,
    "linalg.pinv": _pinv,
    "pinverse": lambda m: [call(m(4, 3)), call(m(2, 3, 4)), call(m(4, 3), 0.1)],
    "linalg.qr": _with("__call__", {"mode": "complete"}, {"mode": "r"}, shapes=RECTANGLES),
    "qr": _with("__call__", {"some": False}, shapes=RECTANGLES),
    **dict.fromkeys(["linalg.solve", "linalg.solve_ex"], _systems),
    "linalg.solve_triangular": _triangular,
    "triangular_solve": _triangular_legacy,
    "linalg.svd": _with("__call__", {"full_matrices": False}, shapes=RECTANGLES),
    "svd": _with("__call__", {"some": False}, {"compute_uv": False}, shapes=RECTANGLES),
    "linalg.svdvals": _with("__call__", shapes=RECTANGLES),
    "svd_lowrank": _lowrank,
    "pca_lowrank": lambda m: [call(m(6, 4), 4), call(m(6, 4), q=4, center=False)],
    "linalg.tensorinv": lambda m: [
        call(m.of(m.matrix(6, 6).values.reshape(2, 3, 6)), ind=2),
        call(m.of(m.matrix(6, 6).values.reshape(6, 2, 3)), ind=1),
    ],
    "linalg.tensorsolve": _tensorsolve,
    "matrix_exp": _with("__call__", shapes=((3, 3), (2, 2, 2), (1, 1))),
}
