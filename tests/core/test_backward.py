"""`backward`, `grad`, accumulation into leaves, and what becomes of a graph."""

import gc
import weakref

import pytest

import dispatch_core as dc


def leaf(*values, dtype=dc.float64):
    return dc.tensor(list(values), dtype=dtype, requires_grad=True)


def memory(t):
    return t._backend.storage_of(t._raw)


# -- backward ----------------------------------------------------------------------------------


def test_gradients_add_up_over_calls():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]
    assert x.grad is first  # in place, as optimizers and hooks that hold it expect


def test_backward_with_a_gradient():
    x = leaf(1.0, 2.0)
    (x * x).backward(dc.tensor([1.0, 10.0], dtype=dc.float64))
    assert x.grad.tolist() == [2.0, 40.0]


def test_backward_of_several():
    x = leaf(1.0, 2.0)
    a, b = x * 2, (x * 3).sum()
    dc.autograd.backward([a, b], [dc.ones(2, dtype=dc.float64), None])
    assert x.grad.tolist() == [5.0, 5.0]


def test_backward_into_chosen_inputs():
    x, w = leaf(1.0), leaf(2.0)
    (x * w).backward(inputs=[w])
    assert x.grad is None
    assert w.grad.tolist() == [1.0]
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (x * w).backward(inputs=[])


def test_backward_into_a_result_on_the_way():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward(inputs=[y])
    assert x.grad is None
    assert y.grad.tolist() == [4.0, 8.0]


def test_a_scalar_is_its_own_gradient():
    x = dc.tensor(3.0, requires_grad=True)
    x.backward()
    assert x.grad.item() == 1.0


def test_a_graph_is_used_once():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_retain_graph():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_a_graph_that_saved_nothing_may_be_used_again():
    class Double(dc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    for call in (
        lambda x: x.sum(),
        lambda x: (x + x).reshape(1, 2)[0].sum(),
        lambda x: Double.apply(x).sum(),
    ):
        x = leaf(1.0, 2.0)
        y = call(x)
        y.backward()
        once = x.grad.clone()
        y.backward()
        assert x.grad.equal(once * 2)


def test_a_part_that_was_used_before():
    x = leaf(2.0)
    shared = x * x
    (shared * 2).sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        (shared * 3).sum().backward()


def test_mistakes():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="does not require grad"):
        dc.ones(1).backward()
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (x * 2).backward(dc.ones(3, dtype=dc.float64))
    with pytest.raises(TypeError, match="either Tensors or None"):
        (x * 2).backward(1.0)
    with pytest.raises(RuntimeError, match="real scalar outputs"):
        dc.tensor(1j, requires_grad=True).backward()


def test_no_gradient_for_integers():
    with pytest.raises(RuntimeError, match="floating point and complex"):
        dc.tensor([1, 2], requires_grad=True)
    with pytest.raises(RuntimeError, match="floating point and complex"):
        dc.ones(2, dtype=dc.int64).requires_grad_()


# -- accumulation: no two gradients share memory -----------------------------------------------


def test_the_terms_of_a_sum_get_gradients_of_their_own():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).backward(dc.ones(2, dtype=dc.float64))
    assert memory(x.grad) is not memory(y.grad)
    x.grad.zero_()
    assert y.grad.tolist() == [1.0, 1.0]


def test_the_given_gradient_is_not_the_leafs():
    x = leaf(1.0, 2.0)
    g = dc.ones(2, dtype=dc.float64)
    (x + 0).backward(g)
    x.grad.zero_()
    assert g.tolist() == [1.0, 1.0]
    x.grad = None
    x.backward(g)
    x.grad.add_(5)
    assert g.tolist() == [1.0, 1.0]


def test_expanded_gradients_are_made_whole():
    x = leaf(1.0, 2.0, 3.0)
    x.sum().backward()
    assert x.grad.is_contiguous()
    x.grad[0] = 7.0
    assert x.grad.tolist() == [7.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.reshape(4),
        lambda x: x.t(),
        lambda x: x + x.t(),
        lambda x: x[0],
        lambda x: dc.cat([x, x]),
        lambda x: x.unsqueeze(0).expand(3, 2, 2),
        lambda x: x.clone(),
        lambda x: dc.stack([x, x * 2]),
    ],
)
def test_a_gradient_owns_its_memory(function):
    x = leaf(1.0, 2.0, 3.0, 4.0).detach().reshape(2, 2).requires_grad_()
    result = function(x)
    g = dc.ones(*result.shape, dtype=dc.float64)
    result.backward(g, retain_graph=True)
    before = x.grad.tolist()
    x.grad.add_(1)
    assert dc.equal(g, dc.ones_like(g)) if hasattr(dc, "equal") else g.sum() == g.numel()
    x.grad = None
    result.backward(g)
    assert x.grad.tolist() == before


def test_setting_a_gradient():
    x = leaf(1.0, 2.0)
    x.grad = dc.ones(2, dtype=dc.float64)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="different size"):
        x.grad = dc.ones(3, dtype=dc.float64)
    with pytest.raises(RuntimeError, match="different type"):
        x.grad = dc.ones(2, dtype=dc.float32)
    with pytest.raises(TypeError, match="must be Tensor"):
        x.grad = 1.0
    del x.grad
    assert x.grad is None


def test_a_tensor_used_many_times():
    x = leaf(2.0)
    y = x
    for _ in range(10):
        y = y + x
    y.backward()
    assert x.grad.item() == 11.0


def test_mixed_dtypes_give_gradients_in_the_dtype_of_the_leaf():
    a = dc.tensor([1.0], dtype=dc.float32, requires_grad=True)
    b = dc.tensor([2.0], dtype=dc.float64, requires_grad=True)
    c = dc.tensor([3], dtype=dc.int64)
    (a * b * c).sum().backward()
    assert a.grad.dtype is dc.float32
    assert b.grad.dtype is dc.float64
    assert (a.grad.item(), b.grad.item()) == (6.0, 3.0)


def test_a_real_leaf_in_a_complex_product():
    x = leaf(2.0)
    z = dc.tensor([1 + 2j], dtype=dc.complex128)
    (x * z).real.sum().backward()
    assert x.grad.dtype is dc.float64
    assert x.grad.tolist() == [1.0]


# -- grad --------------------------------------------------------------------------------------


def test_grad_leaves_grad_alone():
    x = leaf(2.0)
    (g,) = dc.autograd.grad((x * x).sum(), x)
    assert g.tolist() == [4.0]
    assert x.grad is None
    assert not g.requires_grad


def test_grad_with_respect_to_a_result():
    x = leaf(2.0)
    y = x * 3
    z = (y * y).sum()
    gy, gx = dc.autograd.grad(z, [y, x])
    assert (gy.item(), gx.item()) == (12.0, 36.0)


def test_unused_inputs():
    x, w = leaf(1.0), leaf(2.0)
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        dc.autograd.grad(x * 2, [x, w])
    _, gw = dc.autograd.grad(x * 2, [x, w], allow_unused=True)
    assert gw is None
    _, gw = dc.autograd.grad(x * 2, [x, w], materialize_grads=True)
    assert gw.tolist() == [0.0]
    with pytest.raises(RuntimeError, match="does not require grad"):
        dc.autograd.grad(x * 2, [dc.ones(1)])


def test_gradients_of_gradients():
    x = leaf(2.0)
    y = x * x * x
    (first,) = dc.autograd.grad(y, x, create_graph=True)
    (second,) = dc.autograd.grad(first, x, create_graph=True)
    (third,) = dc.autograd.grad(second, x)
    assert (first.item(), second.item(), third.item()) == (12.0, 12.0, 6.0)
    assert not third.requires_grad


def test_a_gradient_penalty():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (g,) = dc.autograd.grad((x * x * w).sum(), x, create_graph=True)
    (g * g).sum().backward()
    # g = 2 x w, so d(sum g^2)/dw = 8 x^2 w
    assert w.grad.tolist() == [8 * 1 * 3, 8 * 4 * 4]


@pytest.mark.filterwarnings("ignore:Using backward")
def test_backward_with_create_graph_keeps_history_in_grad():
    x = leaf(2.0)
    (x * x * x).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    (second,) = dc.autograd.grad(x.grad.sum(), x)
    assert second.item() == 12.0


def test_grad_inside_no_grad_and_enable_grad():
    x = leaf(3.0)
    with dc.no_grad():
        y = x * x
        assert not y.requires_grad
        with dc.enable_grad():
            z = x * x
    assert z.requires_grad

    @dc.no_grad()
    def quiet(t):
        return t * 2

    assert not quiet(x).requires_grad
    previous = dc.is_grad_enabled()
    dc.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        dc.set_grad_enabled(previous)
    with dc.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


# -- large graphs and memory -------------------------------------------------------------------


@pytest.mark.parametrize("length", [100_000, 300_000])
def test_long_chains_need_no_recursion(length):
    x = leaf(1.0)
    y = x
    for _ in range(length):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_dropping_a_long_chain_that_was_never_used():
    x = leaf(1.0)
    y = x
    for _ in range(200_000):
        y = y * 1.0
    watched = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        del y
        assert watched() is None
    finally:
        gc.enable()


def test_a_long_chain_of_views():
    x = leaf(*range(4))
    y = x * 1
    for _ in range(20_000):
        y = y.view(4)
    y.sum().backward()
    assert x.grad.tolist() == [1.0] * 4


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x * x).sum(),
        lambda x: x.exp().sum(),
        lambda x: x[0] * x[1],
        lambda x: x.reshape(2, 1).t().sum(),
        lambda x: dc.cat([x, x * 2]).sum(),
        lambda x: (x * 1).add_(1).mul_(x).sum(),
        lambda x: dc.max(x, 0)[0].sum(),
    ],
)
def test_graphs_hold_no_cycles(function):
    x = leaf(1.0, 2.0)
    gc.collect()
    gc.disable()
    try:
        y = function(x)
        watched = [weakref.ref(y), weakref.ref(y.grad_fn)]
        if y.ndim == 0:
            y.backward(retain_graph=True)
        del y
        assert [w() for w in watched] == [None, None]
    finally:
        gc.enable()


def test_saved_arrays_are_released_by_backward():
    x = leaf(1.0, 2.0)
    y = x * 2
    watched = weakref.ref(memory(y))
    z = y.exp()
    saved = weakref.ref(memory(z))
    total = z.sum()
    del y, z
    assert watched() is None
    assert saved() is not None
    total.backward()
    assert saved() is None


# -- several outputs ---------------------------------------------------------------------------


def test_outputs_of_one_operation_are_told_apart():
    x = leaf(3.0, 1.0, 2.0)
    values, indices = dc.max(x.reshape(1, 3), 1)
    assert not indices.requires_grad
    values.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 0.0]


def test_only_some_outputs_used():
    x = leaf(*range(6))
    _, b, _ = x.reshape(3, 2).unbind(0)
    (b * 2).sum().backward()
    assert x.grad.tolist() == [0, 0, 2, 2, 0, 0]
    parts = (x * 1).split(2)
    (parts[0].sum() + parts[2].sum() * 3).backward()
    assert x.grad.tolist() == [1, 1, 2, 2, 3, 3]


# -- complex -----------------------------------------------------------------------------------


def test_the_gradient_of_a_real_function_of_a_complex_number():
    z = dc.tensor([3 + 4j], dtype=dc.complex128, requires_grad=True)
    (z * z.conj()).real.sum().backward()  # |z|^2: dL/dRe + i dL/dIm = 2 z
    assert z.grad.tolist() == [6 + 8j]
    z.grad = None
    z.abs().sum().backward()
    assert z.grad.tolist() == [0.6 + 0.8j]


def test_holomorphic_functions_get_the_conjugate_derivative():
    z = dc.tensor([1 + 2j], dtype=dc.complex128, requires_grad=True)
    (z * z).sum().backward(dc.tensor(1.0 + 0j, dtype=dc.complex128))
    assert z.grad.tolist() == [2 - 4j]


# -- graph inspection --------------------------------------------------------------------------


def test_names_and_edges():
    x, w = leaf(1.0), leaf(2.0)
    y = x * w + 1
    node = y.grad_fn
    assert node.name() == "AddBackward0"
    (product, _), *_ = node.next_functions
    assert product.name() == "MulBackward0"
    assert [n.name() for n, _ in product.next_functions] == ["AccumulateGrad"] * 2
    assert x.is_leaf
    assert not y.is_leaf
    assert x.grad_fn is None
    assert "MulBackward0" in repr(product)
    node.metadata["note"] = 1
    assert y.grad_fn.metadata == {"note": 1}


def test_requires_grad_of_results_cannot_be_switched_off():
    y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="leaf variables"):
        y.requires_grad = False


@pytest.mark.parametrize("to", [dc.int64, dc.bool, dc.uint8])
def test_what_is_cast_to_a_discrete_dtype_has_no_history(to):
    x = dc.tensor([1.5], requires_grad=True)
    assert not x.to(to).requires_grad
    (x * x.to(to)).sum().backward()
    assert x.grad.item() == 1


def test_no_spread_gives_a_standard_deviation_no_gradient():
    z = dc.zeros(2, requires_grad=True)
    z.std().backward()
    assert z.grad.tolist() == [0, 0]


def test_values_are_read_from_a_parameter_where_nothing_is_recorded():
    p = dc.nn.Parameter(dc.ones(2))
    with dc.no_grad():
        assert p.numpy().tolist() == [1, 1]


def test_a_number_is_formatted_as_one():
    assert f"{dc.tensor(2.0, requires_grad=True)}" == "2.0"
