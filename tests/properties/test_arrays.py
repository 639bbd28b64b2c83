"""Properties of indexing, broadcasting, reductions and view chains, against numpy."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dispatch_core as dc

settings.register_profile(
    "properties",
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("properties")

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
solid = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


def numbered(shape):
    return np.arange(int(np.prod(shape)), dtype=np.float64).reshape(shape)


def same(tensor, array):
    assert tuple(tensor.shape) == array.shape
    assert tensor.tolist() == array.tolist()


# -- indexing ----------------------------------------------------------------------------------


@st.composite
def indexed(draw, advanced):
    shape = draw(solid)
    items = []
    ellipsis_at = draw(st.one_of(st.none(), st.integers(0, len(shape))))
    for d in range(draw(st.integers(0, len(shape)))):
        n = shape[d]
        kinds = [
            st.integers(-n, n - 1),
            st.slices(n).filter(lambda s: s.step is None or s.step > 0),
            st.just(slice(None)),
        ]
        if advanced:
            kinds.append(st.lists(st.integers(-n, n - 1), min_size=2, max_size=2))
            kinds.append(hnp.arrays(bool, (n,)).map(np.ndarray.tolist))
        items.append(draw(st.one_of(kinds)))
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), None)
    if ellipsis_at is not None and ellipsis_at >= len(items):
        items.append(...)
    return shape, tuple(items)


def expected_of(array, index):
    """numpy's answer, or an assumption failed where it differs from PyTorch or refuses."""
    lists = [i for i in index if isinstance(i, list)]
    # Beside lists numpy counts an int as one of them; PyTorch selects first.
    assume(not (lists and any(isinstance(i, int) for i in index)))
    try:
        return array[index]
    except IndexError:
        assume(False)


@given(indexed(advanced=False))
def test_basic_indexing(case):
    shape, index = case
    array = numbered(shape)
    x = dc.tensor(array)
    same(x[index], array[index])
    assert x[index].numel() == 0 or np.shares_memory(x[index].numpy(), x.numpy())
    array[index] = -1
    x[index] = -1
    same(x, array)


@given(indexed(advanced=True))
def test_advanced_indexing(case):
    shape, index = case
    array = numbered(shape)
    found = expected_of(array, index)
    x = dc.tensor(array)
    same(x[index], found)
    array[index] = -1
    x[index] = -1
    same(x, array)


@given(indexed(advanced=True), st.integers(0, 2**31))
def test_gradients_of_indexing_count_how_often_an_element_was_read(case, seed):
    shape, index = case
    array = numbered(shape)
    found = expected_of(array, index)
    weights = np.random.default_rng(seed).integers(1, 9, found.shape).astype(float)
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    x = dc.tensor(array, requires_grad=True)
    x[index].backward(dc.tensor(weights))
    same(x.grad, expected)


@given(solid, st.data())
def test_masks(shape, data):
    array = numbered(shape)
    mask = data.draw(hnp.arrays(bool, shape[: data.draw(st.integers(1, len(shape)))]))
    x = dc.tensor(array)
    same(x[dc.tensor(mask)], array[mask])
    x[dc.tensor(mask)] = 0.5
    array[mask] = 0.5
    same(x, array)


# -- broadcasting ------------------------------------------------------------------------------


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4))
def test_broadcasting_and_its_undoing(case):
    (a, b), result = case.input_shapes, case.result_shape
    x, y = numbered(a) + 1, numbered(b) + 2
    tx, ty = dc.tensor(x, requires_grad=True), dc.tensor(y, requires_grad=True)
    z = tx * ty
    same(z, x * y)
    z.backward(dc.ones(result, dtype=dc.float64))
    assert tx.grad.shape == a
    assert ty.grad.shape == b
    wide_x, wide_y = np.broadcast_to(x, result), np.broadcast_to(y, result)
    assert np.allclose(tx.grad.numpy(), summed_to(wide_y, a))
    assert np.allclose(ty.grad.numpy(), summed_to(wide_x, b))


def summed_to(array, shape):
    array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and array.shape[i] != 1)
    return array.sum(axis=axes, keepdims=True)


@given(shapes, shapes)
def test_shapes_that_do_not_broadcast(a, b):
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(RuntimeError, match="must match the size of tensor"):
            dc.zeros(a) + dc.zeros(b)
    else:
        assert (dc.zeros(a) + dc.zeros(b)).shape == np.broadcast_shapes(a, b)


# -- reductions --------------------------------------------------------------------------------


@st.composite
def reduced(draw):
    shape = draw(solid)
    n = len(shape)
    dims = draw(
        st.one_of(
            st.none(),
            st.integers(-n, n - 1),
            st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True).map(tuple),
        )
    )
    return (
        draw(hnp.arrays(np.float64, shape, elements=st.integers(-3, 3))),
        dims,
        draw(st.booleans()),
    )


@given(reduced())
def test_reductions_over_any_dimensions(case):
    array, dim, keepdim = case
    x = dc.tensor(array)
    for name in ("sum", "mean", "amax", "amin"):
        reference = {"amax": "max", "amin": "min"}.get(name, name)
        expected = np.asarray(getattr(array, reference)(axis=dim, keepdims=keepdim))
        result = getattr(dc, name)(x, dim, keepdim)
        assert tuple(result.shape) == expected.shape
        assert np.allclose(result.numpy(), expected)
    for name in ("all", "any"):
        same(
            getattr(dc, name)(x, dim, keepdim),
            np.asarray(getattr(array, name)(axis=dim, keepdims=keepdim)),
        )


@given(reduced())
def test_gradients_of_reductions(case):
    array, dim, keepdim = case
    x = dc.tensor(array, requires_grad=True)
    result = x.sum(dim, keepdim)
    (result * result).sum().backward()
    total = array.sum(axis=dim, keepdims=True)
    assert np.allclose(x.grad.numpy(), np.broadcast_to(2 * total, array.shape))


# -- chains of views ---------------------------------------------------------------------------


@st.composite
def chains(draw):
    """A shape, and steps as pairs of functions, of tensors and of arrays."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    array = numbered(shape)
    steps = []
    for _ in range(draw(st.integers(1, 5))):
        n = array.ndim
        kind = draw(
            st.sampled_from(["permute", "reshape", "slice", "select", "unsqueeze", "flatten"])
        )
        if kind == "permute":
            order = tuple(draw(st.permutations(range(n))))
            step = (lambda t, o=order: t.permute(*o), lambda a, o=order: a.transpose(o))
        elif kind == "reshape":
            size = array.size
            first = draw(st.sampled_from([k for k in range(1, size + 1) if size % k == 0]))
            step = (
                lambda t, s=(first, size // first): t.reshape(*s),
                lambda a, s=(first, size // first): a.reshape(s),
            )
        elif kind == "slice" and n:
            d = draw(st.integers(0, n - 1))
            start = draw(st.integers(0, array.shape[d] - 1))
            index = (slice(None),) * d + (slice(start, None, draw(st.integers(1, 2))),)
            step = (lambda t, i=index: t[i], lambda a, i=index: a[i])
        elif kind == "select" and n > 1:
            d = draw(st.integers(0, n - 1))
            at = draw(st.integers(0, array.shape[d] - 1))
            step = (lambda t, d=d, i=at: t.select(d, i), lambda a, d=d, i=at: a.take(i, d))
        elif kind == "unsqueeze":
            d = draw(st.integers(0, n))
            step = (lambda t, d=d: t.unsqueeze(d), lambda a, d=d: np.expand_dims(a, d))
        else:
            step = (lambda t: t.flatten(), lambda a: a.reshape(-1))
        steps.append(step)
        array = step[1](array)
    return shape, steps


@given(chains(), st.integers(0, 2**31))
def test_chains_of_views_and_their_gradients(case, seed):
    shape, steps = case
    array = places = numbered(shape)
    x = dc.tensor(array, requires_grad=True)
    y = x
    for tensor_step, array_step in steps:
        y, places = tensor_step(y), array_step(places)
    same(y, places)
    weights = np.random.default_rng(seed).integers(1, 9, places.shape).astype(float)
    y.backward(dc.tensor(weights))
    expected = np.zeros(array.size)
    np.add.at(expected, places.astype(int).reshape(-1), weights.reshape(-1))
    same(x.grad, expected.reshape(shape))


@given(chains())
def test_writes_through_chains_of_views(case):
    shape, steps = case
    array = numbered(shape)
    w = dc.tensor(3.0, dtype=dc.float64, requires_grad=True)
    base = dc.tensor(array, requires_grad=True)
    x = base * 1
    views = [x]
    places = array
    for tensor_step, array_step in steps:
        views.append(tensor_step(views[-1]))
        places = array_step(places)
    last = views[-1]
    shared = last.numel() and np.shares_memory(last.detach().numpy(), x.detach().numpy())
    last.mul_(w)
    written = np.zeros(array.size, bool)
    if shared:
        written[places.astype(int).reshape(-1)] = True
    expected = np.where(written, 3 * array.reshape(-1), array.reshape(-1))
    assert x.reshape(-1).tolist() == expected.tolist()
    x.sum().backward()
    assert base.grad.reshape(-1).tolist() == np.where(written, 3.0, 1.0).tolist()
    if shared:
        assert w.grad.item() == places.sum()


# -- promotion ---------------------------------------------------------------------------------


names = st.sampled_from(["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16",
                         "float32", "float64", "complex64", "complex128"])  # fmt: skip


@given(names, names, st.sampled_from(["add", "mul", "where", "cat", "eq"]))
def test_promotion_is_symmetric_and_the_same_for_every_operator(a, b, op):
    x, y = (dc.ones(2, dtype=getattr(dc, n)) for n in (a, b))
    promoted = dc.promote_types(x.dtype, y.dtype)
    calls = {
        "add": lambda p, q: p + q,
        "mul": lambda p, q: p * q,
        "where": lambda p, q: dc.where(dc.tensor([True, False]), p, q),
        "cat": lambda p, q: dc.cat([p, q]),
        "eq": lambda p, q: p == q,
    }
    expected = dc.bool if op == "eq" else promoted
    for p, q in ((x, y), (y, x)):
        result = calls[op](p, q)
        assert result.dtype is expected
        assert result._backend.dtype_of(result._raw) is expected
