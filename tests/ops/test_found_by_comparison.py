"""What the comparison with PyTorch (tests/oracle) has found, with PyTorch's values."""

from __future__ import annotations

import pytest

import dispatch_core as dc
from dispatch_core.func import jvp, vmap

F = dc.nn.functional
EYE = dc.eye(2)

NAMES = {
    "linalg.cholesky(input=)": lambda: dc.linalg.cholesky(input=EYE),
    "linalg.inv(A=)": lambda: dc.linalg.inv(A=EYE),
    "swapaxes(axis0=, axis1=)": lambda: dc.swapaxes(EYE, axis0=0, axis1=1),
    "hsplit(sections=)": lambda: dc.hsplit(EYE, sections=2)[0],
    "tensor_split(indices=)": lambda: dc.tensor_split(EYE, indices=(1,))[0],
    "isin(test_element=)": lambda: dc.isin(EYE, test_element=1.0),
    "view(dtype=)": lambda: EYE.view(dtype=dc.int32),
    "view_copy(size=)": lambda: dc.view_copy(EYE.t(), size=(4,)),
    "matrix_rank(A, tol, hermitian)": lambda: dc.linalg.matrix_rank(EYE, 0.1, True),
}


@pytest.mark.parametrize("name", NAMES)
def test_arguments_have_pytorchs_names(name):
    assert isinstance(NAMES[name](), dc.Tensor)


def test_a_missing_argument_with_another_name_is_a_type_error():
    for call in (lambda: dc.det(), lambda: dc.transpose(EYE), lambda: dc.hsplit(EYE)):
        with pytest.raises(TypeError):
            call()


TEXTS = {
    "int": lambda: EYE.narrow(0, "text", 1),
    "sizes": lambda: EYE.new_full("text", 1.0),
    "number": lambda: dc.full_like(EYE, "text"),
    "tensor": lambda: F.relu("text"),
    "mode": lambda: F.gelu(EYE, approximate=3),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_wrong_kind_of_argument_is_a_type_error(name):
    with pytest.raises(TypeError, match="must be"):
        TEXTS[name]()


def test_a_result_that_does_not_fit_out_can_be_caught_either_way():
    for error in (RuntimeError, TypeError):
        with pytest.raises(error, match="can't be cast"):
            dc.cat([EYE, EYE], out=dc.empty(4, 2, dtype=dc.int64))
    assert dc.ones(2, out=dc.empty(2, dtype=dc.int64)).tolist() == [1, 1]


def test_a_repeated_index_fills_once():
    x, value = dc.zeros(3), dc.tensor(2.0, requires_grad=True)
    x.index_fill(0, dc.tensor([1, 1]), value).sum().backward()
    assert value.grad.item() == 1


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_lu_of_rectangles_has_gradients(shape):
    x = dc.rand(*shape, dtype=dc.float64, requires_grad=True)
    assert dc.autograd.gradcheck(lambda a: dc.linalg.lu_factor(a)[0], x)


def test_scatter_from_a_larger_source_has_a_tangent():
    source = dc.tensor([[1.0, 2.0], [3.0, 4.0]])
    index = dc.tensor([[1, 0]])
    _, tangent = jvp(lambda s: dc.zeros(2, 2).scatter(0, index, s), (source,), (source,))
    assert tangent.tolist() == [[0.0, 2.0], [1.0, 0.0]]


def test_the_cosine_of_vectors_that_broadcast():
    found = F.cosine_similarity(dc.tensor([1.0, 1.0]), dc.tensor([3.0]), dim=0)
    assert found.item() == pytest.approx(1.0)


def test_lu_unpack_leaves_empty_what_is_not_asked_for():
    P, L, U = dc.lu_unpack(*dc.linalg.lu_factor(EYE), unpack_data=False)
    assert (P.shape, L.shape, U.shape) == ((2, 2), (0,), (0,))


def test_lstsq_computes_what_its_driver_does():
    A, b = dc.tensor([[1.0], [1.0]]), dc.tensor([[0.0], [2.0]])
    found = dc.linalg.lstsq(A, b, driver="gelsd")
    assert found.residuals.tolist() == pytest.approx([2.0])
    assert dc.linalg.lstsq(A, b).residuals.shape == (0,)
    with pytest.raises(RuntimeError, match="driver"):
        dc.linalg.lstsq(A, b, driver="fast")


def test_infinities_stay_in_their_window():
    x = dc.tensor([[[1.0, 1.0, 1.0, 1.0, float("inf")]]])
    assert F.adaptive_avg_pool1d(x, 2).tolist() == [[[1.0, float("inf")]]]


def test_integers_keep_their_dtype_in_threshold():
    assert F.threshold(dc.tensor([0, 3]), 1.5, -1.0).tolist() == [-1, 3]
    with pytest.raises(RuntimeError):
        F.threshold(dc.tensor([0, 3], dtype=dc.uint8), 1.5, -1.0)


@pytest.mark.filterwarnings("ignore:vmap")
def test_vmap_runs_a_body_that_reads_values_for_each_example():
    x = dc.tensor([[4, 6], [9, 6]])
    assert vmap(dc.gcd)(x, dc.tensor([[6, 4], [3, 4]])).tolist() == [[2, 2], [3, 2]]


def test_vmap_of_reductions():
    x = dc.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    assert vmap(lambda a: a.sum(dim=()))(x).tolist() == [3.0, 7.0]
    assert vmap(lambda a: a.max(1))(x).indices.tolist() == [[1], [1]]
    assert vmap(lambda a: a.prod(0))(dc.tensor([2.0, 3.0])).tolist() == [2.0, 3.0]
