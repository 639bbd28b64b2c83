"""Linear algebra beside the solvers: failure as a result, eigenvalues, reflections, LDL, low rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core import linalg


def _matrices(*shape: int, kind: str = "float64") -> np.ndarray[Any, Any]:
    random = np.random.default_rng(0)
    x = random.normal(size=shape)
    return (x + 1j * random.normal(size=shape) if kind == "complex128" else x).astype(kind)


KINDS = ("float64", "complex128")


def _singular() -> dc.Tensor:
    return dc.tensor([[[1.0, 0], [0, 2]], [[1.0, 2], [2, 4]]])


def test_failure_is_told_in_a_result() -> None:
    inverse, info = linalg.inv_ex(_singular())
    assert info.tolist() == [0, 2]
    assert info.dtype is dc.int32
    assert inverse[0].tolist() == [[1, 0], [0, 0.5]]
    assert linalg.solve_ex(_singular(), dc.ones(2, 2)).info.tolist() == [0, 2]
    assert linalg.lu_factor_ex(_singular()).info.tolist() == [0, 2]
    positive = dc.tensor([[[2.0, 0], [0, 2]], [[1.0, 0], [0, -1]]])
    assert linalg.cholesky_ex(positive).info.tolist() == [0, 2]
    for function in (linalg.inv_ex, linalg.lu_factor_ex):
        with pytest.raises(linalg.LinAlgError, match="element 1"):
            function(_singular(), check_errors=True)


@pytest.mark.parametrize("kind", KINDS)
def test_eigenvalues(kind: str) -> None:
    a = dc.from_numpy(_matrices(2, 4, 4, kind=kind))
    values, vectors = linalg.eig(a)
    assert values.dtype is dc.complex128
    product = a.to(dc.complex128) @ vectors
    assert dc.allclose(product, vectors * values.unsqueeze(-2))
    assert dc.allclose(vectors.abs().square().sum(-2), dc.ones(2, 4, dtype=dc.float64))
    assert dc.allclose(linalg.eigvals(a), values)


def test_eigenvalues_of_a_rotation_turn_with_it() -> None:
    # Conjugate pairs: the gradient of a real matrix goes through complex numbers.
    a = dc.tensor([[0.0, -2.0], [0.5, 0.0]], dtype=dc.float64, requires_grad=True)
    linalg.eigvals(a).abs()[0].backward()  # sqrt(-a01 a10)
    assert dc.allclose(a.grad, dc.tensor([[0, -0.25], [1.0, 0]], dtype=dc.float64))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 3, 3)])
def test_geqrf_and_its_products(kind: str, shape: tuple[int, ...]) -> None:
    a = dc.from_numpy(_matrices(*shape, kind=kind))
    packed, tau = dc.geqrf(a)
    m, k = shape[-2], min(shape[-2:])
    whole = dc.ormqr(packed, tau, dc.eye(m, dtype=a.dtype).expand(*shape[:-2], m, m))
    assert dc.allclose(whole @ packed.triu(), a)
    q = linalg.householder_product(packed[..., :k], tau)
    assert dc.allclose(q, whole[..., :k])
    adjoint = dc.ormqr(packed, tau, a, left=True, transpose=True)
    assert dc.allclose(adjoint, packed.triu())


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 2, 7, 12])
def test_ldl_solves_indefinite_systems(kind: str, size: int, hermitian: bool) -> None:
    x = _matrices(size, size, kind=kind)
    x = x + (x.conj().T if hermitian else x.T)
    if size > 1:
        np.fill_diagonal(x, 0)  # needs blocks of two
    a, b = dc.from_numpy(x), dc.from_numpy(_matrices(size, 2, kind=kind))
    factors = linalg.ldl_factor(a, hermitian=hermitian)
    found = linalg.ldl_solve(*factors, b, hermitian=hermitian)
    assert dc.allclose(a @ found, b)
    assert factors.LD.triu(1).abs().sum().item() == 0
    assert size == 1 or min(factors.pivots.tolist()) < 0


def test_ldl_of_zero_says_where() -> None:
    assert linalg.ldl_factor_ex(dc.zeros(3, 3)).info.item() == 1
    with pytest.raises(linalg.LinAlgError, match="singular"):
        linalg.ldl_factor(dc.zeros(3, 3))


def test_equations_between_tensors() -> None:
    a, b = dc.from_numpy(_matrices(2, 3, 6)), dc.from_numpy(_matrices(2, 3))
    x = linalg.tensorsolve(a, b)
    assert dc.allclose(dc.tensordot(a, x, 1), b)
    assert dc.allclose(dc.tensordot(linalg.tensorinv(a), b, 2), x)
    with pytest.raises(RuntimeError, match="prod"):
        linalg.tensorinv(dc.zeros(2, 5))


def test_vander() -> None:
    assert linalg.vander(dc.tensor([2, 3]), N=4).tolist() == [[1, 2, 4, 8], [1, 3, 9, 27]]
    assert linalg.vander(dc.tensor(2), N=4).tolist() == [[1, 2, 4, 8]]
    for wrong in ((dc.ones(2), 1), (dc.ones(3, 1), None), (dc.tensor(2.0), None)):
        with pytest.raises(RuntimeError, match="greater than 1"):
            linalg.vander(wrong[0], N=wrong[1])


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (2, 6, 6)])
def test_low_rank(shape: tuple[int, ...]) -> None:
    a = dc.from_numpy(_matrices(*shape[:-1], 2) @ _matrices(*shape[:-2], 2, shape[-1]))
    u, s, v = dc.svd_lowrank(a, 2)
    assert dc.allclose((u * s.unsqueeze(-2)) @ v.mH, a)
    u, s, v = dc.pca_lowrank(a, 3)
    assert dc.allclose((u * s.unsqueeze(-2)) @ v.mH, a - a.mean(-2, keepdim=True), atol=1e-7)


def test_lu_under_its_old_names() -> None:
    a, b = dc.from_numpy(_matrices(3, 3)), dc.from_numpy(_matrices(3, 2))
    assert dc.allclose(a @ dc.lu_solve(b, *dc.lu(a)), b)
    assert dc.lu(_singular(), get_infos=True)[2].tolist() == [0, 2]
