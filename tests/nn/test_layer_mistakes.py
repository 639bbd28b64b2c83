"""What layers refuse, with the class of error that PyTorch raises; and what they warn of."""

from __future__ import annotations

from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core import nn


def zeros(*shape: int) -> Any:
    return dc.zeros(shape)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Bilinear(0, 1, 1), ValueError, "in1_features must be > 0"),
        (lambda: nn.Conv2d(3, 4, 3, padding="x"), ValueError, "Invalid padding string 'x'"),
        (lambda: nn.Conv2d(3, 4, 3, 2, "same"), ValueError, "strided convolutions"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "in_channels must be divisible"),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "out_channels must be divisible"),
        (lambda: nn.Conv2d(4, 3, 3, groups=0), ValueError, "groups must be a positive"),
        (lambda: nn.Conv2d(4, 3, 3, padding_mode="x"), ValueError, "padding_mode must be one of"),
        (
            lambda: nn.ConvTranspose1d(4, 3, 3, padding_mode="reflect"),
            ValueError,
            'Only "zeros" padding mode',
        ),
        (lambda: nn.GroupNorm(2, 3), ValueError, "must be divisible by num_groups"),
        (lambda: nn.Dropout(1.5), ValueError, "between 0 and 1, but got 1.5"),
        (lambda: nn.Embedding(3, 4, padding_idx=5), AssertionError, "within num_embeddings"),
        (lambda: nn.Embedding(3, 4, _weight=zeros(2, 2)), AssertionError, "Shape of weight"),
        (lambda: nn.Embedding.from_pretrained(zeros(3)), AssertionError, "2-dimensional"),
        (lambda: nn.Hardtanh(2, 1), AssertionError, "max_val"),
        (lambda: nn.MultiMarginLoss(p=3), ValueError, "only p == 1 and p == 2"),
        (lambda: nn.MultiMarginLoss(weight=zeros(2, 2)), ValueError, "got 2D instead"),
        (lambda: nn.TripletMarginLoss(margin=-1), ValueError, "got -1 instead"),
        (lambda: nn.RNN(2, 3, nonlinearity="x"), ValueError, "Unknown nonlinearity 'x'"),
        (lambda: nn.RNN(2, 3, dropout=5), ValueError, "range \\[0, 1\\]"),
        (lambda: nn.GRU(0, 3), ValueError, "input_size must be greater than zero"),
        (lambda: nn.RNN(2.5, 3), TypeError, "input_size should be of type int, got: float"),
        (lambda: nn.Linear(2.5, 3), TypeError, "must be tuple of ints only, not float"),
        (lambda: nn.Embedding(3, 2.5), TypeError, "ints only, not float at pos 1"),
        (lambda: nn.Conv2d(3, 4, 2.5), TypeError, "ints only, not float at pos 2"),
        (lambda: nn.ConvTranspose1d(1, 1, 3, padding="same"), TypeError, "not 'same'"),
        (lambda: nn.MultiMarginLoss(weight="x"), TypeError, "cannot assign 'str'"),
        (lambda: nn.LSTM(2, 0), ValueError, "hidden_size must be greater than zero"),
        (lambda: nn.LSTM(2, 3.0), TypeError, "should be of type int, got: float"),
        (lambda: nn.LSTM(2, 3, 0), ValueError, "num_layers must be greater than zero"),
        (lambda: nn.LSTM(2, 3, proj_size=4), ValueError, "smaller than hidden_size"),
        (lambda: nn.LSTM(2, 3, proj_size=-1), ValueError, "positive integer or zero"),
        (lambda: nn.Unflatten(1, 3), TypeError, "must be a tuple of ints, but found type int"),
        (lambda: nn.Unflatten(1, (2, 3.0)), TypeError, "element of type float at pos 1"),
    ],
)
def test_construction(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.BatchNorm1d(3)(zeros(2, 3, 4, 5)), ValueError, "got 4D input"),
        (lambda: nn.BatchNorm2d(3)(zeros(2, 3)), ValueError, "expected 4D input"),
        (lambda: nn.BatchNorm3d(3)(zeros(2, 3)), ValueError, "expected 5D input"),
        (lambda: nn.InstanceNorm1d(3)(zeros(3)), ValueError, "2D or 3D input"),
        (
            lambda: nn.InstanceNorm2d(3, affine=True)(zeros(2, 4, 4, 4)),
            ValueError,
            "to match num_features",
        ),
        (lambda: nn.Softmax2d()(zeros(2)), ValueError, "got 1D instead"),
        (lambda: nn.CircularPad1d(1)(zeros(2)), ValueError, "2D or 3D input"),
        (
            lambda: nn.ConvTranspose1d(1, 1, 3, stride=2)(zeros(1, 1, 4), (99,)),
            ValueError,
            "valid sizes range from",
        ),
        (
            lambda: nn.ConvTranspose1d(1, 1, 3)(zeros(1, 1, 4), (1, 2)),
            ValueError,
            "output_size must have",
        ),
        (lambda: nn.LSTM(2, 3)(zeros(2)), ValueError, "Expected input to be 2D or 3D, got 1D"),
        (lambda: nn.LSTM(2, 3)(zeros(2, 3, 4)), RuntimeError, "Expected 2, got 4"),
        (lambda: nn.LSTM(2, 3)(zeros(2, 3, 2).double()), ValueError, "does not match weight dtype"),
        (
            lambda: nn.LSTM(2, 3)(zeros(2, 3, 2), (zeros(1, 3), zeros(1, 3))),
            RuntimeError,
            r"hx and cx should also be 3-D but got \(2-D, 2-D\) tensors",
        ),
        (
            lambda: nn.LSTM(2, 3)(zeros(2, 3, 2), (zeros(1, 3, 3), zeros(1, 3, 4))),
            RuntimeError,
            r"Expected hidden\[1\] size \(1, 3, 3\), got \[1, 3, 4\]",
        ),
        (
            lambda: nn.GRU(2, 3)(zeros(2, 2), zeros(1, 1, 3)),
            RuntimeError,
            "unbatched 2-D input, hx should also be 2-D but got 3-D tensor",
        ),
        (
            lambda: nn.GRU(2, 3)(zeros(2, 3, 2), zeros(2, 3, 3)),
            RuntimeError,
            r"Expected hidden size \(1, 3, 3\), got \[2, 3, 3\]",
        ),
        (lambda: nn.RNNCell(2, 3)(zeros(2, 3)), RuntimeError, "got 3 expected 2"),
        (lambda: nn.RNNCell(2, 3)(zeros(2, 3, 4)), ValueError, "1D or 2D, got 3D"),
        (lambda: nn.GRUCell(2, 3)(zeros(2, 2), zeros(3, 3)), RuntimeError, "hidden0 batch size 3"),
        (lambda: nn.GRUCell(2, 3)(zeros(2, 2), zeros(2, 4)), RuntimeError, "hidden_size"),
        (lambda: nn.LSTMCell(2, 3)(zeros(2, 2), zeros(2, 3)), TypeError, "hx"),
        (lambda: nn.GRUCell(2, 3)(zeros(1, 2), zeros(3)), RuntimeError, "as many dimensions"),
        (
            lambda: nn.GRU(2, 3)(zeros(2, 3, 2), zeros(1, 3, 3).double()),
            RuntimeError,
            "must have the same dtype, but got dc.float64 and dc.float32",
        ),
        (lambda: nn.MaxPool2d(2.5)(zeros(1, 4, 4)), TypeError, "'kernel_size' must be tuple of"),
        (lambda: nn.ZeroPad2d(2.5)(zeros(1, 4, 4)), TypeError, "'pad' must be tuple of ints"),
        (lambda: nn.ZeroPad2d("four")(zeros(1, 4, 4)), TypeError, "not str at pos 0"),
        (lambda: nn.ReflectionPad1d(-3)(zeros(1, 4)), RuntimeError, "resulting in an empty"),
        (
            lambda: nn.functional.conv2d(zeros(1, 4, 4), zeros(1, 1, 0, 1)),
            RuntimeError,
            "kernel size should be greater",
        ),
        (
            lambda: nn.ConvTranspose1d(1, 1, 2, output_padding=-1)(zeros(1, 4)),
            RuntimeError,
            "negative output_padding",
        ),
        (lambda: nn.AvgPool2d(2, divisor_override=2.5)(zeros(1, 4, 4)), TypeError, "must be int"),
        (lambda: nn.FractionalMaxPool2d(0, 2)(zeros(1, 4, 4)), ValueError, "greater than 0"),
        (lambda: nn.LocalResponseNorm(0)(zeros(1, 2, 3)), RuntimeError, "greater than zero"),
        (lambda: nn.BatchNorm1d(3, eps=0.0)(zeros(2, 3)), ValueError, "positive during training"),
        (
            lambda: nn.BatchNorm1d(3, eps=-1.0).eval()(zeros(2, 3)),
            ValueError,
            "eps must be non-negative, but got -1.0",
        ),
        (lambda: nn.PixelShuffle(2.5)(zeros(4, 2, 2)), TypeError, "'upscale_factor' must be int"),
        (lambda: nn.ChannelShuffle(2.5)(zeros(1, 4, 2)), TypeError, "'groups' must be int"),
        (lambda: nn.CosineSimilarity(eps=-1.0)(zeros(2, 3), zeros(2, 3)), RuntimeError, "eps must"),
        (lambda: nn.MSELoss(reduction=None)(zeros(2), zeros(2)), ValueError, "None is not a valid"),
        (
            lambda: nn.NLLLoss(ignore_index=2.5)(zeros(1, 3), dc.tensor([1])),
            TypeError,
            "'ignore_index' must be int, not float",
        ),
        (
            lambda: nn.NLLLoss(dc.tensor([1, 2, 3]))(zeros(1, 3), dc.tensor([1])),
            RuntimeError,
            "expected all operands to have the same dtype",
        ),
        (
            lambda: nn.CrossEntropyLoss()(zeros(2, 3), dc.tensor(1)),
            ValueError,
            r"Expected input batch_size \(2\) to match target batch_size \(0\)",
        ),
        (
            lambda: nn.CrossEntropyLoss()(zeros(1, 3), dc.tensor([1j])),
            RuntimeError,
            "expected scalar type Long but found dc.complex64",
        ),
        (lambda: nn.KLDivLoss()(zeros(2), dc.tensor([1, 2])), RuntimeError, "floating target"),
        (lambda: nn.Sigmoid()(None), TypeError, "must be Tensor, not NoneType"),
        (
            lambda: nn.MultiheadAttention(4, 2, kdim=3)(zeros(2, 4), zeros(2, 5), zeros(2, 4)),
            AssertionError,
            r"expecting key weights shape of \(4, 5\), but got \(4, 3\)",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(*[zeros(2, 4)] * 3, attn_mask=3),
            TypeError,
            "attn_mask must be Tensor, not int",
        ),
        (
            lambda: nn.RNNCell(2, 3, nonlinearity="x")(zeros(2, 2)),
            RuntimeError,
            "Unknown nonlinearity: x",
        ),
    ],
)
def test_call(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("action", "category", "message"),
    [
        (lambda: nn.LSTM(2, 3, dropout=0.5), UserWarning, "num_layers greater than 1"),
        (lambda: nn.MSELoss(size_average=False), UserWarning, "reduction='sum'"),
        (lambda: nn.MSELoss(reduce=False), UserWarning, "reduction='none'"),
        (lambda: nn.Hardtanh(min_value=-2.0), FutureWarning, "min_val"),
        (lambda: nn.Linear(0, 2), UserWarning, "no-op"),
        (lambda: nn.InstanceNorm1d(3)(zeros(2, 4, 5)), UserWarning, "does not match num_features"),
    ],
)
def test_warnings(action: Any, category: type[Warning], message: str) -> None:
    with pytest.warns(category, match=message):
        action()


def test_running_statistics_move_in_training_only() -> None:
    norm = nn.BatchNorm1d(2, momentum=0.5)
    x = dc.tensor([[1.0, 2.0], [3.0, 6.0]])
    norm(x)
    assert norm.running_mean.tolist() == [1.0, 2.0]
    assert norm.running_var.tolist() == [1.5, 4.5]
    assert norm.num_batches_tracked.item() == 1
    norm.eval()(x)
    assert norm.running_mean.tolist() == [1.0, 2.0]
    norm.reset_running_stats()
    assert norm.running_mean.tolist() == [0.0, 0.0]
    average = nn.BatchNorm1d(2, momentum=None)
    average(x)
    average(x * 3)
    assert average.running_mean.tolist() == pytest.approx([4.0, 8.0])


def test_padding_index_starts_at_zero_and_gets_no_gradient() -> None:
    layer = nn.Embedding(4, 2, padding_idx=1)
    assert layer.weight[1].tolist() == [0.0, 0.0]
    layer(dc.tensor([1, 2, 2])).sum().backward()
    assert layer.weight.grad.tolist() == [[0, 0], [0, 0], [2, 2], [0, 0]]
    assert not nn.Embedding.from_pretrained(zeros(3, 2)).weight.requires_grad
    assert nn.Embedding.from_pretrained(zeros(3, 2), freeze=False).weight.requires_grad


def test_dropout_drops_in_training_only() -> None:
    dc.manual_seed(0)
    x = dc.ones(1000)
    dropout = nn.Dropout(0.25)
    y = dropout(x)
    assert 650 < (y != 0).sum().item() < 850
    assert y.max().item() == pytest.approx(1 / 0.75)
    assert (dropout.eval()(x) == x).all()


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), (0, 3, 4), (0, 3, 4)),
        (nn.LSTM(3, 4, batch_first=True), (0, 5, 3), (0, 5, 4)),
        (nn.GroupNorm(2, 6), (2, 6, 0), (2, 6, 0)),
        (nn.InstanceNorm1d(3), (3, 0), (3, 0)),
        (lambda x: nn.functional.linear(x, zeros(2, 0), zeros(2)), (2, 3, 0), (2, 3, 2)),
        (nn.CircularPad1d(-2), (1, 4), (1, 0)),
    ],
)
def test_nothing_is_no_mistake(layer: Any, shape: Any, expected: Any) -> None:
    with dc.no_grad():
        found = layer(zeros(*shape))
    out = found[0] if isinstance(found, tuple) else found
    assert tuple(out.shape) == expected
    assert dc.isfinite(out).all()


def test_attention_over_no_examples_has_gradients() -> None:
    layer = nn.MultiheadAttention(4, 2, batch_first=True)
    out, weights = layer(*[zeros(0, 3, 4)] * 3, need_weights=False)
    assert (tuple(out.shape), weights) == ((0, 3, 4), None)
    out.sum().backward()
    assert layer.in_proj_weight.grad.abs().sum() == 0


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss()])
def test_losses_promote(loss: Any) -> None:
    target = dc.tensor([0.5, 2.5])
    assert loss(dc.tensor([1, 2]), target) == loss(dc.tensor([1.0, 2.0]), target)
    assert loss(dc.ones(2), dc.ones(2).double()).dtype is dc.float64
    with pytest.raises(NotImplementedError, match="not implemented for 'int64'"):
        loss(dc.tensor([1, 2]), dc.tensor([1, 2]))
