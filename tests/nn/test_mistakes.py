"""What functions of `nn.functional`, `func` and the loader refuse, with the class that PyTorch raises."""

from __future__ import annotations

import math
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.func import functional_call, grad, jacrev
from dispatch_core.nn import functional as F
from dispatch_core.utils.data import DataLoader


def ints(*values: Any) -> Any:
    return dc.tensor(values, dtype=dc.int64)


def ctc(input_lengths: Any = (4,), target_lengths: Any = (2,)) -> Any:
    return F.ctc_loss(dc.zeros(4, 1, 3), ints([1, 2]), input_lengths, target_lengths)


def bag(index: Any, offsets: Any, mode: str = "mean") -> Any:
    return F.embedding_bag(ints(*index), dc.ones(3, 2), ints(*offsets), mode=mode)


def entropy(p: float, target: Any) -> Any:
    return F.binary_cross_entropy(dc.tensor([p]), dc.tensor([target]))


MISTAKES = {
    # Targets
    "binary_cross_entropy of 2": (lambda: entropy(0.5, 2.0), RuntimeError, "elements of target"),
    "binary_cross_entropy of -0.1": (lambda: entropy(0.5, -0.1), RuntimeError, "of target"),
    "binary_cross_entropy of NaN": (lambda: entropy(0.5, math.nan), RuntimeError, "of target"),
    "binary_cross_entropy at 1.5": (lambda: entropy(1.5, 1.0), RuntimeError, "elements of input"),
    "binary_cross_entropy of an int": (
        lambda: entropy(0.5, 1),
        RuntimeError,
        "float32, but got int64",
    ),
    "binary_cross_entropy of a bool": (lambda: entropy(0.5, True), RuntimeError, "but got bool"),
    "binary_cross_entropy of a double": (
        lambda: F.binary_cross_entropy(dc.ones(1), dc.ones(1).double()),
        RuntimeError,
        "but got float64",
    ),
    "binary_cross_entropy_with_logits of ints": (
        lambda: F.binary_cross_entropy_with_logits(dc.ones(1), ints(1)),
        RuntimeError,
        "floating target",
    ),
    "nll_loss beyond": (lambda: F.nll_loss(dc.ones(2, 3), ints(1, 9)), IndexError, "Target 9"),
    "nll_loss before": (lambda: F.nll_loss(dc.ones(2, 3), ints(1, -1)), IndexError, "Target -1"),
    "cross_entropy of two classes unbatched": (
        lambda: F.cross_entropy(dc.ones(3), ints(1, 2)),
        ValueError,
        "must have size 1",
    ),
    "multilabel_margin_loss beyond": (
        lambda: F.multilabel_margin_loss(dc.ones(2, 3), ints([0, -1, 5], [1, 2, -1])),
        RuntimeError,
        "out of range.*got 5",
    ),
    "multilabel_margin_loss before": (
        lambda: F.multilabel_margin_loss(dc.ones(3), ints(0, -2, 1)),
        RuntimeError,
        "out of range.*got -2",
    ),
    "ctc_loss of a negative length": (lambda: ctc((-1,)), RuntimeError, "at least 0"),
    "ctc_loss of a negative target": (lambda: ctc((4,), (-1,)), RuntimeError, "at least 0"),
    "ctc_loss of floating lengths": (
        lambda: ctc(dc.tensor([4.0])),
        RuntimeError,
        "input_lengths must be integral",
    ),
    # Tables
    "embedding_bag of -1": (lambda: bag([0, -1], [0]), RuntimeError, r"in the range \[0, 3\)"),
    "embedding_bag of 3": (lambda: bag([0, 3], [0], "max"), RuntimeError, "in the range"),
    "embedding_bag from -1": (lambda: bag([0, 1], [0, -1]), IndexError, "index out of range"),
    "embedding_bag from 5": (
        lambda: bag([0, 1], [0, 5]),
        RuntimeError,
        "greater than input's length",
    ),
    "embedding_bag from 1": (lambda: bag([0, 1], [1, 2]), RuntimeError, "has to be 0"),
    "embedding of a vector": (
        lambda: F.embedding(ints(1), dc.ones(3)),
        RuntimeError,
        "must be 2-D",
    ),
    "embedding padded beyond": (
        lambda: F.embedding(ints(1), dc.ones(3, 2), padding_idx=7),
        AssertionError,
        "within num_embeddings",
    ),
    # Sizes
    "linear of a number": (lambda: nn.Linear(2, 2)(dc.ones(())), RuntimeError, "linear"),
    "linear by a number": (lambda: F.linear(dc.ones(2), dc.ones(())), RuntimeError, "linear"),
    "linear by a cube": (lambda: F.linear(dc.ones(3, 2), dc.ones(1, 2, 2)), RuntimeError, "linear"),
    "Linear of 2.5": (lambda: nn.Linear(2.5, 2), TypeError, "float"),  # type: ignore[arg-type]
    "Linear of 'a'": (lambda: nn.Linear("a", 2), TypeError, "str"),  # type: ignore[arg-type]
    "conv2d to nothing": (
        lambda: F.conv2d(dc.ones(1, 2, 5, 5), dc.ones(0, 2, 3, 3)),
        RuntimeError,
        "at least 1 at dimension 0",
    ),
    "batch_norm of a vector": (
        lambda: F.batch_norm(dc.ones(2), dc.zeros(2), dc.ones(2)),
        RuntimeError,
        "at least 2 dimensions",
    ),
    "group_norm of single values": (
        lambda: F.group_norm(dc.ones(1, 4), 4),
        ValueError,
        "more than 1 value per channel",
    ),
    "adaptive_avg_pool2d of nothing": (
        lambda: F.adaptive_avg_pool2d(dc.ones(1, 1, 0, 5), 2),
        RuntimeError,
        "dimension 2 being empty",
    ),
    "adaptive_max_pool2d of nothing": (
        lambda: F.adaptive_max_pool2d(dc.ones(1, 1, 0, 5), 2),
        RuntimeError,
        "non-zero size",
    ),
    "interpolate to nothing": (
        lambda: F.interpolate(dc.ones(1, 1, 2), size=0),
        RuntimeError,
        "should be greater than 0",
    ),
    "interpolate to less": (
        lambda: F.interpolate(dc.ones(1, 1, 2), size=-1),
        RuntimeError,
        "should be greater than 0",
    ),
    "interpolate by a little": (
        lambda: F.interpolate(dc.ones(1, 1, 2), scale_factor=1e-3),
        RuntimeError,
        "should be greater than 0",
    ),
    "interpolate of nothing": (
        lambda: F.interpolate(dc.ones(1, 1, 0), size=2),
        RuntimeError,
        "should be greater than 0",
    ),
    "interpolate without channels": (
        lambda: F.interpolate(dc.ones(1, 0, 2), size=2),
        RuntimeError,
        "Non-empty 3D",
    ),
    "unfold by strides of 0": (
        lambda: F.unfold(dc.ones(1, 1, 4, 4), 2, stride=0),
        RuntimeError,
        "stride should be greater than zero",
    ),
    "unfold into nothing": (
        lambda: F.unfold(dc.ones(1, 1, 4, 4), 0),
        RuntimeError,
        "kernel size should be greater",
    ),
    "unfold by dilations of 0": (
        lambda: F.unfold(dc.ones(1, 1, 4, 4), 2, dilation=0),
        RuntimeError,
        "dilation should be greater",
    ),
    "unfold with padding below 0": (
        lambda: F.unfold(dc.ones(1, 1, 4, 4), 2, padding=-1),
        RuntimeError,
        "padding should be non-negative",
    ),
    "pad away more than there is": (
        lambda: F.pad(dc.ones(2, 3), (-5, 1)),
        RuntimeError,
        "length must be non-negative",
    ),
    "pad nothing by its border": (
        lambda: F.pad(dc.ones(1, 2, 0), (1, 1), "replicate"),
        RuntimeError,
        "non-zero sizes",
    ),
    "pad by reflection with a value": (
        lambda: F.pad(dc.ones(1, 2, 3), (1, 1), "reflect", 1.0),
        RuntimeError,
        "take in value argument",
    ),
    "an LSTM over no steps": (
        lambda: nn.LSTM(2, 3)(dc.ones(0, 1, 2)),
        RuntimeError,
        "larger than 0",
    ),
    "attention of vectors": (
        lambda: F.scaled_dot_product_attention(dc.ones(2), dc.ones(2), dc.ones(2)),
        RuntimeError,
        "at least 2 dimensions",
    ),
    "attention that drops twice": (
        lambda: F.scaled_dot_product_attention(*[dc.ones(2, 2)] * 3, dropout_p=2.0),
        RuntimeError,
        "between 0 and 1",
    ),
    "dropout of NaN": (lambda: F.dropout(dc.ones(2), math.nan), RuntimeError, "between 0 and 1"),
    "dropout of 1.5": (lambda: F.dropout(dc.ones(2), 1.5), ValueError, "between 0 and 1"),
    "affine_grid of another batch": (
        lambda: F.affine_grid(dc.ones(1, 2, 3), (2, 1, 2, 2)),
        RuntimeError,
        "expected 2 matrices",
    ),
    "affine_grid of a line": (
        lambda: F.affine_grid(dc.ones(1, 2, 3), (1, 1, 2)),
        NotImplementedError,
        "4D and 5D",
    ),
    "affine_grid of nothing": (
        lambda: F.affine_grid(dc.ones(1, 2, 3), (1, 1, 0, 2)),
        ValueError,
        "non-zero, positive",
    ),
    "hardtanh of unsigned numbers": (
        lambda: F.hardtanh(dc.tensor([1], dtype=dc.uint8)),
        RuntimeError,
        "unsigned type with negative limits",
    ),
    # Transforms and data
    "grad by a number": (lambda: grad(lambda x: x * x)(3.0), ValueError, "must be tensors"),
    "grad by 'a'": (
        lambda: grad(lambda x: x.sum(), argnums="a")(dc.ones(1)),  # type: ignore[arg-type]
        RuntimeError,
        "argnums must be int",
    ),
    **{
        f"{name} of 1 for all channels": (call, RuntimeError, "should contain 3 elements")
        for name, call in {
            "batch_norm by a mean": lambda: F.batch_norm(dc.ones(2, 3), dc.ones(()), dc.ones(3)),
            "batch_norm by a variance": lambda: F.batch_norm(
                dc.ones(2, 3), dc.ones(3), dc.ones(())
            ),
            "batch_norm with a weight": lambda: F.batch_norm(
                dc.ones(2, 3), dc.ones(3), dc.ones(3), dc.ones(())
            ),
            "instance_norm with a weight": lambda: F.instance_norm(
                dc.ones(2, 3, 4), weight=dc.ones(())
            ),
            "native_batch_norm with a bias": lambda: dc.native_batch_norm(
                dc.ones(2, 3), None, dc.ones(()), None, None, True, 0.1, 1e-5
            ),
        }.items()
    },
    "bilinear with one number": (
        lambda: F.bilinear(dc.ones(2, 2), dc.ones(2, 3), dc.ones(4, 2, 3), dc.ones(())),
        RuntimeError,
        "bias size does not match weight size",
    ),
    "embedding_bag of floats": (
        lambda: F.embedding_bag(dc.ones(2, 3), dc.ones(3, 2)),
        RuntimeError,
        "expected input to be integers, but got a tensor with dtype float32",
    ),
    "embedding_bag with offsets of floats": (
        lambda: F.embedding_bag(ints(0, 1), dc.ones(3, 2), dc.zeros(1)),
        RuntimeError,
        "expected offsets to be integers",
    ),
    "embedding_bag of three dimensions": (
        lambda: F.embedding_bag(ints([0, 1]), dc.ones(3, 2, 2)),
        ValueError,
        "weight has to be a 2D Tensor",
    ),
    "ctc_loss of tables": (
        lambda: ctc(ints([4, 4])),
        RuntimeError,
        "input_lengths must be of size",
    ),
    "ctc_loss of complex lengths": (
        lambda: ctc(target_lengths=dc.tensor([2 + 0j])),
        RuntimeError,
        "target_lengths must be integral",
    ),
    "mse_loss with a weight for all": (
        lambda: F.mse_loss(dc.ones(2, 3), dc.ones(2, 3), weight=dc.ones(3)),
        ValueError,
        "Weights and input must have the same size",
    ),
    "multi_margin_loss of one target": (
        lambda: F.multi_margin_loss(dc.ones(4, 3), dc.tensor(1)),
        RuntimeError,
        "one target for each of 4 samples",
    ),
    **{
        f"{name} of more sizes than dimensions": (
            lambda pool=pool: pool(dc.ones(3, 5, 6), (2, 3, 1)),
            ValueError,
            "Input dimension should be at least 4",
        )
        for name, pool in {
            "adaptive_avg_pool2d": F.adaptive_avg_pool2d,
            "adaptive_max_pool2d": F.adaptive_max_pool2d,
        }.items()
    },
    "max_unpool1d to less than nothing": (
        lambda: F.max_unpool1d(dc.ones(2, 3, 2), dc.zeros(2, 3, 2, dtype=dc.int64), -100),
        ValueError,
        "the sizes before pooling would be",
    ),
    "fractional_max_pool2d by doubles": (
        lambda: F.fractional_max_pool2d(
            dc.ones(1, 1, 4, 4), 2, 2, _random_samples=dc.zeros(1, 1, 2).double()
        ),
        RuntimeError,
        "same dtype, but got",
    ),
    "grid_sampler in mode 100": (
        lambda: dc.grid_sampler(dc.ones(1, 1, 2, 2), dc.ones(1, 1, 1, 2), 100, 0, False),
        RuntimeError,
        "interpolation_mode must be one of 0 bilinear, 1 nearest, 2 bicubic, but got 100",
    ),
    "interpolate of a volume to an image": (
        lambda: F.interpolate(dc.ones(1, 1, 2, 2, 2), (3, 3), mode="bilinear"),
        ValueError,
        "same number of spatial dimensions",
    ),
    "native_group_norm with a number": (
        lambda: dc.native_group_norm(dc.ones(2, 4, 3), dc.ones(()), None, 2, 4, 3, 2, 1e-5),
        RuntimeError,
        "Expected weight to be a vector",
    ),
    "native_group_norm of text channels": (
        lambda: dc.native_group_norm(dc.ones(2, 4, 3), None, None, 2, "text", 3, 2, 1e-5),
        TypeError,
        "argument 'C' .position 5. must be int, not str",
    ),
    "native_layer_norm with a number": (
        lambda: dc.native_layer_norm(dc.ones(2, 4), (4,), None, dc.ones(()), 1e-5),
        RuntimeError,
        "Expected bias to be of same shape",
    ),
    "native_layer_norm over text": (
        lambda: dc.native_layer_norm(dc.ones(2, 4), "text", None, None, 1e-5),
        TypeError,
        "argument 'normalized_shape' must be tuple of ints, not str",
    ),
    "native_layer_norm of None": (
        lambda: dc.native_layer_norm(None, (4,), None, None, 1e-5),
        TypeError,
        "must be Tensor, not NoneType",
    ),
    "native_batch_norm by text": (
        lambda: dc.native_batch_norm(dc.ones(2, 3), None, None, "text", None, True, 0.1, 1e-5),
        TypeError,
        "argument 'running_mean' .position 4. must be Tensor, not str",
    ),
    "grad by none": (
        lambda: grad(lambda x: x.sum(), argnums=())(dc.ones(1)),
        RuntimeError,
        "argnums must be non-empty",
    ),
    "jacrev of integers": (
        lambda: jacrev(lambda x: (x > 0).long())(dc.ones(2)),
        RuntimeError,
        "must be floating-point or complex",
    ),
    "functional_call with a name twice": (
        lambda: functional_call(nn.Linear(1, 1), [{"weight": dc.ones(1, 1)}] * 2, dc.ones(1)),
        ValueError,
        "multiple dictionaries",
    ),
    "a loader with a number for a generator": (
        lambda: DataLoader([1, 2, 3], generator=3, shuffle=True),  # type: ignore[arg-type]
        TypeError,
        "should be a Generator",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_class_and_words_of_a_mistake(name: str) -> None:
    call, kind, words = MISTAKES[name]
    with pytest.raises(kind, match=words) as found:
        call()
    assert found.type is kind


@pytest.mark.parametrize("device", ["example", "minimal"])
@pytest.mark.parametrize(
    "name",
    ["linear of a number", "nll_loss beyond", "embedding_bag of 3", "pad away more than there is"],
)
def test_on_other_devices_too(name: str, device: str) -> None:
    call, kind, _ = MISTAKES[name]
    with dc.device(device), pytest.raises(kind):
        call()
