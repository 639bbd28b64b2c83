"""Samplers: orders, lengths and errors."""

import pytest

import dispatch_core as dc
from dispatch_core.utils.data import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def seeded(seed=3):
    return dc.Generator().manual_seed(seed)


def test_sequential():
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert len(SequentialSampler("abc")) == 3


def test_a_sampler_says_what_to_implement():
    with pytest.raises(NotImplementedError, match="does not implement __iter__"):
        iter(Sampler())


@pytest.mark.parametrize("count", [None, 3, 10, 25])
def test_permutations(count):
    sampler = RandomSampler(range(10), num_samples=count, generator=seeded())
    order = list(sampler)
    assert len(order) == len(sampler) == (count or 10)
    for start in range(0, len(order), 10):
        part = order[start : start + 10]
        assert len(set(part)) == len(part)
    assert set(order) <= set(range(10))


def test_draws_with_replacement():
    sampler = RandomSampler(range(4), replacement=True, num_samples=100, generator=seeded())
    order = list(sampler)
    assert len(order) == 100
    assert set(order) == {0, 1, 2, 3}


def test_orders_follow_from_the_generator():
    first, second = (list(RandomSampler(range(50), generator=seeded())) for _ in range(2))
    assert first == second
    sampler = RandomSampler(range(50), generator=seeded())
    assert list(sampler) != list(sampler)
    dc.manual_seed(4)
    first = list(RandomSampler(range(50)))
    dc.manual_seed(4)
    assert list(RandomSampler(range(50))) == first


def test_subset_in_random_order():
    sampler = SubsetRandomSampler([4, 6, 8], generator=seeded())
    assert sorted(sampler) == [4, 6, 8]
    assert len(sampler) == 3


def test_weights():
    sampler = WeightedRandomSampler([0.0, 1.0, 3.0], 400, generator=seeded())
    order = list(sampler)
    assert len(sampler) == len(order) == 400
    assert set(order) == {1, 2}
    assert 250 < order.count(2) < 350
    without = WeightedRandomSampler([0.1, 0.1, 0.1], 3, replacement=False)
    assert sorted(without) == [0, 1, 2]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RandomSampler([]), ValueError, "num_samples=0"),
        (lambda: RandomSampler([1], num_samples=1.5), ValueError, "positive integer value"),
        (lambda: RandomSampler([1], replacement=1), TypeError, "should be a boolean value"),
        (lambda: WeightedRandomSampler([1], 0), ValueError, "positive integer value"),
        (lambda: WeightedRandomSampler([1], True), ValueError, "positive integer value"),
        (lambda: WeightedRandomSampler([1], 1, 1), ValueError, "should be a boolean value"),
        (lambda: WeightedRandomSampler([[1]], 1), ValueError, "should be a 1d sequence"),
        (lambda: BatchSampler([1], 0, True), ValueError, "batch_size=0"),
        (lambda: BatchSampler([1], True, True), ValueError, "batch_size=True"),
        (lambda: BatchSampler([1], 2, 1), ValueError, "drop_last=1"),
        (lambda: DistributedSampler([1], 2, 2), ValueError, r"in the interval \[0, 1\]"),
        (lambda: DistributedSampler([1]), RuntimeError, "Requires distributed package"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_batches():
    assert list(BatchSampler(range(7), 3, drop_last=False)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(BatchSampler(range(7), 3, drop_last=True)) == [[0, 1, 2], [3, 4, 5]]
    assert len(BatchSampler(range(7), 3, drop_last=False)) == 3
    assert len(BatchSampler(range(7), 3, drop_last=True)) == 2


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("length", "ranks"), [(10, 3), (12, 4), (2, 5), (7, 1)])
def test_shares_of_processes(length, ranks, shuffle, drop_last):
    samplers = [
        DistributedSampler(range(length), ranks, rank, shuffle, seed=1, drop_last=drop_last)
        for rank in range(ranks)
    ]
    shares = [list(sampler) for sampler in samplers]
    each = length // ranks if drop_last else -(-length // ranks)
    assert [len(share) for share in shares] == [len(sampler) for sampler in samplers]
    assert {len(share) for share in shares} == {each}
    seen = [index for share in shares for index in share]
    if drop_last:
        assert len(set(seen)) == len(seen)
    else:
        assert set(seen) == set(range(length))
    if not shuffle and ranks * each <= length:
        assert shares[0] == list(range(0, ranks * each, ranks))


def test_epochs_of_processes():
    sampler = DistributedSampler(range(50), 2, 0)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
