"""In-place forms, randomness, state, higher derivatives and mistakes of nn.functional."""

from __future__ import annotations

import math
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core.autograd import gradgradcheck

F = dc.nn.functional


def leaf(*shape: int) -> Any:
    return (dc.rand(*shape, dtype=dc.float64) * 2 - 1).requires_grad_()


# -- in-place forms --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "elu", "selu", "celu", "silu", "mish", "hardtanh", "leaky_relu"]
)
def test_inplace_writes_into_the_argument_and_differentiates(name: str) -> None:
    x = leaf(3, 4)
    expected = getattr(F, name)(x)
    (wanted,) = dc.autograd.grad(expected.sum(), x)
    for form in (getattr(F, name + "_"), lambda v: getattr(F, name)(v, inplace=True)):
        y = x * 1.0
        assert form(y) is y
        assert y.tolist() == expected.tolist()
        assert dc.autograd.grad(y.sum(), x)[0].tolist() == wanted.tolist()


def test_inplace_takes_the_other_arguments_along() -> None:
    x = dc.tensor([-1.0, 2.0])
    assert F.elu(x.clone(), 0.5, True).tolist() == F.elu(x, 0.5).tolist()
    assert F.threshold(x.clone(), 0.0, 7.0, inplace=True).tolist() == [7.0, 2.0]
    assert dc.relu_(x) is x


def test_inplace_on_a_leaf_is_refused() -> None:
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        F.relu(leaf(3), inplace=True)


def test_softmax_without_a_dimension_warns_and_chooses_one() -> None:
    x = dc.rand(2, 3)
    for name in ("softmax", "log_softmax", "softmin"):
        with pytest.warns(UserWarning, match="Implicit dimension choice"):
            found = getattr(F, name)(x)
        assert found.tolist() == getattr(F, name)(x, 1).tolist()
    assert F.softmax(x, 1, dtype=dc.float64).dtype == dc.float64


# -- randomness ------------------------------------------------------------------------------------


def test_dropout_zeroes_a_share_and_scales_the_rest() -> None:
    dc.manual_seed(3)
    x = dc.ones(100, 100, requires_grad=True)
    y = F.dropout(x, 0.25)
    kept = (y != 0).float()
    assert kept.mean().item() == pytest.approx(0.75, abs=0.02)
    assert y.detach().amax().item() == pytest.approx(1 / 0.75)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    dc.manual_seed(3)
    assert F.dropout(x, 0.25).tolist() == y.tolist()


def test_dropout_at_its_ends() -> None:
    x = dc.rand(4, 5)
    assert F.dropout(x, 0.0).tolist() == x.tolist()
    assert F.dropout(x, 1.0).tolist() == dc.zeros(4, 5).tolist()
    assert F.dropout(x, 0.5, training=False).tolist() == x.tolist()
    y = x.clone()
    assert F.dropout(y, 1.0, inplace=True) is y
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.dropout(x, 1.5)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("dropout1d", (40, 50, 3)), ("dropout1d", (50, 3)), ("dropout2d", (40, 50, 3, 2)),
     ("dropout3d", (40, 50, 2, 2, 2)), ("dropout3d", (50, 2, 2, 2)),
     ("feature_alpha_dropout", (40, 50, 3))],
)  # fmt: skip
def test_channels_are_dropped_whole(name: str, shape: tuple[int, ...]) -> None:
    y = getattr(F, name)(dc.ones(shape), 0.4, True)
    channels = y.reshape(-1, math.prod(shape[2:]) if len(shape) != 2 else 3)
    if len(shape) == 4 and name == "dropout3d":
        channels = y.reshape(50, 8)
    assert (channels == channels[:, :1]).all()
    assert len(set(channels[:, 0].tolist())) == 2


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    y = F.alpha_dropout(dc.randn(300, 300), 0.3, True)
    assert y.mean().item() == pytest.approx(0, abs=0.03)
    assert y.std().item() == pytest.approx(1, abs=0.03)


def test_rrelu_draws_slopes_between_its_bounds() -> None:
    x = dc.tensor([-1.0, 2.0]).repeat(1000, 1)
    y = F.rrelu(x, 0.1, 0.3, training=True)
    assert (y[:, 1] == 2).all()
    slopes = -y[:, 0]
    assert slopes.amin().item() >= 0.1
    assert slopes.amax().item() <= 0.3
    assert len(set(slopes.tolist())) > 900


def test_gumbel_softmax() -> None:
    x = leaf(50, 4)
    soft, hard = F.gumbel_softmax(x, 0.5), F.gumbel_softmax(x, 0.5, hard=True)
    assert soft.sum(-1).tolist() == pytest.approx([1.0] * 50)
    assert sorted(set(hard.detach().round().reshape(-1).tolist())) == [0, 1]
    (hard * dc.arange(4)).sum().backward()
    assert x.grad.abs().sum().item() > 0


# -- state that is written -------------------------------------------------------------------------


def test_batch_norm_moves_the_running_statistics() -> None:
    x = dc.rand(5, 3, 2, dtype=dc.float64)
    mean, var = dc.zeros(3, dtype=dc.float64), dc.ones(3, dtype=dc.float64)
    F.batch_norm(x, mean, var, training=True, momentum=0.3)
    flat = x.transpose(0, 1).reshape(3, -1)
    assert mean.tolist() == pytest.approx((flat.mean(1) * 0.3).tolist())
    assert var.tolist() == pytest.approx((flat.var(1) * 0.3 + 0.7).tolist())
    y = F.batch_norm(x, mean, var)
    by_hand = (x - mean[:, None]) / (var[:, None] + 1e-5).sqrt()
    assert y.reshape(-1).tolist() == pytest.approx(by_hand.reshape(-1).tolist())


def test_embedding_limits_norms_in_place() -> None:
    weight = dc.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    F.embedding(dc.tensor([0, 1, 0]), weight, max_norm=1.0)
    assert weight.reshape(-1).tolist() == pytest.approx([0.6, 0.8, 0.3, 0.4, 6, 8], rel=1e-5)


def test_an_optimizer_step_counts_as_a_write() -> None:
    w = dc.rand(3, requires_grad=True)
    saved = (w * w).sum()
    w.grad = dc.ones(3)
    version = w._version
    dc.optim.Adam([w]).step()
    assert w._version > version
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        saved.backward()


# -- higher derivatives ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda x, w, b: F.conv2d(x, w, b, 2, 1), [(1, 2, 4, 3), (2, 2, 2, 3), (2,)]),
        (lambda x, w: F.conv_transpose1d(x, w, None, 2, 1, 1), [(1, 2, 3), (2, 2, 3)]),
        (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [(4, 2), (2,), (2,)]),
        (lambda x, w, b: F.layer_norm(x, (3,), w, b), [(2, 3), (3,), (3,)]),
        (lambda x, w, b: F.group_norm(x, 2, w, b), [(1, 4, 3), (4,), (4,)]),
        (lambda x: F.softmax(x, 1), [(2, 3)]),
        (lambda x: F.cross_entropy(x, dc.tensor([2, 0])), [(2, 3)]),
        (lambda x: F.gelu(x), [(3,)]),
        (lambda x: F.avg_pool2d(x, 2, 1), [(1, 1, 3, 3)]),
        (lambda x: F.max_pool1d(x, 2) ** 2, [(1, 1, 4)]),
        (lambda x, w: F.linear(x, w), [(2, 3), (2, 3)]),
        (lambda q, k, v: F.scaled_dot_product_attention(q, k, v), [(2, 3), (4, 3), (4, 2)]),
    ],
)
def test_second_derivatives(function: Any, shapes: list[tuple[int, ...]]) -> None:
    dc.manual_seed(0)
    assert gradgradcheck(function, [leaf(*shape) for shape in shapes])


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_second_derivatives_of_recurrent_layers(kind: str) -> None:
    dc.manual_seed(0)
    layer = getattr(dc.nn, kind)(2, 2).double()
    names = [name for name, _ in layer.named_parameters()]
    weights = [parameter.detach().requires_grad_() for parameter in layer.parameters()]

    def function(x: Any, *values: Any) -> Any:
        return dc.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))[0]

    if not hasattr(dc.func, "functional_call"):

        def function(x: Any, *values: Any) -> Any:
            for name, value in zip(names, values, strict=True):
                layer._parameters[name] = value
            return layer(x)[0]

    assert gradgradcheck(function, [leaf(3, 2, 2), *weights])


# -- mistakes --------------------------------------------------------------------------------------


def ints(*values: int) -> Any:
    return dc.tensor(values)


MISTAKES = [
    ("conv2d(r(1, 3, 5, 5), r(4, 2, 3, 3))", RuntimeError, "to have 2 channels, but got 3"),
    ("conv2d(r(1, 3, 2, 2), r(4, 3, 3, 3))", RuntimeError, "Kernel size can't be greater"),
    ("conv2d(r(3, 5), r(4, 3, 3, 3))", RuntimeError, "expected 3D .unbatched. or 4D .batched."),
    ("conv2d(r(1, 2, 5, 5), r(4, 2, 3, 3), r(3))", RuntimeError, "expected bias to be"),
    ("conv1d(r(1, 2, 5), r(4, 2, 3), padding='same', stride=2)", RuntimeError, "strided"),
    ("conv1d(r(1, 2, 5), r(4, 2, 3), padding='all')", RuntimeError, "Invalid padding string"),
    ("conv1d(r(1, 2, 5), r(4, 2, 3), stride=(1, 2))", RuntimeError, "tuple of 1 ints"),
    ("conv1d(r(1, 2, 5).double(), r(4, 2, 3))", RuntimeError, "same dtype"),
    ("conv_transpose1d(r(1, 2, 5), r(2, 2, 3), output_padding=1)", RuntimeError, "output padding"),
    ("max_pool2d(r(1, 1, 4, 4), 2, padding=2)", RuntimeError, "at most half of effective kernel"),
    ("max_pool2d(r(1, 1, 4, 4), 9)", RuntimeError, "Output size is too small"),
    ("avg_pool2d(r(1, 1, 4, 4), 2, divisor_override=0)", RuntimeError, "divisor must be not zero"),
    ("max_unpool1d(r(1, 1, 2), ints(0, 1).reshape(1, 1, 2), 2, output_size=(9,))", ValueError,
     "invalid output_size"),
    ("batch_norm(r(1, 3), None, None, training=True)", ValueError, "more than 1 value per channel"),
    ("batch_norm(r(2, 3), None, None)", RuntimeError, "running_mean and running_var"),
    ("layer_norm(r(2, 3), (4,))", RuntimeError, "Given normalized_shape"),
    ("layer_norm(r(2, 3), (3,), r(2))", RuntimeError, "weight to be of same shape"),
    ("group_norm(r(2, 4, 3), 3)", RuntimeError, "divisible by num_groups"),
    ("instance_norm(r(2, 3, 1))", ValueError, "more than 1 spatial element"),
    ("linear(r(2, 3), r(4, 5))", RuntimeError, "shapes cannot be multiplied .2x3 and 5x4."),
    ("linear(r(2, 3), r(4, 3), r(3))", RuntimeError, "expected bias of shape"),
    ("linear(r(2, 3), r(4, 3).double())", RuntimeError, "same dtype"),
    ("bilinear(r(2, 3), r(2, 4), r(5, 3, 3))", RuntimeError, "do not match weight size"),
    ("embedding(r(2), r(3, 4))", RuntimeError, "Long, Int"),
    ("embedding(ints(3), r(3, 4))", IndexError, "index out of range in self"),
    ("embedding(ints(1), r(3, 4), padding_idx=5)", AssertionError, "Padding_idx must be within"),
    ("embedding_bag(ints(1, 2), r(3, 4))", ValueError, "offsets has to be"),
    ("embedding_bag(ints(1, 2), r(3, 4), ints(0), mode='best')", ValueError, "sum, mean or max"),
    ("one_hot(ints(-1))", RuntimeError, "non-negative"),
    ("one_hot(ints(3), 3)", RuntimeError, "smaller than num_classes"),
    ("cross_entropy(r(4, 3), ints(0, 1))", ValueError, "batch_size .4. to match target batch_size"),
    ("cross_entropy(r(2, 3), ints(0, 3))", IndexError, "Target 3 is out of bounds"),
    ("cross_entropy(r(2, 3), ints(0, 2), r(2))", RuntimeError, "all or no classes"),
    ("cross_entropy(r(2, 3), ints(0, 2), reduction='max')", ValueError, "not a valid value"),
    ("cross_entropy(r(2, 3), ints(0, 2), label_smoothing=2.0)", RuntimeError, "label_smoothing"),
    ("binary_cross_entropy(r(3) + 2, r(3))", RuntimeError, "between 0 and 1"),
    ("binary_cross_entropy(r(3), r(2))", ValueError, "different to the input size"),
    ("gaussian_nll_loss(r(3), r(3), -1.0)", ValueError, "var has negative"),
    ("multi_margin_loss(r(2, 3), ints(0, 1), p=3)", ValueError, "p == 1 and p == 2"),
    ("huber_loss(r(3), r(3), delta=0)", RuntimeError, "non-positive values for delta"),
    ("triplet_margin_loss(r(2, 3), r(2, 3), r(2, 3), margin=0)", ValueError, "greater than 0"),
    ("ctc_loss(r(4, 2, 3), ints(1, 2), (4,), (1, 1))", RuntimeError, "size batch_size"),
    ("pad(r(2, 3), (1,))", RuntimeError, "divisible by 2"),
    ("pad(r(2, 3), (3, 0), 'reflect')", RuntimeError, "less than the corresponding"),
    ("pad(r(1, 2, 3), (4, 0), 'circular')", RuntimeError, "wrapping around more than once"),
    ("pad(r(2, 3), (1, 1), 'mirror')", NotImplementedError, "Unrecognised padding mode"),
    ("interpolate(r(1, 1, 4))", ValueError, "only one of size or scale_factor"),
    ("interpolate(r(1, 1, 4), 2, mode='bilinear')", NotImplementedError, "bilinear mode"),
    ("interpolate(r(1, 1, 4), 2, align_corners=True)", ValueError, "align_corners option"),
    ("interpolate(r(1, 1, 4), 2, mode='cubic')", NotImplementedError, "mode must be one of"),
    ("fold(r(1, 4, 5), (3, 3), 2)", RuntimeError, "expected input of"),
    ("unfold(r(2, 3), 2)", RuntimeError, "Expected 3D or 4D"),
    ("pixel_shuffle(r(1, 3, 2, 2), 2)", RuntimeError, "divisible by the square"),
    ("channel_shuffle(r(1, 3, 2), 2)", RuntimeError, "divisible by groups"),
    ("grid_sample(r(1, 1, 3, 3), r(1, 2, 2, 3))", RuntimeError, "size 2 in the last dimension"),
    ("grid_sample(r(1, 1, 3, 3), r(1, 2, 2, 2), 'cubic')", ValueError, "expected mode to be"),
    ("affine_grid(r(1, 2, 2), (1, 1, 3, 3))", ValueError, "batch of 2D affine matrices"),
    ("glu(r(2, 3))", RuntimeError, "Halving dimension must be even"),
    ("gelu(r(3), approximate='fast')", RuntimeError, "either none or tanh"),
    ("hardtanh(r(3), 1.0, -1.0)", ValueError, "cannot be greater than max_val"),
    ("softshrink(r(3), -1.0)", RuntimeError, "greater or equal to 0"),
    ("celu(r(3), 0.0)", RuntimeError, "alpha cannot be 0"),
    ("prelu(r(2, 3), r(2))", RuntimeError, "Mismatch of parameter numbers"),
    ("softmax(r(2, 3), 2)", IndexError, "Dimension out of range"),
    ("relu(r(3) > 0)", NotImplementedError, "not implemented for 'bool'"),
    ("softmax(ints(1, 2), 0)", NotImplementedError, "not implemented for 'int64'"),
    ("scaled_dot_product_attention(r(2, 3), r(2, 3), r(2, 3), r(2, 2), is_causal=True)",
     RuntimeError, "attn_mask should not be set"),
    ("pdist(r(2, 3, 4))", RuntimeError, "only supports 2D"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), MISTAKES)
def test_mistakes_are_named(call: str, error: type[Exception], words: str) -> None:
    name = call.partition("(")[0]
    names = {name: getattr(F, name), "r": dc.rand, "ints": ints}
    with pytest.raises(error, match=words):
        eval(call, names)
