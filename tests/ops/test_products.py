"""Matrix products, einsum, and linear algebra: errors, overloads and named results."""

from __future__ import annotations

import pytest

import dispatch_core as dc
from dispatch_core._dispatcher.chains import chain_of
from dispatch_core._dispatcher.kernel_chains import Binary


def test_matmul_runs_through_the_chain_for_two_tensors() -> None:
    a, b = dc.ones(2, 3), dc.ones(3, 4)
    a @ b
    assert type(chain_of(dc.matmul.op, (a, b))) is Binary


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((2, 3), (2, 3), r"cannot be multiplied \(2x3 and 2x3\)"),
        ((3,), (4,), "inconsistent tensor size"),
        ((), (3,), "at least 1D"),
        ((2, 3, 4), (3, 4, 2), "non-singleton dimension 0"),
    ],
)
def test_shapes_that_do_not_fit(a: tuple[int, ...], b: tuple[int, ...], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        dc.ones(a) @ dc.ones(b)


def test_operands_of_two_dtypes_are_refused() -> None:
    with pytest.raises(RuntimeError, match="same dtype"):
        dc.ones(2, 2) @ dc.ones(2, 2, dtype=dc.float64)


def test_a_number_is_no_operand() -> None:
    with pytest.raises(TypeError):
        dc.ones(2, 2) @ 2.0


@pytest.mark.parametrize("dtype", [dc.float16, dc.bfloat16])
def test_halves_accumulate_in_float32(dtype: dc.dtype) -> None:
    a = dc.ones(1, 4096, dtype=dtype)
    assert (a @ a.T).item() == 4096


def test_products_of_strict_rank() -> None:
    with pytest.raises(RuntimeError, match="2-D"):
        dc.mm(dc.ones(2, 2, 2), dc.ones(2, 2))
    with pytest.raises(RuntimeError, match="batch2"):
        dc.bmm(dc.ones(2, 2, 2), dc.ones(3, 2, 2))
    with pytest.raises(RuntimeError, match="1D tensors expected"):
        dc.dot(dc.ones(2, 2), dc.ones(2))


def test_beta_zero_leaves_nan_out() -> None:
    nan = dc.full((2, 2), float("nan"))
    assert dc.addmm(nan, dc.eye(2), dc.eye(2), beta=0).isfinite().all()


@pytest.mark.parametrize(
    ("equation", "shapes", "shape"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)], (2, 4)),
        ("...ij,...jk", [(5, 1, 2, 3), (4, 3, 2)], (5, 4, 2, 2)),
        ("ii->i", [(3, 3)], (3,)),
        ("i,j,k->kji", [(2,), (3,), (4,)], (4, 3, 2)),
        ("ij,ij->", [(1, 3), (2, 3)], ()),
    ],
)
def test_einsum_shapes(
    equation: str, shapes: list[tuple[int, ...]], shape: tuple[int, ...]
) -> None:
    assert dc.einsum(equation, *map(dc.ones, shapes)).shape == shape


def test_einsum_with_lists_of_labels_and_a_list_of_operands() -> None:
    a, b = dc.rand(2, 3), dc.rand(3, 4)
    expected = a @ b
    assert dc.allclose(dc.einsum(a, [0, 1], b, [1, 2], [0, 2]), expected)
    assert dc.allclose(dc.einsum("ij,jk", [a, b]), expected)


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("ij,jk->iz", "does not appear"),
        ("ij,jk->ii", "more than once"),
        ("ij", "1 operands"),
        ("i,jk", "number of subscripts"),
        ("i$,jk", "invalid subscript"),
        ("ij,ik", "does not broadcast"),
    ],
)
def test_einsum_mistakes(equation: str, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        dc.einsum(equation, dc.ones(2, 3), dc.ones(3, 4))


def test_factorisations_have_named_results() -> None:
    a = dc.rand(3, 3) + 3 * dc.eye(3)
    assert dc.linalg.svd(a)._fields == ("U", "S", "Vh")
    assert dc.linalg.eigh(a)._fields == ("eigenvalues", "eigenvectors")
    assert dc.linalg.qr(a)._fields == ("Q", "R")
    assert dc.slogdet(a)._fields == ("sign", "logabsdet")
    p, lower, upper = dc.linalg.lu(a)
    assert dc.allclose(p @ lower @ upper, a, atol=1e-6)


def test_singular_and_indefinite_matrices() -> None:
    with pytest.raises(dc.linalg.LinAlgError, match="singular"):
        dc.linalg.inv(dc.zeros(2, 2))
    with pytest.raises(dc.linalg.LinAlgError, match="positive-definite"):
        dc.linalg.cholesky(-dc.eye(2))
    with pytest.raises(RuntimeError, match="square"):
        dc.linalg.det(dc.ones(2, 3))


def test_gradient_of_a_singular_determinant_is_the_cofactors() -> None:
    a = dc.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=dc.float64, requires_grad=True)
    dc.det(a).backward()
    assert dc.allclose(a.grad, dc.tensor([[4.0, -2.0], [-2.0, 1.0]], dtype=dc.float64))


@pytest.mark.parametrize("dtype", [dc.float64, dc.complex128])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_gradients_of_singular_vectors(dtype: dc.dtype, shape: tuple[int, int]) -> None:
    dc.manual_seed(1)
    weights = dc.tensor([1.0, -2.0, 0.5], dtype=dc.float64)

    def loss(a: dc.Tensor) -> dc.Tensor:
        # Of absolute values and of a product that the vectors' phases cancel in.
        u, s, vh = dc.linalg.svd(a, full_matrices=False)
        product = (u * weights) @ vh
        return (u.abs() ** 4).sum() + (s**3).sum() + (vh.abs() ** 4).sum() + product.abs().sum()

    assert dc.autograd.gradcheck(loss, (dc.randn(shape, dtype=dtype, requires_grad=True),))


@pytest.mark.parametrize("dtype", [dc.float64, dc.complex128])
def test_gradients_of_eigenvectors(dtype: dc.dtype) -> None:
    dc.manual_seed(1)

    def loss(a: dc.Tensor) -> dc.Tensor:
        values, vectors = dc.linalg.eigh(a + a.mH)
        return (values**3).sum() + (vectors.abs() ** 4).sum()

    assert dc.autograd.gradcheck(loss, (dc.randn(3, 3, dtype=dtype, requires_grad=True),))


@pytest.mark.parametrize("dtype", [dc.bool, dc.uint8, dc.int32], ids=str)
def test_sums_of_einsum_are_wide_and_products_keep_their_dtype(dtype):
    x = dc.ones(3, 3).to(dtype)
    for equation in ("ii", "ij->i", "ij->"):
        assert dc.einsum(equation, x).dtype is dc.einsum(equation, x.to(dc.int32)).dtype is dc.int64
    for equation in ("ii->i", "ij->ji"):
        assert dc.einsum(equation, x).dtype is dtype
    assert dc.einsum("ij,kl->ij", x, x).dtype is dc.int64
    if dtype is not dc.bool:
        assert dc.einsum("ij,jk->ik", x, x).dtype is dtype
        assert dc.einsum("ij,jkl->ik", x, x[..., None].expand(3, 3, 2)).tolist() == [[6] * 3] * 3
    assert dc.einsum("ij->", dc.full((300,), 200, dtype=dc.uint8)[None]).item() == 60_000


def test_einsum_refuses_dtypes_that_do_not_go_together():
    with pytest.raises(RuntimeError, match="dtype"):
        dc.einsum("ij,jk->ik", dc.ones(2, 2), dc.ones(2, 2, dtype=dc.float64))
