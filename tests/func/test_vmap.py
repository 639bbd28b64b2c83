"""vmap: what conformance tests cannot generate - its interface, nesting, randomness, in-place, gradients."""

import pytest

import dispatch_core as dc
from dispatch_core.func import vmap


def assert_close(a, b):
    dc.testing.assert_close(a, b)


@pytest.fixture
def x():
    dc.manual_seed(0)
    return dc.randn(5, 3)


def gradient(function):
    def of(a):
        a = a.detach().requires_grad_()
        return dc.autograd.grad(function(a), a)[0]

    return of


def test_in_dims_name_what_is_mapped(x):
    w = dc.randn(3, 4)
    assert_close(vmap(lambda a, w: a @ w, in_dims=(0, None))(x, w), x @ w)
    assert_close(vmap(lambda column: x @ column, in_dims=1, out_dims=1)(w), x @ w)
    assert_close(vmap(lambda a: a["t"][0] * 2, in_dims=({"t": (1,)},))({"t": (x,)}), x.T * 2)


def test_results_keep_their_structure(x):
    found = vmap(
        lambda a: {"sum": a.sum(), "both": (a, a * 2)}, out_dims={"sum": 0, "both": (1, 0)}
    )(x)
    assert_close(found["sum"], x.sum(1))
    assert_close(found["both"][0], x.T)
    assert_close(found["both"][1], x * 2)


def test_nested(x):
    outer = vmap(vmap(lambda a, b: a * b, in_dims=(0, None)), in_dims=(None, 0))
    assert_close(outer(dc.arange(3.0), dc.arange(4.0)), dc.outer(dc.arange(4.0), dc.arange(3.0)))


def test_chunks_give_the_same(x):
    def function(a):
        return a.softmax(0), dc.ones(2)

    whole, parts = vmap(function)(x), vmap(function, chunk_size=2)(x)
    assert_close(whole[0], parts[0])
    assert parts[1].shape == (5, 2)


def test_a_gradient_inside(x):
    assert_close(vmap(gradient(lambda a: (a**3).sum()))(x), 3 * x**2)


def test_a_gradient_outside(x):
    x.requires_grad_()
    vmap(lambda a: (a * a).sum())(x).sum().backward()
    assert_close(x.grad, (2 * x).detach())


def test_a_gradient_through_writes_into_views(x):
    def loss(a):
        b = a * 1
        b[0] = 2.0
        b[1:] *= a[1:]
        return (b * b).sum()

    assert_close(vmap(gradient(loss))(x), dc.stack([gradient(loss)(row) for row in x]))


def test_writes_in_place(x):
    def function(a):
        b = a.clone()
        b[0] = 1.0
        b.mul_(2)
        b[1:] += 1
        return b

    before = x.clone()
    assert_close(vmap(function)(x), dc.stack([function(row) for row in x]))
    assert_close(x, before)
    vmap(lambda a: a.zero_())(x)
    assert not x.any()


@pytest.mark.parametrize(
    ("randomness", "equal"), [("different", False), ("same", True)], ids=["different", "same"]
)
def test_randomness(x, randomness, equal):
    found = vmap(lambda a: a * 0 + dc.rand(3), randomness=randomness)(x)
    assert (found[0] == found[1]).all().item() is equal
    nested = vmap(vmap(lambda a: a * 0 + dc.rand(()), randomness=randomness), randomness=randomness)
    assert (len(set(nested(x).flatten().tolist())) == 1) is equal


MISTAKES = {
    "reads a value": (
        lambda a: a.item() if a.ndim == 0 else a.sum().item(),
        "values cannot be read",
    ),
    "branches": (lambda a: a if a.sum() > 0 else -a, "values cannot be read"),
    "draws": (lambda a: a + dc.rand(3), "randomness error mode"),
    "size depends on values": (lambda a: a.nonzero(), "depends on the values"),
    "writes outside": (lambda a: dc.zeros(3).add_(a), "inplace arithmetic"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_has_no_meaning_on_all_examples_raises(name, x):
    function, words = MISTAKES[name]
    with pytest.raises(RuntimeError, match=words):
        vmap(function)(x)


ARGUMENTS = {
    "nothing mapped": ({"in_dims": None}, ValueError),
    "all None": ({"in_dims": (None,)}, ValueError),
    "too many": ({"in_dims": (0, 0)}, ValueError),
    "out of range": ({"in_dims": 2}, ValueError),
    "randomness": ({"randomness": "often"}, RuntimeError),
    "chunk": ({"chunk_size": 0}, ValueError),
    "out None": ({"out_dims": None}, ValueError),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_do_not_fit_raise(name, x):
    keywords, error = ARGUMENTS[name]
    with pytest.raises(error):
        vmap(lambda a: a * 2, **keywords)(x)


def test_sizes_must_agree(x):
    with pytest.raises(ValueError, match="same size"):
        vmap(dc.add)(x, dc.ones(4, 3))


def test_only_tensors_are_returned(x):
    with pytest.raises(ValueError, match="must only return Tensors"):
        vmap(lambda a: 1)(x)


def test_a_tensor_is_printed_inside():
    shown = []
    vmap(lambda x: shown.append(repr(x)) or x)(dc.ones(2, 2))
    assert shown == [
        "BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[1., 1.],\n            [1., 1.]])\n)"
    ]


@pytest.mark.parametrize("function", [dc.det, lambda A: dc.matrix_exp(A).sum()])
def test_gradients_that_look_at_values_are_computed_for_all_examples(function):
    matrices = dc.randn(3, 3, 3, dtype=dc.float64)
    matrices[1, 0] = 0  # one is singular
    found = dc.func.vmap(dc.func.grad(function))(matrices)
    one_by_one = dc.stack([dc.func.grad(function)(m) for m in matrices])
    assert_close(found, one_by_one)


def test_checks_of_values_leave_batches_alone():
    p, target = dc.rand(4, 3), dc.rand(4, 3).round()
    loss = dc.nn.functional.binary_cross_entropy
    expected = dc.stack([loss(a, b) for a, b in zip(p, target, strict=True)])
    assert_close(dc.func.vmap(loss)(p, target), expected)
    A, B = dc.randn(2, 3, 3) + 3 * dc.eye(3), dc.randn(2, 3, 2)
    found = dc.func.vmap(dc.linalg.solve_ex)(A, B)
    assert_close(found.result, dc.linalg.solve(A, B))
    assert found.info.tolist() == [0, 0]


@pytest.mark.parametrize(
    "function",
    [
        lambda a: (a * 1).sin_().pow_(2).sum(),
        lambda a: (a * 1).exp_().mul_(a).sum(),
        lambda a: (a * 1).addcmul_(a, a).div_(a).sum(),
    ],
)
def test_writes_in_place_are_differentiated_inside_and_outside(function):
    x = dc.rand(3, 4, dtype=dc.float64) + 0.5
    expected = dc.stack([dc.func.grad(function)(row) for row in x])
    assert_close(vmap(dc.func.grad(function))(x), expected)
    assert_close(dc.func.grad(lambda x: vmap(function)(x).sum())(x), expected)
    leaf = x.clone().requires_grad_()
    vmap(function)(leaf).sum().backward()
    assert_close(leaf.grad, expected)


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_what_is_given_by_name_is_shared_by_all_examples(chunk_size):
    x, weight = dc.rand(3, 2), dc.rand(3)
    mapped = vmap(lambda row, weight=None: row.sum() * weight, chunk_size=chunk_size)
    assert_close(mapped(x, weight=weight), x.sum(1, keepdim=True) * weight)
    assert vmap(lambda row, *, mask: row[mask])(x, mask=dc.tensor([True, False])).shape == (3, 1)


@pytest.mark.parametrize("dims", ["x", ("x",), 1.5])
def test_out_dims_are_ints(dims):
    with pytest.raises(ValueError, match="`out_dims` must be an int"):
        vmap(lambda a: a, out_dims=dims)(dc.ones(2, 3))


@pytest.mark.parametrize("shape", [(2,), (0,), (3,)])
def test_results_of_all_examples_do_not_go_into_one_tensor(shape):
    out = dc.zeros(shape)
    with pytest.raises(RuntimeError, match="one memory cannot take the results of all examples"):
        vmap(lambda y: dc.add(y, y, out=out))(dc.ones(3, 2))
    assert out.tolist() == [0.0] * shape[0]
    assert (
        vmap(lambda y: dc.add(y, y, out=dc.empty_like(y)))(dc.ones(3, 2)).tolist() == [[2, 2]] * 3
    )
