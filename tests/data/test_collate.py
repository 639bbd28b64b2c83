"""How samples become batches."""

from collections import OrderedDict, UserDict, UserList, namedtuple
from collections.abc import Mapping

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.utils.data import default_collate, default_convert
from dispatch_core.utils.data._utils.collate import collate, default_collate_fn_map

Pair = namedtuple("Pair", ["x", "y"])


class Fixed(Mapping):
    def __init__(self, entries):
        self.entries = dict(entries)

    def __getitem__(self, key):
        return self.entries[key]

    def __iter__(self):
        return iter(self.entries)

    def __len__(self):
        return len(self.entries)


class Tagged(UserDict):
    """A mapping that cannot be made from its entries alone."""

    def __init__(self, entries, tag):
        super().__init__(entries)
        self.tag = tag

    def __copy__(self):
        return Tagged(self.data, self.tag)


@pytest.mark.parametrize(
    ("batch", "dtype", "values"),
    [
        ([1, 2], "int64", [1, 2]),
        ([1.0, 2], "float64", [1.0, 2.0]),
        ([True, False], "bool", [True, False]),
        ([np.float32(1), np.float32(2)], "float32", [1.0, 2.0]),
        ([np.float64(1), np.float64(2)], "float64", [1.0, 2.0]),
        ([np.bool_(True)], "bool", [True]),
        ([np.arange(2), np.arange(2)], "int64", [[0, 1], [0, 1]]),
        ([np.array(1.5), np.array(2.5)], "float64", [1.5, 2.5]),
        ([np.zeros(1, np.float16)], "float16", [[0.0]]),
    ],
)
def test_numbers_and_arrays(batch, dtype, values):
    result = default_collate(batch)
    assert (result.dtype, result.tolist()) == (getattr(dc, dtype), values)


def test_tensors_are_stacked():
    result = default_collate([dc.ones(2), dc.zeros(2)])
    assert result.tolist() == [[1.0, 1.0], [0.0, 0.0]]
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([dc.ones(2), dc.zeros(3)])


def test_texts_stay():
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([b"a", b"b"]) == [b"a", b"b"]


def test_containers_keep_their_type():
    result = default_collate([{"a": 1, "b": (2.0, "x")}, {"a": 3, "b": (4.0, "y")}])
    assert result["a"].tolist() == [1, 3]
    assert isinstance(result["b"], list)
    assert result["b"][0].tolist() == [2.0, 4.0]
    assert result["b"][1] == ("x", "y")
    assert type(default_collate([OrderedDict(a=1)])) is OrderedDict
    assert type(default_collate([UserList([1, 2])])) is UserList
    assert type(default_collate([Fixed({"a": 1})])) is Fixed
    pair = default_collate([Pair(1, 2), Pair(3, 4)])
    assert isinstance(pair, Pair)
    assert pair.y.tolist() == [2, 4]
    assert isinstance(default_collate([(1, 2), (3, 4)]), list)
    assert isinstance(default_collate([range(2), range(2)]), list)


def test_extended_containers_keep_their_attributes():
    samples = [Tagged({"a": 1}, "t"), Tagged({"a": 2}, "u")]
    result = default_collate(samples)
    assert (result.tag, result["a"].tolist()) == ("t", [1, 2])
    assert samples[0]["a"] == 1


@pytest.mark.parametrize(
    "batch", [[None], [object()], [{1}], [1j], [np.array("a")], [np.array([None])]]
)
def test_what_makes_no_batch(batch):
    message = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists"
    with pytest.raises(TypeError, match=message):
        default_collate(batch)


def test_sequences_of_unequal_lengths():
    with pytest.raises(RuntimeError, match="each element in list of batch should be of equal size"):
        default_collate([[1, 2], [1]])


def test_missing_keys():
    with pytest.raises(KeyError):
        default_collate([{"a": 1}, {"b": 1}])


def test_other_functions_for_other_types():
    class Image:
        def __init__(self, size):
            self.size = size

    def sizes(batch, *, collate_fn_map=None):
        return [image.size for image in batch]

    functions = {**default_collate_fn_map, Image: sizes}
    samples = [{"image": Image(1), "label": 0}, {"image": Image(2), "label": 1}]
    result = collate(samples, collate_fn_map=functions)
    assert result["image"] == [1, 2]
    assert result["label"].tolist() == [0, 1]


def test_conversion_without_batches():
    result = default_convert({"a": np.zeros(2), "b": [np.float32(1), "x"], "c": (1, np.ones(1))})
    assert result["a"].tolist() == [0.0, 0.0]
    assert result["b"][0].dtype == dc.float32
    assert result["b"][1] == "x"
    assert result["c"][0] == 1
    assert isinstance(result["c"][1], dc.Tensor)
    pair = default_convert(Pair(np.zeros(1), 3))
    assert isinstance(pair, Pair)
    assert isinstance(pair.x, dc.Tensor)
    for same in (dc.ones(1), "text", b"text", 3, None, np.array(["a"])):
        assert default_convert(same) is same
