"""Inference mode: nothing is recorded, and what is made there never gets into a recording."""

import pytest

import dispatch_core as dc


@pytest.fixture
def made():
    with dc.inference_mode():
        return dc.ones(2)


def test_what_is_made_inside_is_marked():
    outside = dc.ones(2)
    with dc.inference_mode():
        assert dc.is_inference_mode_enabled()
        assert not dc.is_grad_enabled()
        made = [
            dc.ones(2),
            dc.tensor([1.0]),
            dc.from_numpy(outside.numpy()),
            outside + 1,
            outside.clone(),
            dc.stack([outside, outside]),
            dc.nn.functional.linear(dc.ones(1, 2), dc.ones(2, 2)),
            *dc.ones(2, 2).max(0),
            dc.ones(4)[:2],
        ]
        shown = [
            outside,
            outside[:1],
            outside.reshape(2, 1),
            outside.contiguous(),
            *outside.split(1),
        ]
    assert all(x.is_inference() for x in made)
    assert not any(x.is_inference() for x in shown)
    assert not dc.is_inference_mode_enabled()


def test_outside_results_are_normal_and_views_are_not(made):
    assert not (made + 1).is_inference()
    assert not made.clone().is_inference()
    assert made[:1].is_inference()
    assert made.detach().is_inference()
    with dc.no_grad():
        assert not (made * dc.ones(2, requires_grad=True)).is_inference()


def test_it_is_not_saved_for_a_gradient(made):
    w = dc.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="cannot be saved for backward"):
        w * made
    with pytest.raises(RuntimeError, match="cannot be saved for backward"):
        dc.nn.Linear(2, 1)(made)
    (w + made).sum().backward()  # nothing need be saved
    (w * made.clone()).sum().backward()
    assert w.grad.tolist() == [2, 2]


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.add_(1),
        lambda x: x[:1].add_(1),
        lambda x: x.__setitem__(0, 5.0),
        lambda x: dc.add(x.clone(), 1, out=x),
        lambda x: x.copy_(dc.zeros(2)),
    ],
)
def test_it_is_not_written_outside(made, write):
    with pytest.raises(RuntimeError, match="outside InferenceMode"):
        write(made)
    assert made.tolist() == [1, 1]
    with dc.inference_mode():
        write(made)
    assert made.tolist() != [1, 1]


def test_it_does_not_begin_to_require_grad_outside(made):
    with pytest.raises(RuntimeError, match="outside InferenceMode"):
        made.requires_grad_()


def test_leaving_the_mode_inside_it():
    with dc.inference_mode(), dc.inference_mode(False):
        assert dc.is_grad_enabled()
        assert not dc.ones(1).is_inference()
        assert (dc.ones(1, requires_grad=True) * 2).requires_grad


@pytest.mark.parametrize("decorate", [dc.inference_mode, dc.inference_mode()])
def test_as_a_decorator(decorate):
    @decorate
    def double(x):
        return x * 2

    assert double(dc.ones(2, requires_grad=True)).is_inference()


def test_normal_tensors_are_written_inside():
    x = dc.ones(2)
    with dc.inference_mode():
        x.add_(1)
        x[0] = 7
    assert x.tolist() == [7, 2]
    assert not x.is_inference()


TRANSFORMED = {
    "grad": (lambda z: dc.func.grad(lambda y: (y * y).sum())(z), [2.0, 4.0]),
    "captured": (lambda z: dc.func.grad(lambda y: (y * z).sum())(z + 0), [1.0, 2.0]),
    "vjp": (lambda z: dc.func.vjp(lambda y: y * y, z)[1](z)[0], [2.0, 8.0]),
    "jacrev": (lambda z: dc.func.jacrev(lambda y: (y * y).sum())(z), [2.0, 4.0]),
    "nested": (
        lambda z: dc.func.grad(lambda y: (dc.func.grad(lambda w: (w**3).sum())(y) * y).sum())(z),
        [9.0, 36.0],
    ),
    "hessian": (lambda z: dc.func.hessian(lambda y: (y**3).sum())(z).diag(), [6.0, 12.0]),
}


@pytest.mark.parametrize("name", TRANSFORMED)
def test_transforms_record_in_inference_mode_for_themselves(name):
    call, want = TRANSFORMED[name]
    with dc.inference_mode():
        found = call(dc.tensor([1.0, 2.0]))
        assert found.tolist() == want
        assert not found.requires_grad
        assert dc.is_inference_mode_enabled()
