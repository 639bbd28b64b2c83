"""The loader: batches, orders, resuming, and errors."""

import copy
import itertools

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    get_worker_info,
)


class Stream(IterableDataset):
    def __init__(self, count, told=None):
        self.count = count
        self.told = count if told is None else told
        self.taken = 0

    def __iter__(self):
        for i in range(self.count):
            self.taken += 1
            yield i

    def __len__(self):
        return self.told


class Watched(Dataset):
    def __init__(self, count):
        self.count = count
        self.asked = []

    def __getitem__(self, index):
        self.asked.append(index)
        return index

    def __len__(self):
        return self.count


class Given(Sampler):
    def __init__(self, order):
        self.order = order

    def __iter__(self):
        return iter(self.order)

    def __len__(self):
        return len(self.order)


def seeded(seed=9):
    return dc.Generator().manual_seed(seed)


def plain(batch):
    return batch.tolist() if isinstance(batch, dc.Tensor) else batch


def all_of(loader):
    return [plain(batch) for batch in loader]


# ---------------------------------------------------------------- batches


def test_batches_in_order():
    loader = DataLoader(range(7), batch_size=3)
    assert all_of(loader) == [[0, 1, 2], [3, 4, 5], [6]]
    assert len(loader) == 3
    loader = DataLoader(range(7), batch_size=3, drop_last=True)
    assert all_of(loader) == [[0, 1, 2], [3, 4, 5]]
    assert len(loader) == len(iter(loader)) == 2


def test_batches_of_several_tensors():
    data = TensorDataset(dc.arange(4), dc.arange(8.0).reshape(4, 2))
    for x, y in DataLoader(data, batch_size=2):
        assert (x.shape, y.shape) == ((2,), (2, 2))


def test_whole_batches_are_asked_for_where_possible():
    class Whole(Watched):
        def __getitems__(self, indices):
            self.asked.append(list(indices))
            return list(indices)

    data = Whole(5)
    all_of(DataLoader(data, batch_size=2))
    assert data.asked == [[0, 1], [2, 3], [4]]


def test_without_batches():
    loader = DataLoader([np.zeros(2), np.ones(2)], batch_size=None)
    assert all_of(loader) == [[0.0, 0.0], [1.0, 1.0]]
    assert len(loader) == 2
    assert all_of(DataLoader([1, 2], batch_size=None, collate_fn=lambda x: x + 1)) == [2, 3]


def test_own_collation_and_samplers():
    assert all_of(DataLoader(range(5), batch_size=2, collate_fn=sum)) == [1, 5, 4]
    assert all_of(DataLoader(range(5), batch_size=2, sampler=[4, 2, 0])) == [[4, 2], [0]]
    assert all_of(DataLoader(range(5), batch_sampler=[[1], [2, 3]])) == [[1], [2, 3]]
    loader = DataLoader(range(5), batch_sampler=[[1], [2, 3]])
    assert (loader.batch_size, loader.drop_last, len(loader)) == (None, False, 2)


def test_streams():
    assert all_of(DataLoader(Stream(7), batch_size=3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert all_of(DataLoader(Stream(7), batch_size=3, drop_last=True)) == [[0, 1, 2], [3, 4, 5]]
    assert all_of(DataLoader(Stream(2), batch_size=None)) == [0, 1]
    assert len(DataLoader(Stream(7), batch_size=3)) == 3
    assert len(DataLoader(Stream(7), batch_size=3, drop_last=True)) == 2


def test_streams_longer_than_they_say():
    loader = DataLoader(Stream(3, told=2))
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2"):
        all_of(loader)


def test_no_worker_in_process():
    assert get_worker_info() is None


# ---------------------------------------------------------------- order


def test_shuffling_follows_from_the_generator():
    orders = [all_of(DataLoader(range(20), 4, shuffle=True, generator=seeded())) for _ in range(2)]
    assert orders[0] == orders[1]
    assert sorted(itertools.chain(*orders[0])) == list(range(20))
    loader = DataLoader(range(20), 4, shuffle=True, generator=seeded())
    assert all_of(loader) != all_of(loader)
    assert isinstance(loader.sampler, RandomSampler)


def test_shuffling_follows_from_the_default_generator():
    loader = DataLoader(range(20), 4, shuffle=True)
    dc.manual_seed(1)
    first = all_of(loader)
    dc.manual_seed(1)
    assert all_of(loader) == first


def test_what_the_program_draws_meanwhile_does_not_change_the_order():
    loader = DataLoader(range(20), 4, shuffle=True)
    dc.manual_seed(1)
    first = all_of(loader)
    dc.manual_seed(1)
    iterator = iter(loader)
    dc.rand(3)
    assert [plain(batch) for batch in iterator] == first


# ---------------------------------------------------------------- resuming

LOADERS = {
    "in order": lambda: DataLoader(range(10), 3),
    "shuffled": lambda: DataLoader(range(10), 3, shuffle=True),
    "shuffled, generator": lambda: DataLoader(range(10), 3, shuffle=True, generator=seeded()),
    "replacement": lambda: DataLoader(range(10), 9, sampler=RandomSampler(range(10), True, 50)),
    "replacement, generator": lambda: DataLoader(
        range(10), 9, sampler=RandomSampler(range(10), True, 50, generator=seeded())
    ),
    "weighted": lambda: DataLoader(range(10), 3, sampler=WeightedRandomSampler([0.1] * 10, 12)),
    "subset": lambda: DataLoader(range(10), 2, sampler=SubsetRandomSampler(range(3, 10))),
    "own batches": lambda: DataLoader(
        range(10), batch_sampler=BatchSampler(RandomSampler(range(10), generator=seeded()), 4, True)
    ),
    "own batches, default": lambda: DataLoader(
        range(10), batch_sampler=BatchSampler(RandomSampler(range(10)), 4, False)
    ),
    "one by one": lambda: DataLoader(range(5), None, shuffle=True),
    "stream": lambda: DataLoader(Stream(11), 3),
    "stream, one by one": lambda: DataLoader(Stream(4), None),
    "own sampler": lambda: DataLoader(range(9), 3, sampler=Given([5, 3, 1, 2, 4])),
    "process": lambda: DataLoader(range(9), 2, sampler=DistributedSampler(range(9), 2, 1)),
}


@pytest.mark.parametrize("stop", [0, 1, 2])
@pytest.mark.parametrize("make", LOADERS.values(), ids=LOADERS.keys())
def test_resuming_in_the_middle(make, stop):
    dc.manual_seed(4)
    loader = make()
    all_of(loader)
    iterator = iter(loader)
    list(itertools.islice(iterator, stop))
    saved = copy.deepcopy(loader.state_dict())
    random_state = dc.get_rng_state()
    rest, following = [plain(batch) for batch in iterator], all_of(loader)

    dc.manual_seed(77)
    other = make()
    other.load_state_dict(saved)
    assert other.state_dict()["samples_yielded"] == saved["samples_yielded"]
    assert saved["epoch"] == 1
    dc.set_rng_state(random_state)
    assert all_of(other) == rest
    assert all_of(other) == following


@pytest.mark.parametrize("make", LOADERS.values(), ids=LOADERS.keys())
def test_resuming_between_epochs(make):
    dc.manual_seed(4)
    loader = make()
    all_of(loader)
    saved = copy.deepcopy(loader.state_dict())
    random_state = dc.get_rng_state()
    following = [all_of(loader), all_of(loader)]

    other = make()
    other.load_state_dict(saved)
    dc.manual_seed(77)
    assert all_of(other) == following[0]
    other.load_state_dict(saved)
    dc.set_rng_state(random_state)
    assert [all_of(other), all_of(other)] == following


def test_resuming_reads_nothing_again():
    loader = DataLoader(Watched(10), 2, shuffle=True, generator=seeded())
    iterator = iter(loader)
    head = [plain(next(iterator)) for _ in range(2)]
    saved = loader.state_dict()
    data = Watched(10)
    other = DataLoader(data, 3, shuffle=True, generator=seeded(1))
    other.load_state_dict(saved)
    rest = all_of(other)
    assert [len(batch) for batch in rest] == [3, 3]
    assert data.asked == list(itertools.chain(*rest))
    assert sorted(itertools.chain(*head, *rest)) == list(range(10))


def test_resuming_leaves_the_default_generator_alone():
    loader = DataLoader(range(10), 2, shuffle=True)
    next(iter(loader))
    saved = loader.state_dict()
    dc.manual_seed(5)
    expected = dc.rand(1).item()
    dc.manual_seed(5)
    other = DataLoader(range(10), 2, shuffle=True)
    other.load_state_dict(saved)
    all_of(other)
    assert dc.rand(1).item() == expected


def test_a_sampler_with_a_state_of_its_own():
    class Shifting(Given):
        def __iter__(self):
            self.order = [(i + 1) % 5 for i in self.order]
            return iter(self.order)

        def state_dict(self):
            return {"order": list(self.order)}

        def load_state_dict(self, state):
            self.order = state["order"]

    loader = DataLoader(range(5), 2, sampler=Shifting([0, 1, 2, 3, 4]))
    all_of(loader)
    iterator = iter(loader)
    next(iterator)
    saved = loader.state_dict()
    rest = [plain(batch) for batch in iterator]
    other = DataLoader(range(5), 2, sampler=Shifting([0, 1, 2, 3, 4]))
    other.load_state_dict(saved)
    assert all_of(other) == rest == [[4, 0], [1]]


def test_a_state_dict_of_something_else():
    with pytest.raises(ValueError, match=r"lacks .*sampler_key"):
        DataLoader(range(3)).load_state_dict({"epoch": 1})


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_workers": -1}, ValueError, "num_workers option should be non-negative"),
        ({"num_workers": 1, "worker": "fibre"}, ValueError, "'process' or 'thread'"),
        (
            {"num_workers": 1, "multiprocessing_context": "clone"},
            ValueError,
            "specify a valid start method in .*'clone'",
        ),
        (
            {"num_workers": 1, "multiprocessing_context": 3},
            TypeError,
            "a valid context object or a string specifying the start method",
        ),
        ({"timeout": -1}, ValueError, "timeout option should be non-negative"),
        ({"prefetch_factor": 2}, ValueError, "prefetch_factor option could only be specified"),
        ({"num_workers": 1, "prefetch_factor": -1}, ValueError, "prefetch_factor option should be"),
        ({"persistent_workers": True}, ValueError, "persistent_workers option needs"),
        ({"multiprocessing_context": "spawn"}, ValueError, "multiprocessing_context can only"),
        ({"shuffle": True, "sampler": [1]}, ValueError, "sampler option is mutually exclusive"),
        ({"batch_sampler": [[1]], "batch_size": 2}, ValueError, "batch_sampler option is mutually"),
        ({"batch_sampler": [[1]], "drop_last": True}, ValueError, "batch_sampler option is mut"),
        ({"batch_size": None, "drop_last": True}, ValueError, "batch_size=None option disables"),
        ({"batch_size": 0}, ValueError, "batch_size should be a positive integer value"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        DataLoader(range(3), **options)


@pytest.mark.parametrize(
    "options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}], ids=str
)
def test_streams_have_no_order(options):
    with pytest.raises(ValueError, match=f"expected unspecified {next(iter(options))} option"):
        DataLoader(Stream(3), **options)
    assert all_of(DataLoader(Stream(1), shuffle=False)) == [[0]]


def test_fixed_attributes():
    loader = DataLoader(range(3))
    with pytest.raises(ValueError, match="batch_size attribute should not be set after"):
        loader.batch_size = 2
    assert isinstance(loader.sampler, SequentialSampler)


def test_what_is_checked_when_iterating():
    with pytest.raises(AssertionError, match="timeout == 0"):
        iter(DataLoader(range(3), timeout=1))
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true"):
        iter(DataLoader(range(3), pin_memory=True))
    with pytest.raises(NotImplementedError, match="cannot be pickled"):
        copy.copy(iter(DataLoader(range(3))))


def test_errors_of_the_dataset_come_through():
    class Broken(Watched):
        def __getitem__(self, index):
            raise KeyError(index)

    with pytest.raises(KeyError, match="0"):
        next(iter(DataLoader(Broken(3))))
