"""Padding and batches of similar lengths."""

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.utils.data import DataLoader
from dispatch_text import BucketBatchSampler, PadCollator, pad


def test_padding():
    ids, mask = pad([[1, 2, 3], np.array([4]), dc.tensor([5, 6])], padding_value=9)
    assert ids.tolist() == [[1, 2, 3], [4, 9, 9], [5, 6, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
    assert ids.dtype == mask.dtype == dc.int64
    ids, mask = pad([[1], []], padding_side="left", pad_to_multiple_of=2)
    assert (ids.tolist(), mask.tolist()) == ([[0, 1], [0, 0]], [[0, 1], [0, 0]])
    floats, _ = pad([[0.5], [1.0, 2.0]], padding_value=-1.0)
    assert floats.dtype == dc.float32
    assert floats.tolist() == [[0.5, -1.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([], {}, "no rows"),
        ([[1], [[2]]], {}, "row 1 must be one sequence"),
        ([["a"]], {}, "row 0 must be one sequence"),
        ([[1]], {"padding_side": "up"}, "padding_side"),
        ([[1]], {"pad_to_multiple_of": 0}, "pad_to_multiple_of"),
    ],
)
def test_what_cannot_be_padded(rows, options, said):
    with pytest.raises(ValueError, match=said):
        pad(rows, **options)


def test_samples_of_all_shapes():
    assert [t.tolist() for t in PadCollator()([[1, 2], [3]])] == [
        [[1, 2], [3, 0]],
        [[1, 1], [1, 0]],
    ]
    ids, labels, names = PadCollator(7)([([1, 2], 0, "x"), ([3], 1, "y")])
    assert (ids.tolist(), labels.tolist(), names) == ([[1, 2], [3, 7]], [0, 1], ["x", "y"])
    collate = PadCollator(padding={"labels": -100}, max_length=2)
    batch = collate([{"input_ids": [1, 2, 3], "labels": [4]}, {"input_ids": [5], "labels": [6, 7]}])
    assert batch["input_ids"].tolist() == [[1, 2], [5, 0]]
    assert batch["labels"].tolist() == [[4, -100], [6, 7]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]
    with pytest.raises(ValueError, match="no samples"):
        collate([])
    with pytest.raises(ValueError, match="'b' is a field of some samples"):
        collate([{"a": 1, "b": 2}, {"a": 1}])


def test_buckets_hold_every_sample_once_and_little_padding():
    lengths = [int(n) for n in np.random.default_rng(0).integers(1, 100, 500)]
    sampler = BucketBatchSampler(lengths, 8, generator=dc.Generator().manual_seed(3))
    batches = list(sampler)
    assert len(batches) == len(sampler) == 63
    assert sorted(i for batch in batches for i in batch) == list(range(500))
    places = sum(len(b) * max(lengths[i] for i in b) for b in batches)
    assert places < 1.1 * sum(lengths)
    assert list(sampler) != batches
    again = BucketBatchSampler(lengths, 8, generator=dc.Generator().manual_seed(3))
    assert list(again) == batches


def test_batches_by_tokens_and_without_rest():
    lengths = [3, 9, 4, 1, 2, 8]
    batches = list(BucketBatchSampler(lengths, max_tokens=9, shuffle=False))
    assert sorted(i for b in batches for i in b) == [0, 1, 2, 3, 4, 5]
    assert all(len(b) * max(lengths[i] for i in b) <= 9 for b in batches)
    assert len(BucketBatchSampler(lengths, max_tokens=9, shuffle=False)) == len(batches)
    short = BucketBatchSampler(lengths, 4, drop_last=True)
    assert [len(b) for b in short] == [4]
    assert len(short) == 1
    assert list(BucketBatchSampler([], 2)) == []


def test_a_loader_takes_both():
    data = [[1] * n for n in (5, 2, 4, 1, 3)]
    loader = DataLoader(
        data,
        batch_sampler=BucketBatchSampler([len(d) for d in data], 2, shuffle=False),
        collate_fn=PadCollator(),
    )
    assert [tuple(ids.shape) for ids, _ in loader] == [(2, 2), (2, 4), (1, 5)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "either batch_size or max_tokens"),
        ({"batch_size": 2, "max_tokens": 3}, "either batch_size or max_tokens"),
        ({"batch_size": 0}, "at least 1"),
        ({"max_tokens": 2}, "sample 1 has 5 tokens"),
    ],
)
def test_samplers_that_make_no_sense(options, said):
    with pytest.raises(ValueError, match=said):
        BucketBatchSampler([1, 5], **options)
