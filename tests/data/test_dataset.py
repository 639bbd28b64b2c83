"""Datasets and datasets made of datasets."""

import pickle

import pytest

import dispatch_core as dc
from dispatch_core.utils.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    PackedList,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Numbers(IterableDataset):
    def __init__(self, count):
        self.count = count

    def __iter__(self):
        return iter(range(self.count))

    def __len__(self):
        return self.count


class Letters(Dataset):
    """Counts how it is asked."""

    def __init__(self, letters):
        self.letters = letters
        self.batches = 0

    def __getitem__(self, index):
        return self.letters[index]

    def __getitems__(self, indices):
        self.batches += 1
        return [self.letters[index] for index in indices]

    def __len__(self):
        return len(self.letters)


def rows():
    return TensorDataset(dc.arange(6), dc.arange(12).reshape(6, 2))


def test_rows_of_tensors():
    data = rows()
    first, second = data[2]
    assert (first.item(), second.tolist(), len(data)) == (2, [4, 5], 6)
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        TensorDataset(dc.ones(2), dc.ones(3))


def test_a_dataset_says_what_to_implement():
    with pytest.raises(NotImplementedError, match="should implement __getitem__"):
        Dataset()[0]


def test_subset():
    data = Letters("abcdef")
    part = Subset(data, [3, 1, 5])
    assert [part[i] for i in range(3)] == ["d", "b", "f"]
    assert part.__getitems__([0, 2]) == ["d", "f"]
    assert (len(part), data.batches) == (3, 1)
    assert Subset(range(9), [7, 8]).__getitems__([1]) == [8]


def test_a_subset_must_override_both_or_none():
    class Own(Subset):
        def __getitem__(self, idx):
            return 1

    with pytest.raises(NotImplementedError, match="overrides __getitem__ but not __getitems__"):
        Own(range(3), [0])


def test_concatenation():
    data = ConcatDataset([range(4), range(10, 13)])
    assert [data[i] for i in range(7)] == [0, 1, 2, 3, 10, 11, 12]
    assert (data[-1], data[-7], len(data), data.cumulative_sizes) == (12, 0, 7, [4, 7])
    with pytest.raises(ValueError, match="absolute value of index"):
        data[-8]
    with pytest.raises(IndexError):
        data[7]
    assert len(rows() + rows()) == 12


def test_what_cannot_be_concatenated():
    with pytest.raises(AssertionError, match="should not be an empty iterable"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        ConcatDataset([Numbers(3)])


def test_streams_in_a_chain():
    assert list(Numbers(2) + Numbers(3)) == [0, 1, 0, 1, 2]
    assert len(ChainDataset([Numbers(2), Numbers(3)])) == 5
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(ChainDataset([[1]]))


def test_stacks():
    letters = Letters("abcd")
    assert StackDataset(range(4), letters)[1] == (1, "b")
    named = StackDataset(number=range(4), letter=letters)
    assert named[2] == {"number": 2, "letter": "c"}
    assert named.__getitems__([0, 3]) == [
        {"number": 0, "letter": "a"},
        {"number": 3, "letter": "d"},
    ]
    assert (len(named), letters.batches) == (4, 1)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "At least one dataset"),
        ((range(2),), {"a": range(2)}, "both types are given"),
        ((range(2), range(3)), {}, "Size mismatch between datasets"),
    ],
)
def test_stacks_that_cannot_be(args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        StackDataset(*args, **kwargs)


def test_a_nested_dataset_must_return_the_whole_batch():
    class Short(Letters):
        def __getitems__(self, indices):
            return ["a"]

    with pytest.raises(ValueError, match="Expected 2, got 1"):
        StackDataset(Short("ab")).__getitems__([0, 1])


@pytest.mark.parametrize(
    ("lengths", "counts"),
    [([4, 6], [4, 6]), ([0.5, 0.5], [5, 5]), ([0.33, 0.33, 0.34], [4, 3, 3]), ([1.0], [10])],
)
def test_random_split(lengths, counts):
    parts = random_split(range(10), lengths, generator=dc.Generator().manual_seed(1))
    assert [len(part) for part in parts] == counts
    assert sorted(i for part in parts for i in part.indices) == list(range(10))
    again = random_split(range(10), lengths, generator=dc.Generator().manual_seed(1))
    assert [part.indices for part in again] == [part.indices for part in parts]


def test_splits_that_cannot_be():
    with pytest.raises(ValueError, match="Sum of input lengths does not equal"):
        random_split(range(10), [3, 3])
    with pytest.raises(ValueError, match="Fraction at index 0 is not between 0 and 1"):
        random_split(range(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        random_split(range(1), [0.5, 0.5])


def test_packed_lists():
    items = [("a.png", 3), None, {"x": [1, 2]}, "text"] * 3
    packed = PackedList(iter(items))
    assert list(packed) == items
    assert (len(packed), packed[-1], packed[1:3]) == (12, "text", items[1:3])
    assert list(pickle.loads(pickle.dumps(packed))) == items
    assert packed.index("text") == 3
    assert packed[0] is not packed[0]
    assert repr(packed).startswith("<PackedList of 12 items in ")
    assert list(PackedList([])) == []
    for index in (12, -13):
        with pytest.raises(IndexError):
            packed[index]
