"""What a reviewer broke in subclasses, hooks, checkpoints and transforms, each with its failing case."""

import copy
import gc
import pickle
import weakref

import pytest

import dispatch_core as dc
from dispatch_core.autograd import functional as F
from dispatch_core.autograd import graph
from dispatch_core.testing import assert_close
from dispatch_core.utils.checkpoint import (
    checkpoint,
    checkpoint_sequential,
    create_selective_checkpoint_contexts,
)


class Image(dc.Tensor):
    """Of a kind."""


# -- subclasses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda base, alias: (alias.mul_(3), base)[1], [3, 3, 3]),
        (lambda base, alias: (base.mul_(3), alias)[1], [3, 3, 3]),
        (lambda base, alias: (base[0].mul_(7), alias)[1], [7, 1, 1]),
        (lambda base, alias: (alias.mul_(3), base + alias)[1], [6, 6, 6]),
    ],
)
def test_an_instance_of_a_tensor_is_a_view_of_it(write, expected):
    w = dc.ones(3, requires_grad=True)
    base = w * 1
    write(base, base.as_subclass(Image)).sum().backward()
    assert w.grad.tolist() == expected


def test_writing_a_recorded_value_into_an_instance_reaches_its_tensor():
    base = dc.zeros(3)
    base.as_subclass(Image).copy_(dc.ones(3, requires_grad=True) * 2)
    assert base.requires_grad


def test_a_class_derived_from_parameter_may_have_a_hook():
    class Watched(dc.nn.Parameter):
        @classmethod
        def __dispatch_function__(cls, func, types, args=(), kwargs=None):
            calls.append(func.op.name)
            return super().__dispatch_function__(func, types, args, kwargs)

    calls = []
    assert type(Watched(dc.ones(2)) * 2) is dc.Tensor
    assert calls == ["mul"]


def test_attributes_of_instances_are_copied_and_pickled():
    image = dc.ones(2).as_subclass(Image)
    image.names = ["a"]
    for made in (copy.deepcopy(image), pickle.loads(pickle.dumps(image))):
        assert made.names == ["a"]
        assert made.names is not image.names


def test_a_hook_that_gives_no_tensor_cannot_be_written_in_place():
    class Odd(dc.Tensor):
        @classmethod
        def __dispatch_function__(cls, func, types, args=(), kwargs=None):
            return 3

    with pytest.raises(TypeError, match="written in place must be Tensor, not int"):
        dc.ones(2).as_subclass(Odd).add_(1)


# -- saved tensors and checkpoints --------------------------------------------------------------------


def test_nothing_but_the_graph_holds_a_checkpoints_arguments():
    x = dc.ones(3, requires_grad=True)
    gc.disable()
    try:
        h = x * 1
        alive = weakref.ref(h)
        checkpoint(lambda h: h.sin().exp(), h, use_reentrant=False).sum().backward()
        del h
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("inside", [dc.sin, lambda y: y.mul_(2).sin()])
def test_arguments_written_after_a_checkpoint_are_found_out(inside):
    y = dc.ones(3, requires_grad=True) * 1
    z = checkpoint(inside, y, use_reentrant=False)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_selective_contexts_serve_one_call_and_segments_are_functions():
    x = dc.ones(3, requires_grad=True)
    contexts = create_selective_checkpoint_contexts([dc.sin])
    checkpoint(dc.sin, x, use_reentrant=False, context_fn=lambda: contexts)
    with pytest.raises(RuntimeError, match="serve one checkpointed call"):
        checkpoint(dc.sin, x, use_reentrant=False, context_fn=lambda: contexts)
    with pytest.raises(ValueError, match="from 1 to 1 segments"):
        checkpoint_sequential([dc.sin], 2, x, use_reentrant=False)


def test_what_unpack_hooks_return_is_checked():
    x = dc.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t.double()):
        y = x.exp()
    y.sum().backward()
    assert x.grad.dtype is dc.float32
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t[0]):
        y = x.exp()
    with pytest.raises(RuntimeError, match=r"of shape \[\], but \[2\] was saved"):
        y.sum().backward()


def test_copies_that_were_cleared_are_not_taken_for_later_ones():
    x = dc.ones(2, requires_grad=True)
    with graph.allow_mutation_on_saved_tensors() as kept:
        z = x.sin()
        kept.clear()
        (x * 1 + 5).sin()
        with pytest.raises(RuntimeError, match="outside of the 'allow_mutation"):
            z.sum().backward()
        with (
            pytest.raises(RuntimeError, match="cannot be nested"),
            graph.allow_mutation_on_saved_tensors(),
        ):
            pass


def test_hooks_are_refused_where_some_are_on():
    with (
        graph.save_on_cpu(),
        pytest.raises(RuntimeError, match="not now"),
        graph.disable_saved_tensors_hooks("not now"),
    ):
        pass


def test_gradients_are_on_the_device_of_what_they_belong_to():
    x = dc.ones(3, device="example").requires_grad_()
    for y, g in ((x * 2, dc.ones(3)), (x.sum(), dc.ones(()))):
        with pytest.raises(RuntimeError, match="is on device cpu"):
            y.backward(g)


def test_edges_made_by_hand_and_hooks_on_any_tensor():
    x = dc.ones(2, requires_grad=True)
    y = x.exp()
    edge = graph.GradientEdge(y.grad_fn, 0)
    assert dc.autograd.grad((y * 2).sum(), edge)[0].tolist() == [2, 2]
    seen = []
    graph.register_multi_grad_hook([x, dc.ones(1)], seen.append, mode="any")
    x.exp().sum().backward()
    assert len(seen) == 1


def test_jacobians_of_complex_outputs_are_refused():
    x = dc.ones(2)
    with pytest.raises(RuntimeError, match="complex outputs"):
        F.jacobian(lambda x: dc.complex(x, x * x), x)
    with pytest.raises(NotImplementedError, match="not supported together"):
        F.jacobian(dc.exp, x, create_graph=True, vectorize=True, strategy="forward-mode")
    with pytest.raises(RuntimeError, match="single Tensor"):
        F.hessian(lambda x: (x.sum(), x.sum()), x)


# -- matrices and polynomials -------------------------------------------------------------------------


def test_exponentials_of_a_batch_do_not_depend_on_each_other():
    small = dc.tensor([[0.3, 0.1], [0.2, 0.4]], dtype=dc.float64)
    alone = dc.linalg.matrix_exp(small)
    for other in (-1e6 * dc.eye(2), dc.full((2, 2), float("nan")), dc.full((2, 2), float("inf"))):
        found = dc.linalg.matrix_exp(dc.stack([other.double(), small, 8 * small]))
        assert_close(found[1], alone)
        assert_close(found[2], dc.linalg.matrix_exp(8 * small))
    assert bool(dc.linalg.matrix_exp(dc.full((2, 2), -float("inf"))).isnan().all())
    assert dc.linalg.matrix_exp(dc.ones(0, 2, 2)).shape == (0, 2, 2)


def test_gradients_of_determinants_of_singular_and_nan_matrices():
    A = dc.tensor([[[2.0, 1], [1, 3]], [[1, 2], [2, 4]]], requires_grad=True)
    dc.func.vmap(dc.linalg.det)(A).sum().backward()
    assert_close(A.grad[1], dc.tensor([[4.0, -2], [-2, 1]]))
    N = dc.stack([dc.full((2, 2), float("nan")), A[1].detach()]).requires_grad_()
    dc.det(N).sum().backward()
    assert bool(N.grad[0].isnan().all())
    assert_close(N.grad[1], A.grad[1])


def test_polynomials_of_a_degree_beyond_reach_are_refused():
    for degree in (1e38, 10**9, dc.tensor(10**9)):
        with pytest.raises(RuntimeError, match="takes as many steps"):
            dc.special.legendre_polynomial_p(dc.ones(2) * 0.5, degree)
