"""What the example package brings, used as its README says."""

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.autograd import gradcheck
from dispatch_core.backend.registry import backend_of
from dispatch_core.extend import PRIMITIVES


@pytest.fixture(params=["example", "minimal"])
def device(request):
    return request.param


def test_the_backends_implement_exactly_the_primitives(device):
    kernels = backend_of(device).kernels
    own = {
        name
        for name in kernels.names()
        if any(k.provider == device for k in kernels.candidates(name))
    }
    assert own == set(PRIMITIVES)


def test_arrays_are_their_own_and_have_nothing_of_numpys(device):
    raw = dc.ones(3, device=device)._raw
    assert type(raw).__module__ == "dispatch_example.array"
    assert not isinstance(raw, np.ndarray)
    assert not hasattr(raw, "__add__")
    assert not hasattr(raw, "__array__")


def test_views_share_memory(device):
    x = dc.arange(12.0).to(device).reshape(3, 4)
    x.t()[1:3, ::2] = -1
    assert x.cpu().tolist() == [[0, -1, -1, 3], [4, 5, 6, 7], [8, -1, -1, 11]]


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.reshape(4, 6),
        lambda x: x.permute(2, 0, 1).reshape(-1),
        lambda x: x.permute(1, 0, 2).reshape(3, 8),
        lambda x: x[:, 1:, ::2].reshape(2, -1),
        lambda x: x[:, :0].reshape(0, 5),
        lambda x: x[None, :, None].expand(2, 2, 5, 3, 4).reshape(4, 5, -1),
        lambda x: x.view(2, 12)[1].view(3, 4),
        lambda x: x[..., -1],
    ],
)
def test_shapes_are_changed_as_numpy_changes_them(device, change):
    x = dc.arange(24.0).reshape(2, 3, 4)
    assert change(x.to(device)).cpu().tolist() == change(x).tolist()


def test_a_view_that_no_strides_can_show_is_refused(device):
    x = dc.ones(2, 3, device=device).t()
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        x.view(6)


def test_a_training_step(device):
    dc.manual_seed(0)
    x, y = dc.randn(8, 4).to(device), dc.randn(8, 1).to(device)
    w = dc.zeros(4, 1, device=device, requires_grad=True)
    losses = []
    for _ in range(20):
        loss = ((x @ w - y) ** 2).mean()
        loss.backward()
        with dc.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_memory_is_accounted_for():
    before = backend_of("example").describe()
    x = dc.ones(1000, device="example")
    during = backend_of("example").describe()
    del x
    assert before == backend_of("example").describe() != during


def test_smoothstep_is_computed_in_float32_under_autocast(device):
    x = dc.linspace(0, 1, 7).bfloat16().requires_grad_()
    smoothstep = dc.ops.example.smoothstep
    with dc.autocast("cpu"):
        y = smoothstep(x)
    assert y.dtype is dc.float32
    assert y.tolist() == smoothstep(x.float()).tolist()
    y.sum().backward()
    assert x.grad.dtype is dc.bfloat16
    on_device = x.detach().to(device)
    with dc.autocast(device):
        assert smoothstep(on_device).dtype is dc.float32
    assert smoothstep(on_device).dtype is dc.bfloat16


def test_smoothstep():
    x = dc.linspace(-0.5, 1.5, 9, dtype=dc.float64, requires_grad=True)
    smoothstep = dc.ops.example.smoothstep
    assert smoothstep(x).tolist() == pytest.approx([0, 0, 0, 0.15625, 0.5, 0.84375, 1, 1, 1])
    assert gradcheck(lambda x: smoothstep(x, -1.0, 2.0), (x,))
    on_device = smoothstep(x.detach().to("example")).cpu()
    assert on_device.tolist() == pytest.approx(smoothstep(x).tolist())


def test_the_kernel_for_the_cpu_is_chosen_where_it_is_worth_it():
    small, large = dc.rand(10), dc.rand(5000)
    smoothstep = dc.ops.example.smoothstep
    few = dc.explain(smoothstep, small)
    assert few.kernel.startswith("body of smoothstep")
    assert few.steps[0].why == "declined: 10 elements are fewer than 1024"
    assert dc.explain(smoothstep, large).kernel == "kernel dispatch-example:smoothstep on cpu"
    exact = smoothstep(large.double())
    assert (smoothstep(large).double() - exact).abs().amax().item() < 1e-6


def test_flops_are_counted_forward_and_back():
    a, b = dc.rand(3, 4, requires_grad=True), dc.rand(4, 5)
    with dc.layer("flops") as count:
        c = a @ b
        assert count.total == 2 * 3 * 4 * 5
        (c + 1).sum().backward()
    assert count.by_operator["matmul"] == 2 * (2 * 3 * 4 * 5)
    assert count.by_operator["add"] == 15
