"""Mixed precision: which operators cast, what that does to gradients, and the scale of the loss."""

from __future__ import annotations

import asyncio
import pickle
import threading

import pytest

import dispatch_core as dc
from dispatch_core import amp, nn
from dispatch_core._op import OPERATORS, withdraw
from dispatch_core.extend import NUMBERS, Tensor, composite, contraction
from dispatch_core.layers import autocast as policies

F = nn.functional
X = dc.randn(3, 3)


def test_every_policy_is_of_an_operator():
    OPERATORS.complete()
    for device in ("cpu", "cuda"):
        with_policy = [d for d in OPERATORS.values() if policies.policy_of(d.op, device)]
        assert len(with_policy) > 60
    for names in (
        policies._LOWER, policies._FULL_ON_CPU, policies._FULL_ELSEWHERE, policies._WIDEST_ON_CPU,
        policies._WIDEST_ELSEWHERE, policies._REFUSED_ELSEWHERE,
    ):  # fmt: skip
        assert names <= set(OPERATORS)


@pytest.mark.parametrize("dtype", [dc.bfloat16, dc.float16])
def test_products_are_computed_in_16_bits(dtype):
    calls = {
        "matmul": lambda: X @ X,
        "linear": lambda: F.linear(X, X, X[0]),
        "conv2d": lambda: F.conv2d(X[None, None], X[None, None], X[0, :1]),
        "bmm": lambda: dc.bmm(X[None], X[None]),
        "einsum": lambda: dc.einsum("ij,jk->ik", X, X),
        "attention": lambda: F.scaled_dot_product_attention(X[None], X[None], X[None]),
        "lstm": lambda: nn.LSTM(3, 2)(X)[0],
    }
    for name, call in calls.items():
        assert call().dtype is dc.float32, name
        with dc.autocast("cpu", dtype=dtype):
            found = call()
        assert found.dtype is dtype, name
    dc.testing.assert_close((X @ X).to(dtype), calls["matmul"]().to(dtype))


def test_losses_and_decompositions_are_computed_in_float32():
    half = dc.rand(3, 3).bfloat16()
    with dc.autocast("cpu"):
        assert F.mse_loss(half, half * 2).dtype is dc.float32
        assert F.cross_entropy(half, dc.tensor([0, 1, 2])).dtype is dc.float32
        assert dc.linalg.inv(half + 3 * dc.eye(3).bfloat16()).dtype is dc.float32
        assert dc.fft.fft(half).dtype is dc.complex64


def test_what_has_no_policy_keeps_its_dtype():
    with dc.autocast("cpu"):
        assert (X + X).dtype is dc.float32
        assert (X.bfloat16() + X.bfloat16()).dtype is dc.bfloat16
        assert dc.relu(X.bfloat16()).dtype is dc.bfloat16
        assert dc.cat([X, X.bfloat16()]).dtype is dc.float32
        assert dc.stack([X.bfloat16(), X.bfloat16()]).dtype is dc.bfloat16


def _declared(policy):
    @composite(contraction(NUMBERS), namespace="_", autocast=policy)
    def _blend(input: Tensor, other: Tensor) -> Tensor:
        """The sum of both."""
        return input + other.to(input.dtype)

    return _blend


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("lower_precision", (dc.float16, dc.float16)),
        ("float32", (dc.float32, dc.float32)),
        ("promote", (dc.float32, dc.bfloat16)),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_declaration_says_its_policy(policy, expected, device):
    blend = _declared(policy)
    try:
        x = X.to(device)
        with dc.autocast(device, dtype=dc.float16):
            found = blend(x, x.bfloat16()).dtype, blend(x.bfloat16(), x.bfloat16()).dtype
            assert blend(x.double(), x.double()).dtype is dc.float64
        assert found == expected
        assert blend(x, x).dtype is dc.float32
    finally:
        withdraw("_blend")


def test_float64_and_integers_are_left_alone():
    with dc.autocast("cpu"):
        assert (X.double() @ X.double()).dtype is dc.float64
        whole = dc.ones(2, 2, dtype=dc.int64)
        assert (whole @ whole).dtype is dc.int64


def test_blocks_nest_and_end():
    with dc.autocast("cpu"):
        with dc.autocast("cpu", enabled=False):
            assert (X @ X).dtype is dc.float32
            with dc.autocast("cpu", dtype=dc.float16):
                assert (X @ X).dtype is dc.float16
        assert (X @ X).dtype is dc.bfloat16
        with dc.autocast("cuda"):
            assert (X @ X).dtype is dc.bfloat16
        with pytest.raises(ZeroDivisionError), dc.autocast("cpu", dtype=dc.float16):
            raise ZeroDivisionError
        assert (X @ X).dtype is dc.bfloat16
    assert (X @ X).dtype is dc.float32


def test_as_a_decorator():
    @dc.autocast("cpu")
    def product(x):
        """The square."""
        return x @ x

    assert product(X).dtype is dc.bfloat16
    assert product.__doc__ == "The square."
    assert amp.autocast is dc.autocast


def test_on_another_device():
    x = X.to("meta")
    with dc.autocast("meta"):
        assert (x @ x).dtype is dc.float16
        assert dc.softmax(x.half(), 0).dtype is dc.float32
        assert F.layer_norm(x.half(), (3,)).dtype is dc.float32
        assert dc.addcmul(x, x.half(), x).dtype is dc.float32
        with pytest.raises(RuntimeError, match="unsafe to autocast"):
            F.binary_cross_entropy(x.half(), x.half())
        assert (X @ X).dtype is dc.float32


def test_gradients_have_the_dtypes_of_their_tensors():
    model = nn.Sequential(
        nn.Linear(3, 4), nn.LayerNorm(4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)
    )
    x = dc.randn(5, 3, requires_grad=True)
    with dc.autocast("cpu"):
        loss = F.cross_entropy(model(x), dc.tensor([0, 1, 0, 1, 0]))
    loss.backward()
    assert loss.dtype is dc.float32
    assert {p.grad.dtype for p in model.parameters()} == {dc.float32}
    assert x.grad.dtype is dc.float32
    assert {p.dtype for p in model.parameters()} == {dc.float32}


def test_training_in_16_bits_follows_that_in_32():
    def train(enabled):
        dc.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
        optimizer = dc.optim.SGD(model.parameters(), lr=0.1)
        x = dc.randn(64, 4)
        target = x.sum(1, keepdim=True).sin()
        for _ in range(30):
            with dc.autocast("cpu", enabled=enabled):
                loss = F.mse_loss(model(x), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    assert train(True) == pytest.approx(train(False), rel=0.05)


def _casts(run):
    with dc.profiler.profile() as profiled:
        run()
    return sum(e.count for e in profiled.key_averages() if e.key == "cast")


def test_weights_are_cast_once_for_a_block():
    weight = dc.randn(3, 3, requires_grad=True)

    def twice():
        (X @ weight + X @ weight).sum().backward()

    with dc.autocast("cpu"):
        assert _casts(lambda: (X @ weight, X @ weight)) == 3
        dc.clear_autocast_cache()
        assert _casts(lambda: X @ weight) == 2
        with dc.autocast("cpu", cache_enabled=False):
            assert _casts(lambda: (X @ weight, X @ weight)) == 4
        with dc.no_grad():
            assert _casts(lambda: (X @ weight, X @ weight)) == 4
        twice()
    with dc.no_grad():
        expected = 2 * X.sum(0, keepdim=True).T.expand(3, 3)
    dc.testing.assert_close(weight.grad, expected, rtol=2e-2, atol=2e-2)


def test_a_weight_that_was_written_to_is_cast_anew():
    weight = dc.ones(3, 3, requires_grad=True)
    one = dc.ones(3, 3)
    with dc.autocast("cpu"):
        assert (one @ weight)[0, 0].item() == 3
        with dc.no_grad():
            weight.mul_(2)
        assert (one @ weight)[0, 0].item() == 6


def test_other_threads_and_tasks_are_not_touched():
    found = {}

    def elsewhere():
        found["thread"] = (X @ X).dtype

    async def task():
        with dc.autocast("cpu", dtype=dc.float16):
            await asyncio.sleep(0)
            return (X @ X).dtype

    async def both():
        return await asyncio.gather(task(), asyncio.to_thread(lambda: (X @ X).dtype))

    with dc.autocast("cpu"):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert found["thread"] is dc.float32
    assert asyncio.run(both()) == [dc.float16, dc.float32]


def test_switches():
    assert not dc.is_autocast_enabled("cpu")
    assert dc.get_autocast_dtype("cpu") is dc.bfloat16
    assert dc.get_autocast_dtype("cuda") is dc.float16
    with dc.autocast("cpu", dtype=dc.float16):
        assert dc.is_autocast_enabled("cpu")
        assert not dc.is_autocast_enabled()
        assert dc.get_autocast_dtype("cpu") is dc.float16
    dc.set_autocast_dtype("cpu", dc.float16)
    try:
        with dc.autocast("cpu"):
            assert (X @ X).dtype is dc.float16
            dc.set_autocast_dtype("cpu", dc.bfloat16)
            assert (X @ X).dtype is dc.bfloat16
    finally:
        dc.set_autocast_dtype("cpu", dc.bfloat16)
    dc.set_autocast_enabled("cpu", True)
    assert (X @ X).dtype is dc.bfloat16
    dc.set_autocast_enabled("cpu", False)
    assert (X @ X).dtype is dc.float32
    assert dc.is_autocast_cache_enabled()
    dc.set_autocast_cache_enabled(False)
    assert not dc.is_autocast_cache_enabled()
    dc.set_autocast_cache_enabled(True)
    assert (dc.autocast_increment_nesting(), dc.autocast_decrement_nesting()) == (1, 0)
    assert amp.is_autocast_available("cpu")


def test_mistakes():
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        dc.autocast(3)
    with pytest.raises(RuntimeError, match="Invalid device string"):
        dc.autocast("c pu")
    with pytest.warns(UserWarning, match="Disabling autocast"):
        off = dc.autocast("cpu", dtype=dc.float64)
    with off:
        assert (X @ X).dtype is dc.float32


def test_it_is_explained():
    with dc.autocast("cpu"):
        assert "autocast: cast floating arguments to bfloat16" in str(dc.explain("mm", X, X))
        assert dc.explain("exp", X).layers == ["device"]


class _Product(dc.autograd.Function):
    @staticmethod
    @amp.custom_fwd(device_type="cpu")
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x @ y

    @staticmethod
    @amp.custom_bwd(device_type="cpu")
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        assert (X @ X).dtype is dc.bfloat16  # as in forward
        return g.to(x.dtype) @ y.mT, x.mT @ g.to(y.dtype)


class _InFloat32(dc.autograd.Function):
    @staticmethod
    @amp.custom_fwd(device_type="cpu", cast_inputs=dc.float32)
    def forward(ctx, x, pair):
        assert x.dtype is dc.float32
        assert pair["a"][0].dtype is dc.float32
        assert pair["b"].dtype is dc.float64
        return x @ x

    @staticmethod
    @amp.custom_bwd(device_type="cpu")
    def backward(ctx, g):
        assert (X @ X).dtype is dc.float32
        return g, None


def test_functions_with_gradients_of_their_own():
    x = dc.randn(3, 3, requires_grad=True)
    with dc.autocast("cpu"):
        y = _Product.apply(x, X)
    assert y.dtype is dc.bfloat16
    y.sum().backward()
    assert x.grad.dtype is dc.float32
    with dc.autocast("cpu"):
        pair = {"a": [X.bfloat16()], "b": X.double()}
        y = _InFloat32.apply(x.bfloat16(), pair)
    assert y.dtype is dc.float32
    y.sum().backward()


# -- the scale of the loss ------------------------------------------------------------------------


def scaler(**options):
    return amp.GradScaler("cpu", **options)


def stepped(scale, value):
    """One iteration of `p -= 0.5 * gradient` with a gradient; what p becomes."""
    p = nn.Parameter(dc.ones(1))
    optimizer = dc.optim.SGD([p], lr=0.5)
    scale.scale(p * value).backward()
    scale.step(optimizer)
    return p.item()


def test_the_step_does_not_see_the_scale():
    scale = scaler(init_scale=1024.0)
    assert stepped(scale, 1.5) == 0.25
    scale.update()
    assert scale.get_scale() == 1024


def test_steps_with_infinite_gradients_are_left_out_and_shrink_the_scale():
    scale = scaler(init_scale=8.0, growth_interval=2)
    assert stepped(scale, float("inf")) == 1
    scale.update()
    assert scale.get_scale() == 4
    for expected in (4, 8, 8, 16):
        stepped(scale, 1.0)
        scale.update()
        assert scale.get_scale() == expected
    assert stepped(scale, float("nan")) == 1
    scale.update()
    assert scale.get_scale() == 8


def test_clipping_between_unscale_and_step():
    p = nn.Parameter(dc.ones(1))
    optimizer = dc.optim.SGD([p], lr=1.0)
    scale = scaler(init_scale=1024.0)
    scale.scale(p * 100).backward()
    scale.unscale_(optimizer)
    assert p.grad.item() == 100
    nn.utils.clip_grad_norm_([p], 1.0)
    scale.step(optimizer)
    assert p.item() == pytest.approx(0, abs=1e-5)
    scale.update(16.0)
    assert scale.get_scale() == 16


def test_the_order_of_calls():
    p = nn.Parameter(dc.ones(1))
    optimizer = dc.optim.SGD([p], lr=1.0)
    scale = scaler()
    with pytest.raises(AssertionError, match="prior to update"):
        scale.update()
    with pytest.raises(AssertionError, match="for this optimizer"):
        scale.step(optimizer)
    scale.update(2.0)
    scale.scale(p).backward()
    scale.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="already been called on this optimizer"):
        scale.unscale_(optimizer)
    scale.step(optimizer)
    with pytest.raises(RuntimeError, match=r"after step\(\)"):
        scale.unscale_(optimizer)
    with pytest.raises(RuntimeError, match=r"step\(\) has already been called"):
        scale.step(optimizer)
    with pytest.raises(RuntimeError, match="may only be pickled"):
        pickle.dumps(scale)
    scale.update()
    with pytest.raises(RuntimeError, match="Closure"):
        scale.step(optimizer, closure=lambda: None)
    half = nn.Parameter(dc.ones(1, dtype=dc.float16))
    half.sum().backward()
    with pytest.raises(RuntimeError, match="FP16 gradients"):
        scale.unscale_(dc.optim.SGD([half], lr=1.0))


def test_several_outputs():
    scale = scaler(init_scale=4.0)
    assert [t.item() for t in scale.scale([dc.ones(()), dc.ones(()) * 2])] == [4, 8]
    assert type(scale.scale((dc.ones(()),))) is tuple
    with pytest.raises(ValueError, match="Tensor or an iterable"):
        scale.scale(3)


def test_state_and_options():
    scale = scaler(init_scale=4.0, growth_interval=3)
    stepped(scale, 1.0)
    scale.update()
    state = scale.state_dict()
    assert state == {
        "scale": 4.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 3, "_growth_tracker": 1,
    }  # fmt: skip
    other = pickle.loads(pickle.dumps(scaler()))
    other.load_state_dict(state)
    assert other.state_dict() == state
    other.set_growth_factor(3.0)
    other.set_backoff_factor(0.25)
    other.set_growth_interval(1)
    assert (other.get_growth_factor(), other.get_backoff_factor()) == (3.0, 0.25)
    assert other.get_growth_interval() == 1
    with pytest.raises(RuntimeError, match="empty"):
        other.load_state_dict({})
    for wrong in ({"growth_factor": 1.0}, {"backoff_factor": 1.0}):
        with pytest.raises(AssertionError, match="factor must be"):
            scaler(**wrong)


def test_switched_off_and_without_the_device():
    off = scaler(enabled=False)
    assert stepped(off, 1.5) == 0.25
    off.update()
    assert (off.get_scale(), off.state_dict(), off.is_enabled()) == (1.0, {}, False)
    with pytest.warns(UserWarning, match="not available"):
        absent = amp.GradScaler("nowhere")
    assert not absent.is_enabled()
