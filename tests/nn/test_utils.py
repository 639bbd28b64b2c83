"""nn.utils: limits on gradients, parameters as a vector, sequences of different lengths."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.nn import utils
from dispatch_core.nn.utils import rnn


def parameter_with_grad(values: list[float]) -> Any:
    parameter = nn.Parameter(dc.zeros(len(values)))
    parameter.grad = dc.tensor(values)
    return parameter


# Gradients


def test_clip_grad_norm() -> None:
    parameters = [parameter_with_grad([3.0, 0.0]), parameter_with_grad([4.0]), nn.Parameter()]
    assert utils.clip_grad_norm_(parameters, 10.0).item() == 5.0
    assert parameters[0].grad.tolist() == [3.0, 0.0]
    assert utils.clip_grad_norm_(parameters, 1.0).item() == 5.0
    assert parameters[0].grad.tolist() == pytest.approx([0.6, 0.0], rel=1e-5)
    assert parameters[1].grad.tolist() == pytest.approx([0.8], rel=1e-5)
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    assert utils.clip_grad_norm_(parameters[1], 1.0, norm_type=math.inf).item() < 1


def test_total_norm() -> None:
    tensors = [dc.tensor([3.0, -1.0]), dc.tensor([-4.0])]
    assert utils.get_total_norm(tensors, 1).item() == 8.0
    assert utils.get_total_norm(tensors, math.inf).item() == 4.0
    assert utils.get_total_norm([]).item() == 0.0
    with pytest.raises(RuntimeError, match="non-finite"):
        utils.get_total_norm([dc.tensor([math.nan])], error_if_nonfinite=True)


def test_clip_grad_value() -> None:
    parameter = parameter_with_grad([3.0, -0.2, -9.0])
    utils.clip_grad_value_([parameter], 0.5)
    assert parameter.grad.tolist() == pytest.approx([0.5, -0.2, -0.5])


def test_parameters_as_a_vector() -> None:
    layer = nn.Linear(2, 3)
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (9,)
    utils.vector_to_parameters(dc.arange(9.0), layer.parameters())
    assert layer.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert layer.bias.tolist() == [6, 7, 8]
    assert layer.weight.requires_grad
    with pytest.raises(TypeError, match="but got: int"):
        utils.vector_to_parameters(3, layer.parameters())


# Sequences


def sequences() -> list[Any]:
    return [dc.tensor([1.0, 2.0]), dc.tensor([3.0, 4.0, 5.0]), dc.tensor([6.0])]


def test_pad_and_unpad() -> None:
    padded = rnn.pad_sequence(sequences(), batch_first=True, padding_value=-1.0)
    assert padded.tolist() == [[1, 2, -1], [3, 4, 5], [6, -1, -1]]
    assert rnn.pad_sequence(sequences(), padding_side="left").t().tolist()[2] == [0, 0, 6]
    parts = rnn.unpad_sequence(padded, dc.tensor([2, 3, 1]), batch_first=True)
    assert [part.tolist() for part in parts] == [[1, 2], [3, 4, 5], [6]]
    for wrong in ([], 3):
        with pytest.raises(RuntimeError):
            rnn.pad_sequence(wrong)
    with pytest.raises(RuntimeError, match="left or right"):
        rnn.pad_sequence(sequences(), padding_side="up")


def test_pack_and_unpack() -> None:
    packed = rnn.pack_sequence(sequences(), enforce_sorted=False)
    assert packed.data.tolist() == [3, 1, 6, 4, 2, 5]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices.tolist() == [1, 0, 2]
    assert packed.unsorted_indices.tolist() == [1, 0, 2]
    assert [s.tolist() for s in rnn.unpack_sequence(packed)] == [[1, 2], [3, 4, 5], [6]]
    padded, lengths = rnn.pad_packed_sequence(packed, True, 9.0, total_length=4)
    assert padded.tolist() == [[1, 2, 9, 9], [3, 4, 5, 9], [6, 9, 9, 9]]
    assert lengths.tolist() == [2, 3, 1]
    assert lengths.dtype == dc.int64
    again = pickle.loads(pickle.dumps(packed))
    assert again.data.tolist() == packed.data.tolist()
    assert isinstance(again, rnn.PackedSequence)


def test_packing_is_differentiable() -> None:
    padded = dc.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    packed = rnn.pack_padded_sequence(padded, [3, 2])
    back, _ = rnn.pad_packed_sequence(packed)
    (back * dc.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).sum().backward()
    assert padded.grad.tolist() == [[1, 2], [3, 4], [5, 0]]


def test_packed_sequence_conversions() -> None:
    packed = rnn.pack_sequence(sequences(), enforce_sorted=False)
    assert packed.to("cpu") is packed
    assert packed.cpu() is packed
    assert packed.float() is packed
    assert not packed.is_cuda
    for name, dtype in (("double", dc.float64), ("half", dc.float16), ("long", dc.int64)):
        assert getattr(packed, name)().data.dtype == dtype
    assert packed.int().data.dtype == dc.int32
    assert packed.short().data.dtype == dc.int16
    assert packed.char().data.dtype == dc.int8
    assert packed.byte().data.dtype == dc.uint8


@pytest.mark.parametrize(
    ("lengths", "message"),
    [([1, 2], "sorted in decreasing order"), ([3], "batch_size"), ([3, 0], "greater than 0")],
)
def test_lengths_that_do_not_fit(lengths: list[int], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        rnn.pack_padded_sequence(dc.zeros(3, 2), lengths)


def test_packed_mistakes() -> None:
    packed = rnn.pack_sequence(sequences(), enforce_sorted=False)
    with pytest.raises(ValueError, match="total_length=2"):
        rnn.pad_packed_sequence(packed, total_length=2)
    with pytest.raises(AssertionError, match="length 2"):
        rnn.PackedSequence(dc.ones(3))
    assert rnn.invert_permutation(None) is None
