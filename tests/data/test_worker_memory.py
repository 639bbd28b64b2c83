"""Batches in shared memory: written where they are read, reused when nobody looks any more."""

import gc
import mmap
import os
import resource
import warnings

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.utils.data import DataLoader, Dataset, default_collate
from dispatch_core.utils.data._workers import slots
from dispatch_core.utils.data._workers.messages import Result

if not hasattr(os, "memfd_create"):
    pytest.skip("speaks of Linux", allow_module_level=True)

SIDE = 128


class Filled(Dataset):
    """Images full of their index; 64 KiB each."""

    def __init__(self, count=40, array=True):
        self.count = count
        self.array = array

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        image = np.full((SIDE, SIDE), index, np.float32)
        return image if self.array else dc.from_numpy(image)


def rings(iterator):
    """How many slots each worker has."""
    return [len(worker.slots) for worker in iterator._pool._workers]


def of(batch):
    """What a batch of `Filled` is full of."""
    first = batch[:, 0, 0].tolist()
    assert (batch == batch[:, :1, :1]).all()
    return first


@pytest.fixture
def no_collector():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("array", [True, False])
def test_slots_are_reused(array):
    iterator = iter(DataLoader(Filled(array=array), 2, num_workers=2))
    found = []
    for batch in iterator:
        assert batch.is_shared()
        found += of(batch)
    assert found == list(range(40))
    assert max(rings(iterator)) <= 2 + 2  # made ahead, and in the program's hands


def test_what_is_kept_never_changes():
    kept, views, memories = [], [], []
    loader = DataLoader(Filled(60), 2, num_workers=2, persistent_workers=True)
    for _ in range(2):
        iterator = iter(loader)
        for number, batch in enumerate(iterator):
            if number % 3 == 0:
                kept.append((2 * number, batch))
            elif number % 3 == 1:
                views.append((2 * number, batch.t() if batch.ndim == 2 else batch[0, 3:5]))
            else:
                memories.append((2 * number, memoryview(batch.numpy()[0])))
            del batch
    assert max(rings(iterator)) <= 2 + slots.SPARE + 1
    assert len(kept) == len(views) == len(memories) == 20
    for first, batch in kept:
        assert of(batch) == [first, first + 1]
    for first, view in views:
        assert (view == first).all()
    for first, memory in memories:
        assert (np.asarray(memory) == first).all()


def test_what_is_kept_outlives_the_loader():
    batches = list(DataLoader(Filled(12), 2, num_workers=1))
    gc.collect()
    assert [of(batch)[0] for batch in batches] == [0, 2, 4, 6, 8, 10]
    assert [batch.is_shared() for batch in batches].count(True) == slots.SPARE


def test_batches_are_stacked_where_they_are_read(monkeypatch):
    copied = []
    original = slots.Arena.copy
    monkeypatch.setattr(
        slots.Arena, "copy", lambda arena, array: (copied.append(1), original(arena, array))[1]
    )

    def collate(samples):
        return default_collate(samples), len(copied)

    loader = DataLoader(Filled(20), 2, num_workers=1, collate_fn=collate)
    assert [count for _, count in loader][1:] == [1] * 9  # the first one tells the size


def test_parts_of_a_batch_are_memories_of_their_own():
    def pair(samples):
        batch = default_collate(samples)
        return batch, batch * 2

    for x, y in DataLoader(Filled(8), 2, num_workers=1, collate_fn=pair):
        x.requires_grad_()
        squares = (x * x).sum()
        y.add_(1)  # would make backward fail if it counted as a write into x
        squares.backward()
        assert x.grad[0, 0, 0].item() == 2 * x[0, 0, 0].item()


def test_small_arrays_do_not_hold_a_slot():
    class Labelled(Filled):
        def __getitem__(self, index):
            return super().__getitem__(index), index

    labels = []
    iterator = iter(DataLoader(Labelled(), 2, num_workers=1))
    for image, label in iterator:
        assert (image.is_shared(), label.is_shared()) == (True, False)
        labels.append(label)
    assert dc.cat(labels).tolist() == list(range(40))
    assert rings(iterator)[0] <= 4


def test_batches_of_different_sizes():
    class Growing(Filled):
        def __getitem__(self, index):
            return np.full((1 + index * 37 % 50, 1024), index, np.float32)

    for workers in (1, 2):
        loader = DataLoader(Growing(40), None, num_workers=workers)
        for index, sample in enumerate(loader):
            assert sample.shape == (1 + index * 37 % 50, 1024)
            assert (sample == index).all()


def test_what_the_worker_keeps_never_changes():
    class Keeping:
        """Remembers every stack it has made, and tells what became of it."""

        def __init__(self):
            self.stacks = []

        def __call__(self, samples):
            self.stacks.append(default_collate(samples))
            return self.stacks[-1], [stack[0, 0, 0].item() for stack in self.stacks]

    for number, (batch, kept) in enumerate(
        DataLoader(Filled(24), 2, num_workers=1, collate_fn=Keeping())
    ):
        assert of(batch) == [2 * number, 2 * number + 1]
        assert kept == [2.0 * i for i in range(number + 1)]
        batch.fill_(-1)


def test_what_the_worker_keeps_and_does_not_send():
    class Hiding:
        def __init__(self):
            self.stacks = []

        def __call__(self, samples):
            stack = default_collate(samples)
            if stack[0, 0, 0].item() in (4, 6, 8):
                self.stacks.append(stack)
                if stack[0, 0, 0].item() == 8:
                    raise ValueError("hidden")
                return "hidden"
            return stack, [stack[0, 0, 0].item() for stack in self.stacks]

    iterator = iter(DataLoader(Filled(24), 2, num_workers=1, collate_fn=Hiding()))
    found = [next(iterator) for _ in range(4)]
    assert found[2:] == ["hidden", "hidden"]
    with pytest.raises(ValueError, match="hidden"):
        next(iterator)
    for _, kept in iterator:
        assert kept == [4.0, 6.0, 8.0]


# ---------------------------------------------------------------- no shared memory


def at_most_16_kib(worker):
    """The system refuses larger files, shared memory included."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, resource.RLIM_INFINITY))


def no_descriptors(worker):
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


@pytest.mark.parametrize("limit", [at_most_16_kib, no_descriptors])
def test_pipes_where_shared_memory_is_refused(limit):
    loader = DataLoader(Filled(20), 2, num_workers=2, worker_init_fn=limit)
    with pytest.warns(UserWarning, match="go through pipes, which is slower") as told:
        batches = list(loader)
    assert len(told) == 1
    assert [of(batch) for batch in batches] == [[i, i + 1] for i in range(0, 20, 2)]
    batches[0].add_(1)
    assert not batches[0].is_shared()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(loader)) == 10


def test_refusal_after_the_first_slots():
    class Larger(Filled):
        def __getitem__(self, index):
            if index == 6:
                at_most_16_kib(0)
            return np.full((index + 1, 100, 100), index, np.float32)

    with pytest.warns(UserWarning, match="go through pipes"):
        samples = list(DataLoader(Larger(12), None, num_workers=1))
    assert [sample.shape[0] for sample in samples] == list(range(1, 13))
    assert all((sample == index).all() for index, sample in enumerate(samples))
    assert samples[0].is_shared()
    assert not samples[11].is_shared()


def test_nothing_lies_in_dev_shm():
    before = set(os.listdir("/dev/shm"))
    iterator = iter(DataLoader(Filled(), 2, num_workers=2))
    next(iterator)
    assert set(os.listdir("/dev/shm")) == before


# ---------------------------------------------------------------- the parts


def test_an_arena_gives_what_fits():
    arena = slots.Arena(1, mmap.mmap(-1, 3 * slots.LARGE), None)
    assert arena.take((slots.LARGE // 4 - 1,), np.dtype(np.float32)) is None
    first = arena.take((slots.LARGE + 1,), np.dtype(np.uint8))
    second = arena.take((slots.LARGE // 8, 1), np.dtype(np.float64))
    assert first.shape == (slots.LARGE + 1,)
    assert arena.place_of(second)[0] == slots.LARGE + 64
    assert arena.place_of(second[::-1])[0] == slots.LARGE + 64 + slots.LARGE - 8
    assert arena.place_of(np.zeros(3)) is None
    assert arena.take((slots.LARGE,), np.dtype(np.uint8)) is None
    del first, second
    assert not arena.kept()
    assert slots.Arena(None, None, None).take((slots.LARGE,), np.dtype(np.uint8)) is None


def test_a_worker_without_memory_for_a_copy_says_so(monkeypatch):
    worker = slots.WorkerSlots()
    result = Result(0, 0)
    shipped = worker.ship(worker.open(None), [np.zeros(slots.LARGE)], result)
    shipped.discard_new()
    arena = worker.open(shipped.number)
    kept = arena.take((slots.LARGE,), np.dtype(np.float64))

    def refuse(size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(slots.shared_memory, "create", refuse)
    with pytest.raises(OSError, match="kept in the worker.*No space left"):
        worker.ship(arena, [kept], result)
