"""Loading in workers: the same batches as without, whoever makes them."""

# ruff: noqa: NPY002  numpy's global generator is among what this is about

import itertools
import multiprocessing
import random
import subprocess
import sys
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    StackDataset,
    Subset,
    WeightedRandomSampler,
    WorkerInfo,
    default_collate,
    get_worker_info,
)

KINDS = ["process", "thread"]
each_kind = pytest.mark.parametrize("kind", KINDS)
FORK = multiprocessing.get_context("fork")
Pair = namedtuple("Pair", ["x", "y"])


class Noisy(Dataset):
    """Samples with numbers of all three global generators."""

    def __init__(self, count=24):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return {
            "index": index,
            "python": random.random(),
            "numpy": np.random.rand(),
            "framework": dc.rand(2),
        }


class Shared(IterableDataset):
    """A stream that its workers share out."""

    def __init__(self, count):
        self.count = count

    def __iter__(self):
        info = get_worker_info()
        start, step = (0, 1) if info is None else (info.id, info.num_workers)
        yield from range(start, self.count, step)


class Whole(IterableDataset):
    def __init__(self, count, told=None):
        self.count, self.told = count, told

    def __iter__(self):
        for _ in range(self.count):
            yield random.random()

    def __len__(self):
        return self.told


def plain(batch):
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    return batch.tolist() if isinstance(batch, dc.Tensor) else batch


def mixing(samples):
    """A collation that draws numbers itself."""
    batch = default_collate(samples)
    batch["mix"] = [random.random(), np.random.rand(), dc.rand(1).item()]
    return batch


def epochs(count, **options):
    dc.manual_seed(5)
    loader = DataLoader(Noisy(), 5, shuffle=True, **options)
    return [[plain(batch) for batch in loader] for _ in range(count)]


# ---------------------------------------------------------------- random numbers


def test_the_same_stream_for_any_number_of_workers():
    alone = epochs(2, collate_fn=mixing)
    assert alone[0] != alone[1]
    drawn = [value for batch in alone[0] for value in batch["python"]]
    assert len(set(drawn)) == 24
    for workers in (1, 2, 8):
        assert epochs(2, collate_fn=mixing, num_workers=workers) == alone
    assert epochs(2, collate_fn=mixing, num_workers=2, persistent_workers=True) == alone
    assert epochs(2, collate_fn=mixing, num_workers=3, prefetch_factor=1) == alone


def test_threads_have_the_frameworks_numbers():
    alone, threads = epochs(2), epochs(2, num_workers=3, worker="thread")
    for mine, other in zip(itertools.chain(*alone), itertools.chain(*threads), strict=True):
        assert (mine["index"], mine["framework"]) == (other["index"], other["framework"])


@pytest.mark.parametrize("workers", [0, 2])
def test_the_programs_own_numbers_are_not_moved(workers):
    loader = DataLoader(Noisy(), 5, num_workers=workers)
    iterator = iter(loader)
    random.seed(1), np.random.seed(1), dc.manual_seed(1)
    np.random.randn()  # numpy keeps a second normal number back
    expected = [random.random(), np.random.randn(), np.random.rand(), dc.rand(1).item()]
    random.seed(1), np.random.seed(1), dc.manual_seed(1)
    np.random.randn()
    list(iterator)
    assert [random.random(), np.random.randn(), np.random.rand(), dc.rand(1).item()] == expected


def test_samples_that_come_twice_differ():
    sampler = WeightedRandomSampler([1.0, 0.0], 6)
    (batch,) = DataLoader(Noisy(2), 6, sampler=sampler)
    assert batch["index"].tolist() == [0] * 6
    assert len(set(batch["python"].tolist())) == 6


def test_numbers_do_not_depend_on_the_batch_size_nor_on_wrapping():
    def numbers(dataset, batch_size):
        dc.manual_seed(2)
        batches = [plain(batch) for batch in DataLoader(dataset, batch_size)]
        return [value for batch in batches for value in batch["numpy"]]

    data = Noisy(12)
    assert numbers(data, 3) == numbers(data, 12)
    subset = Subset(data, range(12))
    assert numbers(subset, 3) == numbers(subset, 12) == numbers(data, 5)


def test_whole_batches_have_one_key():
    class Batched(Noisy):
        def __getitems__(self, indices):
            return [random.random() for _ in indices]

    def run(workers):
        dc.manual_seed(2)
        return [plain(batch) for batch in DataLoader(Batched(12), 4, num_workers=workers)]

    assert run(0) == run(2)
    assert len({value for batch in run(2) for value in batch}) == 12


def test_parts_of_a_sample_have_their_own_numbers():
    (batch,) = DataLoader(StackDataset(Noisy(4), Noisy(4)), 4)
    first, second = batch
    assert set(first["python"].tolist()).isdisjoint(second["python"].tolist())


def test_generators_of_the_dataset_are_its_own():
    class Own(Dataset):
        generator = dc.Generator().manual_seed(3)

        def __len__(self):
            return 4

        def __getitem__(self, index):
            return dc.rand(1, generator=self.generator).item()

    own = dc.Generator().manual_seed(3)
    expected = [dc.rand(1, generator=own).item() for _ in range(4)]
    assert [batch.item() for batch in DataLoader(Own())] == expected


def test_streams_differ_between_workers_and_repeat_with_the_seed():
    def run():
        dc.manual_seed(4)
        return [plain(b) for b in DataLoader(Whole(4), 2, num_workers=2)]

    first = run()
    assert len({value for batch in first for value in batch}) == 8
    assert run() == first


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_other_start_methods(method):
    script = Path(__file__).parent / "other_start_methods.py"
    done = subprocess.run(
        [sys.executable, script, method], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "the same"


# ---------------------------------------------------------------- who makes what


@each_kind
def test_batches_come_in_order(kind):
    options = {"num_workers": 3, "worker": kind}
    assert [plain(b) for b in DataLoader(range(7), 2, **options)] == [[0, 1], [2, 3], [4, 5], [6]]
    loader = DataLoader(range(7), 2, drop_last=True, **options)
    assert [plain(b) for b in loader] == [[0, 1], [2, 3], [4, 5]]
    assert len(iter(loader)) == 3
    assert list(DataLoader(range(3), None, **options)) == [0, 1, 2]
    assert list(DataLoader(range(5), batch_sampler=[[4], [0, 1]], collate_fn=sum, **options)) == [
        4,
        1,
    ]
    assert list(DataLoader([], 2, **options)) == []


class Late(Dataset):
    """Sample 0 is ready after sample 3."""

    def __init__(self, event):
        self.event = event

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 0:
            assert self.event.wait(60)
        if index == 3:
            self.event.set()
        return index


def test_out_of_order_on_request():
    loader = DataLoader(Late(FORK.Event()), num_workers=2, multiprocessing_context="fork")
    assert [b.item() for b in loader] == [0, 1, 2, 3]
    loader = DataLoader(
        Late(FORK.Event()), num_workers=2, multiprocessing_context="fork", in_order=False
    )
    iterator = iter(loader)
    first = next(iterator).item()
    assert first != 0
    # The run of batches from the start is unbroken only when the late one is there.
    assert loader.state_dict()["samples_yielded"] == 0
    assert sorted([first, *(b.item() for b in iterator)]) == [0, 1, 2, 3]
    assert loader._current.samples == 4


class Told(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        info = get_worker_info()
        assert isinstance(info, WorkerInfo)
        return (info.id, info.num_workers, info.seed, info.dataset is self)


@each_kind
def test_what_a_worker_knows(kind):
    loader = DataLoader(Told(), None, collate_fn=tuple, num_workers=2, worker=kind)
    iterator = iter(loader)
    assert [sample[:2] for sample in iterator] == [(0, 2), (1, 2), (0, 2), (1, 2)]
    seeds = [sample[2] for sample in loader]
    assert seeds[1] == seeds[0] + 1
    assert all(sample[3] for sample in loader)
    assert get_worker_info() is None


class Threaded(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: get_worker_info().id).result()


def test_threads_of_a_worker_know_it():
    assert list(DataLoader(Threaded(), None, num_workers=2)) == [0, 1]


class Started(Dataset):
    started = ()

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return list(self.started)


def note(worker):
    get_worker_info().dataset.started = [worker, dc.initial_seed() == get_worker_info().seed]


def test_worker_init():
    loader = DataLoader(Started(), None, num_workers=2, worker_init_fn=note, collate_fn=list)
    assert list(loader) == [[0, True], [1, True]]
    assert list(loader) == [[0, True], [1, True]]


@each_kind
def test_workers_persist_on_request(kind):
    def crews(**options):
        loader = DataLoader(range(8), 2, num_workers=2, worker=kind, **options)
        found = []
        for _ in range(2):
            iterator = iter(loader)
            found.append(list(iterator.worker_pids))
            assert [plain(b) for b in iterator] == [[0, 1], [2, 3], [4, 5], [6, 7]]
        return found

    first, second = crews(persistent_workers=True)
    assert first == second
    if kind == "process":
        first, second = crews()
        assert set(first).isdisjoint(second)


@each_kind
def test_persistent_workers_after_an_abandoned_pass(kind):
    loader = DataLoader(range(40), 2, num_workers=2, worker=kind, persistent_workers=True)
    for _ in range(3):
        pids = None
        for batch in loader:
            assert plain(batch) == [0, 1]
            break
        iterator = iter(loader)
        pids = pids or list(iterator.worker_pids)
        assert list(iterator.worker_pids) == pids
        assert [plain(b) for b in iterator] == [[i, i + 1] for i in range(0, 40, 2)]


@each_kind
def test_two_passes_at_once(kind):
    loader = DataLoader(range(9), 3, num_workers=1, worker=kind, persistent_workers=True)
    assert [(plain(a), plain(b)) for a, b in zip(loader, loader, strict=True)] == [
        (batch, batch) for batch in ([0, 1, 2], [3, 4, 5], [6, 7, 8])
    ]


class Counted(Dataset):
    def __init__(self):
        self.count = FORK.Value("i", 0)

    def __len__(self):
        return 100

    def __getitem__(self, index):
        with self.count.get_lock():
            self.count.value += 1
        return index


def test_no_more_is_made_ahead_than_asked_for():
    data = Counted()
    iterator = iter(DataLoader(data, 2, num_workers=2, prefetch_factor=3))
    for taken in range(1, 20):
        next(iterator)
        assert data.count.value <= 2 * (taken + 2 * 3)


def test_nothing_is_made_ahead_on_request():
    assert DataLoader(range(3), num_workers=1).prefetch_factor == 2
    assert DataLoader(range(3)).prefetch_factor is None
    data = Counted()
    for taken, _ in enumerate(DataLoader(data, 2, num_workers=2, prefetch_factor=0)):
        assert data.count.value <= 2 * (taken + 2)


def test_a_loader_with_workers_is_copied_without_them():
    import copy

    loader = DataLoader(range(4), 2, num_workers=1, persistent_workers=True)
    list(loader)
    other = copy.deepcopy(loader)
    assert other._pool is None
    assert [plain(b) for b in other] == [[0, 1], [2, 3]]
    with pytest.raises(NotImplementedError, match="cannot be pickled"):
        copy.copy(iter(loader))


# ---------------------------------------------------------------- streams


@each_kind
def test_streams_are_shared_out_by_the_dataset(kind):
    loader = DataLoader(Shared(11), 2, num_workers=3, worker=kind)
    assert [plain(b) for b in loader] == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8]]
    assert [plain(b) for b in loader] == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8]]
    loader = DataLoader(Shared(11), 2, drop_last=True, num_workers=3, worker=kind)
    assert [plain(b) for b in loader] == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10]]
    assert list(DataLoader(Shared(5), None, num_workers=2, worker=kind)) == [0, 1, 2, 3, 4]
    assert list(DataLoader(Shared(1), None, num_workers=4, worker=kind)) == [0]


def test_streams_that_are_not_shared_out_come_once_per_worker():
    loader = DataLoader(Whole(3, told=3), None, num_workers=2)
    assert len(loader) == 3
    with pytest.warns(UserWarning, match=r"reported to be 3 .* unless the dataset shares it out"):
        assert len(list(loader)) == 6


# ---------------------------------------------------------------- resuming


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 0), (2, 3), (2, 2)])
@pytest.mark.parametrize("stop", [0, 2])
def test_resuming_with_another_number_of_workers(before, after, stop):
    dc.manual_seed(6)
    generator = dc.Generator().manual_seed(9)

    def make(workers):
        return DataLoader(Noisy(), 5, shuffle=True, generator=generator, num_workers=workers)

    loader = make(before)
    list(loader)
    iterator = iter(loader)
    for _ in range(stop):
        next(iterator)
    state = loader.state_dict()
    rest = [plain(batch) for batch in iterator]
    following = [plain(batch) for batch in loader]

    other = make(after)
    other.load_state_dict(state)
    assert [plain(batch) for batch in other] == rest
    assert [plain(batch) for batch in other] == following


def test_resuming_a_batch_sampler():
    sampler = BatchSampler(
        RandomSampler(range(20), generator=dc.Generator().manual_seed(1)), 3, True
    )
    loader = DataLoader(Noisy(), batch_sampler=sampler, num_workers=2)
    iterator = iter(loader)
    next(iterator)
    state = loader.state_dict()
    rest = [plain(batch) for batch in iterator]
    loader.load_state_dict(state)
    assert [plain(batch) for batch in loader] == rest


@pytest.mark.parametrize("stop", range(6))
def test_resuming_a_stream(stop):
    loader = DataLoader(Shared(11), 2, num_workers=3)
    iterator = iter(loader)
    for _ in range(stop):
        next(iterator)
    state = loader.state_dict()
    rest = [plain(batch) for batch in iterator]
    other = DataLoader(Shared(11), 2, num_workers=3)
    other.load_state_dict(state)
    assert [plain(batch) for batch in other] == rest


def test_resuming_a_stream_repeats_its_random_numbers():
    loader = DataLoader(Whole(8), 2, num_workers=2)
    iterator = iter(loader)
    head = [plain(next(iterator)) for _ in range(3)]
    state = loader.state_dict()
    rest = [plain(batch) for batch in iterator]
    loader.load_state_dict(state)
    assert [plain(batch) for batch in loader] == rest
    assert len({value for batch in head + rest for value in batch}) == 16


def test_a_stream_is_resumed_by_as_many_workers():
    loader = DataLoader(Shared(11), 2, num_workers=2)
    next(iter(loader))
    state = loader.state_dict()
    for workers in (0, 3):
        other = DataLoader(Shared(11), 2, num_workers=workers)
        other.load_state_dict(state)
        with pytest.raises(ValueError, match=f"by 2 workers: resume .*num_workers={workers}"):
            iter(other)
    loader = DataLoader(Shared(11), 2)
    next(iter(loader))
    other = DataLoader(Shared(11), 2, num_workers=2)
    other.load_state_dict(loader.state_dict())
    with pytest.raises(ValueError, match=r"without workers: resume .*not num_workers=2"):
        iter(other)


# ---------------------------------------------------------------- what travels


class Things(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return Pair(
            {"image": dc.full((32, 1024), index), "name": f"n{index}", "size": (index, 2.0)},
            np.full((3, 8192), index, np.int16),
        )


@each_kind
def test_nested_batches(kind):
    for batch in DataLoader(Things(), 2, num_workers=2, worker=kind):
        assert isinstance(batch, Pair)
        first = batch.x["size"][0][0].item()
        assert batch.x["name"] == [f"n{first}", f"n{first + 1}"]
        assert batch.x["image"].shape == (2, 32, 1024)
        assert batch.x["image"][:, 5, 7].tolist() == [first, first + 1]
        assert (batch.y.dtype, batch.y.shape) == (dc.int16, (2, 3, 8192))
        assert batch.y[:, 2, -1].tolist() == [first, first + 1]
        batch.y.add_(1)
        assert batch.y[0, 0, 0].item() == first + 1


def arrays():
    x = np.arange(60_000, dtype=np.float32).reshape(100, 20, 30)
    return {
        "transposed": x.transpose(2, 0, 1),
        "fortran": np.asfortranarray(x),
        "flipped": x[::-1, ::-1],
        "strided": x[::2],
        "broadcast": np.broadcast_to(x[0], (100, 20, 30)),
        "complex": x * (1 + 2j),
        "bool": x > 10,
        "text": np.array(["ab"] * 40_000),
        "record": np.zeros(9_000, [("a", "i4"), ("b", "f8")]),
        "object": np.array([None, 1] * 10),
        "small": np.arange(3),
        "empty": np.zeros((0, 100_000)),
    }


def as_they_are(samples):
    return arrays()


def test_arrays_of_all_kinds():
    (batch,) = DataLoader([0], num_workers=1, collate_fn=as_they_are)
    for name, expected in arrays().items():
        found = batch[name]
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape), name
        assert np.array_equal(found, expected), name
        assert found.flags.writeable, name
    assert batch["fortran"].flags.f_contiguous
    assert batch["transposed"].strides == arrays()["transposed"].strides


class Own(dc.Tensor):
    pass


def tensors():
    x = dc.arange(20_000.0).reshape(100, 200)
    mine = dc.arange(20_000.0)
    mine.label = "cat"
    return [
        x.bfloat16(),
        x.t(),
        x.clone().requires_grad_(),
        dc.nn.Parameter(x),
        x.as_subclass(Own),
        mine,
        x[1],
        None,
        {1, 2},
    ]


def test_tensors_of_all_kinds():
    (batch,) = DataLoader([0], num_workers=1, collate_fn=lambda samples: tensors())
    for found, expected in zip(batch, tensors(), strict=True):
        assert type(found) is type(expected)
        if isinstance(expected, dc.Tensor):
            assert (found.dtype, found.requires_grad) == (expected.dtype, expected.requires_grad)
            assert found.stride() == expected.stride()
            assert dc.equal(found, expected)
    assert batch[5].label == "cat"
    assert batch[7:] == [None, {1, 2}]


class Pinnable:
    def __init__(self, pinned=False):
        self.pinned = pinned

    def pin_memory(self):
        return Pinnable(True)


@pytest.mark.parametrize("workers", [0, 2])
def test_pinning_is_asked_of_everything(workers):
    loader = DataLoader(
        [0],
        collate_fn=lambda samples: {"a": [Pinnable()], "b": Pair(dc.ones(1), "x")},
        pin_memory=True,
        num_workers=workers,
    )
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no device"):
        (batch,) = loader
    assert batch["a"][0].pinned
    assert isinstance(batch["b"], Pair)
    assert not batch["b"].x.is_pinned()


def test_workers_cost_programs_without_them_nothing():
    program = (
        "import sys, dispatch_core as dc; list(dc.utils.data.DataLoader(range(4)));"
        "assert not {'multiprocessing', 'numpy.random'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
