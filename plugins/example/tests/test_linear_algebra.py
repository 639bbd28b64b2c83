"""The factorisations that this device has no kernels for, through their bodies, against numpy."""

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core import linalg
from dispatch_core.extend import LinAlgError

DEVICE = "example"
DTYPES = [np.float32, np.float64, np.complex64, np.complex128]
SHAPES = [(33, 33), (20, 7), (7, 20), (1, 5), (2, 3, 5, 4)]
EMPTY = [(0, 0), (3, 0), (0, 3), (0, 3, 3), (2, 0, 4), (2, 4, 0)]


def on_device(array):
    return dc.tensor(array).to(DEVICE)


def on_host(results):
    return [r.cpu().numpy() for r in results]


def random(shape, dtype=np.float64, seed=0):
    draw = np.random.default_rng(seed).standard_normal
    x = draw(shape)
    if np.issubdtype(dtype, np.complexfloating):
        x = x + 1j * draw(shape)
    return x.astype(dtype)


def turned(x):
    return np.swapaxes(x.conj(), -1, -2)


def hilbert(n):
    return 1.0 / (np.arange(n)[:, None] + np.arange(n) + 1)


def with_eigenvalues(values):
    q = np.linalg.qr(random((len(values), len(values))))[0]
    return (q * np.asarray(values)) @ q.T


HARD = {
    "hilbert": hilbert(8),
    "repeated": with_eigenvalues([1.0] * 5 + [2.0] * 6 + [-3.0] * 6),
    "rank 2": random((9, 2)) @ random((2, 9), seed=1),
    "equal columns": np.ones((7, 7)),
    "graded": np.diag(10.0 ** -np.arange(20)) @ random((20, 20)),
    "zeros": np.zeros((4, 4)),
    "diagonal": np.diag([1.0, -3.0, 2.0]),
    "nilpotent": np.diag(np.ones(4), 1),
    "huge": random((5, 5)) * 1e300,
    "tiny": random((5, 5)) * 1e-300,
}


def assert_close(found, expected, dtype, scale=None):
    """Equal up to a few units in the last place of the largest element."""
    assert found.shape == expected.shape
    if scale is None:
        scale = np.abs(expected).max(initial=0)
    assert np.abs(found - expected).max(initial=0) <= 200 * np.finfo(dtype).eps * scale


def assert_orthonormal(q, dtype):
    eye = np.broadcast_to(np.eye(q.shape[-1]), (*q.shape[:-2], q.shape[-1], q.shape[-1]))
    assert_close(turned(q) @ q, eye, dtype)


def check_svd(a, full):
    u, s, vh = on_host(linalg.svd(on_device(a), full))
    expected = np.linalg.svd(a, full)
    assert [x.shape for x in (u, s, vh)] == [x.shape for x in expected]
    assert [x.dtype for x in (u, s, vh)] == [x.dtype for x in expected]
    k = s.shape[-1]
    assert_close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a, a.dtype)
    assert_close(s, expected[1], a.dtype)
    assert (np.diff(s, axis=-1) <= 0).all()
    assert (s >= 0).all()
    assert_orthonormal(u, a.dtype)
    assert_orthonormal(turned(vh), a.dtype)


def check_eigh(a):
    values, vectors = on_host(linalg.eigh(on_device(a)))
    expected = np.linalg.eigh(a)
    assert vectors.dtype == expected[1].dtype
    assert values.dtype == expected[0].dtype
    assert_close(values, expected[0], a.dtype)
    assert_close((vectors * values[..., None, :]) @ turned(vectors), a, a.dtype)
    assert_orthonormal(vectors, a.dtype)


def test_the_device_computes_them_by_their_bodies():
    x = on_device(random((3, 3)))
    for name in ("svd_factors", "linalg_eigh", "linalg_qr", "cholesky_lower", "lu_factors"):
        assert dc.explain(getattr(dc.ops, name), x).kernel.startswith("body of")
    assert dc.explain(dc.ops.linalg_solve_matrix, x, x).kernel.startswith("body of")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [True, False])
def test_singular_values(shape, dtype, full):
    check_svd(random(shape, dtype), full)


@pytest.mark.parametrize("name", HARD)
def test_singular_values_of_hard_matrices(name):
    check_svd(HARD[name], True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 8, 33])
def test_eigenvalues(n, dtype):
    a = random((n, n), dtype)
    check_eigh(a + turned(a))


@pytest.mark.parametrize("name", HARD)
def test_eigenvalues_of_hard_matrices(name):
    check_eigh(HARD[name] / 2 + HARD[name].T / 2)


def test_eigenvalues_of_a_batch_in_which_matrices_converge_at_different_times():
    a = np.stack([np.eye(4), hilbert(4), random((4, 4)) * 1e9])
    check_eigh(a + turned(a))


def test_one_triangle_is_read_and_the_diagonal_as_real():
    a = random((5, 5), np.complex128)
    for side in "LU":
        found = linalg.eigvalsh(on_device(a), side).cpu().numpy()
        assert_close(found, np.linalg.eigvalsh(a, side), a.dtype)
    a[np.triu_indices(5, 1)] = np.nan
    assert np.isfinite(linalg.eigvalsh(on_device(a)).cpu().numpy()).all()
    with pytest.raises(RuntimeError, match="UPLO argument to be 'L' or 'U', but got X"):
        linalg.eigh(on_device(a), "X")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
def test_qr_with_the_signs_of_lapack(shape, dtype, mode):
    a = random(shape, dtype)
    q, r = on_host(linalg.qr(on_device(a), mode))
    if mode == "r":
        assert q.size == 0
        assert_close(r, np.linalg.qr(a, "r"), dtype)
        return
    expected = np.linalg.qr(a, mode)
    assert_close(q, expected[0], dtype, 1.0)
    assert_close(r, expected[1], dtype)


@pytest.mark.parametrize("name", HARD)
def test_qr_of_hard_matrices(name):
    a = HARD[name]
    q, r = on_host(linalg.qr(on_device(a), "complete"))
    assert_close(q @ r, a, a.dtype)
    assert_orthonormal(q, a.dtype)
    assert not np.tril(r, -1).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_lu(shape, dtype):
    a = random(shape, dtype)
    found = on_host(linalg.lu_factor(on_device(a)))
    expected = on_host(linalg.lu_factor(dc.tensor(a)))
    assert_close(found[0], expected[0], dtype)
    assert found[1].tolist() == expected[1].tolist()
    p, lower, upper = on_host(linalg.lu(on_device(a)))
    assert_close(p @ lower @ upper, a, dtype)


@pytest.mark.parametrize("name", HARD)
def test_lu_of_hard_matrices(name):
    p, lower, upper = on_host(linalg.lu(on_device(HARD[name])))
    assert_close(p @ lower @ upper, HARD[name], np.float64)
    assert np.abs(lower).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("first", "second"), [((33, 33), (33, 2)), ((3, 1, 4, 4), (2, 4, 1)), ((4, 4), (2, 4, 0))]
)
def test_linear_equations(first, second, dtype):
    a, b = random(first, dtype), random(second, dtype, 1)
    x = linalg.solve(on_device(a), on_device(b)).cpu().numpy()
    expected = np.linalg.solve(a, b)
    assert x.dtype == expected.dtype
    assert x.shape == expected.shape
    assert_close(
        a @ x,
        np.broadcast_to(b, (*x.shape[:-2], *b.shape[-2:])),
        dtype,
        np.abs(x).max(initial=0) * 10,
    )


def test_a_zero_pivot_is_exchanged_and_a_singular_matrix_refused():
    a = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert linalg.solve(on_device(a), on_device(np.eye(2))).cpu().tolist() == [[0, 1], [1, 0]]
    with pytest.raises(LinAlgError, match="the input matrix is singular"):
        linalg.solve(on_device(np.stack([a, np.ones((2, 2))])), on_device(np.eye(2)))
    with pytest.raises(RuntimeError, match="Incompatible shapes"):
        dc.ops.linalg_solve_matrix(on_device(a), on_device(np.ones((3, 2))))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (33, 33), (2, 3, 4, 4)])
def test_cholesky(shape, dtype):
    a = random(shape, dtype)
    a = a @ turned(a) + np.eye(shape[-1], dtype=dtype)
    found = linalg.cholesky(on_device(a)).cpu().numpy()
    assert found.dtype == dtype
    assert_close(found, np.linalg.cholesky(a), dtype)
    a[..., 0, 1:] = np.nan  # the upper triangle is not read
    assert np.isfinite(linalg.cholesky(on_device(a)).cpu().numpy()).all()


@pytest.mark.parametrize(
    "a", [np.diag([1.0, 0.0, 1.0]), np.diag([1.0, -1.0]), np.array([[np.nan]]), hilbert(3) - 1]
)
def test_cholesky_of_a_matrix_that_is_not_positive_definite(a):
    with pytest.raises(LinAlgError, match="not positive-definite"):
        linalg.cholesky(on_device(np.stack([np.eye(len(a)), a])))


@pytest.mark.parametrize("shape", EMPTY)
def test_matrices_without_elements(shape):
    a = np.zeros(shape)
    for full in (True, False):
        check_svd(a, full)
        mode = "complete" if full else "reduced"
        for found, expected in zip(
            on_host(linalg.qr(on_device(a), mode)), np.linalg.qr(a, mode), strict=True
        ):
            assert found.tolist() == expected.tolist()
            assert found.shape == expected.shape
    for x in (on_device(a), dc.tensor(a)):
        found, pivots = on_host(linalg.lu_factor(x))
        assert found.shape == shape
        assert pivots.shape == (*shape[:-2], min(shape[-2:]))
    if shape[-1] == shape[-2]:
        check_eigh(a)
        assert linalg.cholesky(on_device(a)).shape == shape
        assert linalg.solve(on_device(a), on_device(np.zeros((shape[-1], 2)))).shape[-1] == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_comes_to_an_end(value):
    a = random((2, 5, 5))
    a[1, 3, 2] = value
    for function in (linalg.svd, linalg.eigh):
        with pytest.raises(LinAlgError, match="contained non-finite values"):
            function(on_device(a))
    for results in (
        linalg.qr(on_device(a)),
        linalg.lu_factor(on_device(a))[:1],
        [linalg.solve(on_device(a), on_device(np.eye(5)))],
    ):
        for result in on_host(results):
            assert np.isfinite(result[0]).all()
            assert not np.isfinite(result[1]).all()


def test_gradients_are_those_of_the_declared_formulas():
    a = random((6, 4))
    x = on_device(a).requires_grad_()
    linalg.svdvals(x).sum().backward()
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    assert_close(x.grad.cpu().numpy(), u @ vh, a.dtype)
    assert dc.explain(dc.ops.svd_factors, x).layers[0].startswith("autograd")
