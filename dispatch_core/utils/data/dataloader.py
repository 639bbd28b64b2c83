"""`DataLoader`: batches of a dataset in the order of a sampler, from any point on."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from dispatch_core.utils.data._core import Generator
from dispatch_core.utils.data._iterator import InProcessIterator, Pass, Position
from dispatch_core.utils.data._order import capture
from dispatch_core.utils.data._utils.collate import default_collate, default_convert
from dispatch_core.utils.data._utils.fetch import Recipe
from dispatch_core.utils.data._utils.worker import get_worker_info
from dispatch_core.utils.data.dataset import Dataset, IterableDataset, draws_nothing
from dispatch_core.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

if TYPE_CHECKING:
    from dispatch_core.utils.data._workers.iterator import PersistentPool

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)
_FIXED = (
    "batch_size",
    "batch_sampler",
    "sampler",
    "drop_last",
    "dataset",
    "persistent_workers",
)


class _WithoutIndices(Sampler[None]):
    """The sampler of streams, which have no indices: says when to fetch, not what."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T_co]):
    """An iterable of the batches of a dataset.

    Samples are taken in the order of `sampler` (default: all of them, at random with `shuffle`),
    `batch_size` at a time or as `batch_sampler` says, and put together by `collate_fn` (default:
    `default_collate`). With `batch_size=None` samples come one by one, through `default_convert`.
    Random order comes from `generator`, or from the default one.

    `state_dict()` may be taken at any point, also in the middle of an epoch; after
    `load_state_dict` the next pass goes on from there in the same order, and with its last batch
    the generator is where it would have been. Nothing before is read again, except from an
    `IterableDataset`, whose samples are skipped.

    With `num_workers` above 0, as many processes (threads with `worker="thread"`) make batches
    ahead, `prefetch_factor` (2) each; large arrays come through shared memory. Each runs
    `worker_init_fn(number)` first, is started by the method or context `multiprocessing_context`,
    and ends with the pass, or with `persistent_workers` not before the loader does; then it does
    not see later changes of the dataset. Batches come in order, unless `in_order=False`.
    `timeout` is how many seconds a batch may be waited for. An exception in a worker is raised
    where its batch is asked for, with the worker's traceback; a worker that dies or is late is a
    RuntimeError.

    The framework's, Python's and numpy's global random numbers that loading a sample draws follow
    from the loader's seed, the epoch and the sample's place in it, so they are the same for any
    `num_workers`, and the program's own are not moved. (In threads this holds for the framework's;
    a dataset's `__getitems__` has one key for the whole batch.)

    Raises ValueError for options out of range or that exclude each other, and UnpicklableError for
    what processes cannot be sent where they are not forked.
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Any
    batch_sampler: Any
    prefetch_factor: int | None
    _initialized = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        worker: str = "process",
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if worker not in ("process", "thread"):
            raise ValueError(f"worker should be 'process' or 'thread', got worker={worker!r}")
        self._streams = isinstance(dataset, IterableDataset)
        if self._streams:
            _check_stream(shuffle, sampler, batch_sampler)
        _check_batching(batch_size, bool(shuffle), sampler, batch_sampler, drop_last)

        self.dataset = dataset
        self.num_workers = num_workers
        self.worker = worker
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.generator = generator

        if sampler is None:
            if self._streams:
                sampler = _WithoutIndices()
            elif shuffle:
                sampler = RandomSampler(cast(Any, dataset), generator=generator)
            else:
                sampler = SequentialSampler(cast(Any, dataset))
        self.drop_last = drop_last
        self.sampler = sampler
        self._cuts_batches = batch_sampler is None and batch_size is not None
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(cast(Any, sampler), batch_size, drop_last)
        self.batch_size = batch_size
        self.batch_sampler = batch_sampler
        default = default_collate if self._auto_collation else default_convert
        self.collate_fn = default if collate_fn is None else collate_fn

        self._IterableDataset_len_called: int | None = None
        self._epoch = 0
        self._current: Position | None = None
        self._resume: Position | None = None
        self._pool: PersistentPool | None = None
        self._told_of_pipes = False
        self._check_sending()
        self._initialized = True

    def __setattr__(self, attr: str, val: Any) -> None:
        if self._initialized and attr in _FIXED:
            raise ValueError(
                f"{attr} attribute should not be set after {type(self).__name__} is initialized; "
                "make a new loader"
            )
        super().__setattr__(attr, val)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    @property
    def _batch_length(self) -> int:
        return cast(int, self.batch_size)

    @property
    def _recipe(self) -> Recipe:
        return Recipe(self.dataset, self.collate_fn, self._auto_collation, self.drop_last)

    @property
    def _draws_nothing(self) -> bool:
        return self.collate_fn in (default_collate, default_convert) and draws_nothing(self.dataset)

    @property
    def multiprocessing_context(self) -> Any:
        """The context that worker processes are started in; None: that of the program."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading "
                    f"(num_workers > 0), but got num_workers={self.num_workers}"
                )
            context = _workers("starting").checked_context(context)
        self._context = context
        if self._initialized:
            self._check_sending()

    def _check_sending(self) -> None:
        """Finds what cannot be sent to processes while the line that made it is at hand."""
        if self.num_workers == 0 or self.worker == "thread":
            return
        parts = {
            "dataset": self.dataset,
            "collate_fn": self.collate_fn,
            "worker_init_fn": self.worker_init_fn,
        }
        _workers("starting").check_picklable(parts, self._context, self.num_workers)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}

    def __iter__(self) -> Pass:
        position, self._resume = self._resume, None
        make = InProcessIterator
        if self.num_workers > 0:
            make = _workers("iterator").WorkerIterator
        iterator = make(self, self._epoch, position)
        self._current = iterator.position
        self._epoch += 1
        return iterator

    def __len__(self) -> int:
        if not self._streams:
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(cast(Any, self.dataset))
        if self.batch_size is None:
            return length
        if self.drop_last:
            return length // self.batch_size
        return math.ceil(length / self.batch_size)

    def state_dict(self) -> dict[str, Any]:
        """Where the latest pass is: `epoch`, `samples_yielded`, `sampler_key` (gives its order).

        Between passes it is the start of the next one.
        """
        position = self._resume or self._current
        if position is None or position.ended:
            source = self.sampler if self._cuts_batches else self._index_sampler
            key = None if self._streams else capture(source)
            position = Position(self._epoch, 0, key)
        return position.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Makes the next pass go on where `state_dict` was taken; ValueError for other dicts."""
        missing = {"epoch", "samples_yielded", "sampler_key"} - set(state_dict)
        if missing:
            raise ValueError(
                f"the state dict of a DataLoader lacks {sorted(missing)}: it has "
                f"{sorted(state_dict)}; load what DataLoader.state_dict() returned"
            )
        self._epoch = state_dict["epoch"]
        self._resume = Position.of(state_dict)


def _workers(module: str) -> Any:
    """A module of the workers, which are imported when they are used: not every program has any."""
    return importlib.import_module(f"dispatch_core.utils.data._workers.{module}")


def _check_workers(
    num_workers: int,
    timeout: float,
    prefetch_factor: int | None,
    persistent_workers: bool,
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable workers, "
            f"got num_workers={num_workers}"
        )
    if timeout < 0:
        raise ValueError(f"timeout option should be non-negative, got timeout={timeout}")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified with workers (num_workers > 0); "
            f"set it to None, got prefetch_factor={prefetch_factor}"
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError(
            f"prefetch_factor option should be non-negative, got prefetch_factor={prefetch_factor}"
        )
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_stream(shuffle: bool | None, sampler: Any, batch_sampler: Any) -> None:
    given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, "
                f"but got {name}={value}; the dataset itself says what comes next"
            )


def _check_batching(
    batch_size: int | None, shuffle: bool, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                "drop_last"
            )
    elif batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )
