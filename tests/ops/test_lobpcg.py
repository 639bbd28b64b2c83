"""`lobpcg` against `linalg.eigh`: both methods, both ends, with B, in batches, and its gradient."""

import pytest

import dispatch_core as dc
from dispatch_core.testing import assert_close


@pytest.fixture
def generator():
    return dc.Generator().manual_seed(0)


def positive(generator, *shape, dtype=dc.float64):
    half = dc.randn(*shape, dtype=dtype, generator=generator)
    return half @ half.mH / shape[-1]


def spread(generator, m=30, dtype=dc.float64):
    return positive(generator, m, m, dtype=dtype) + dc.diag(dc.arange(float(m), dtype=dc.float64))


@pytest.mark.parametrize("method", ["ortho", "basic"])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("generalised", [True, False])
def test_pairs_are_those_of_eigh(generator, method, largest, generalised):
    A = spread(generator)
    B = positive(generator, 30, 30) + dc.eye(30) if generalised else None
    E, X = dc.lobpcg(A, 3, B=B, largest=largest, method=method)
    BX = X if B is None else B @ X
    reduced = A
    if B is not None:
        inverse = dc.linalg.inv(dc.linalg.cholesky(B))
        reduced = inverse @ A @ inverse.mH
    all_values = dc.linalg.eigvalsh(reduced)
    assert_close(E, all_values.flip(0)[:3] if largest else all_values[:3])
    assert_close(A @ X, BX * E, rtol=0, atol=1e-5)
    assert_close(X.mH @ BX, dc.eye(3, dtype=dc.float64))


def test_batches_complex_matrices_and_vectors_to_begin_with(generator):
    A = dc.stack([spread(generator), 2 * spread(generator)]).reshape(2, 1, 30, 30)
    start = dc.randn(2, 1, 30, 4, dtype=dc.float64, generator=generator)
    E, X = dc.lobpcg(A, 2, X=start)
    assert E.shape == (2, 1, 2)
    assert X.shape == (2, 1, 30, 2)
    assert_close(E, dc.linalg.eigvalsh(A).flip(-1)[..., :2])
    assert dc.lobpcg(A, X=start)[0].shape == (2, 1, 4)
    C = positive(generator, 12, 12, dtype=dc.complex128)
    assert_close(dc.lobpcg(C, 2)[0], dc.linalg.eigvalsh(C).flip(0)[:2])


def test_a_preconditioner_saves_steps_and_a_tracker_sees_them(generator):
    A = dc.diag(dc.logspace(0, 4, 60, dtype=dc.float64))
    start = dc.randn(60, 2, dtype=dc.float64, generator=generator)

    def steps(iK):
        seen = []
        dc.lobpcg(A, X=start, iK=iK, largest=False, tracker=lambda s: seen.append(s.ivars["istep"]))
        return seen

    plain, helped = steps(None), steps(dc.linalg.inv(A))
    assert plain == list(range(len(plain)))
    assert len(helped) < len(plain) / 2


def test_a_search_may_be_ended(generator):
    A = spread(generator)
    seen = []

    def stop(search):
        seen.append((search.X.shape, search.R.shape, search.tvars["rerr"].shape))
        search.bvars["force_stop"] = len(seen) == 3

    dc.lobpcg(A, 1, n=2, tracker=stop, tol=0)
    assert seen == [((30, 2), (30, 2), (2,))] * 3
    assert dc.lobpcg(A, 2, niter=0)[0].shape == (2,)


def test_spaces_that_end_early():
    assert_close(dc.lobpcg(dc.eye(12), 2)[0], dc.ones(2))
    assert_close(dc.lobpcg(dc.ones(12, 12), 2)[0], dc.tensor([12.0, 0.0]), rtol=1e-5, atol=1e-5)
    assert dc.lobpcg(dc.zeros(12, 12))[0].tolist() == [0]
    assert_close(dc.lobpcg(dc.eye(12), 2, method="basic")[0], dc.ones(2))


def test_gradients_are_those_of_eigh(generator):
    A = spread(generator, 12).requires_grad_()
    weights = dc.randn(12, 2, dtype=dc.float64, generator=generator)

    def of(E, X):
        return (E * E).sum() + (weights * X * X).sum()

    E, X = dc.lobpcg(A, 2, tol=1e-13)
    (found,) = dc.autograd.grad(of(E, X), A)
    values, vectors = dc.linalg.eigh(A)
    (expected,) = dc.autograd.grad(of(values.flip(0)[:2], vectors.flip(1)[:, :2]), A)
    assert_close(found, (expected + expected.mT) / 2, rtol=1e-5, atol=1e-6)
    with pytest.raises(RuntimeError, match="B"):
        dc.lobpcg(A, B=dc.eye(12, dtype=dc.float64))


A = dc.eye(12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dc.lobpcg(A, 5), ValueError, r"rows of A \(=12\) must be at least 3 times"),
        (lambda: dc.lobpcg(A, 0), ValueError, "k must be from 1"),
        (lambda: dc.lobpcg(A, 3, n=2), ValueError, "k must be from 1 to n=2"),
        (lambda: dc.lobpcg(A, method="x"), ValueError, "'ortho' or 'basic', got 'x'"),
        (lambda: dc.lobpcg(A[:3]), AssertionError, "must be square"),
        (lambda: dc.lobpcg(A.long()), RuntimeError, "floating or complex"),
        (lambda: dc.lobpcg(A, B=A.double()), RuntimeError, "B must be dc.float32"),
        (lambda: dc.lobpcg(A, X=A[:3]), RuntimeError, "X must be dc.float32 of shape"),
        (lambda: dc.lobpcg([1]), TypeError, "must be Tensor"),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call()
