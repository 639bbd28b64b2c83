"""Streams, the queues of a device's work, and events, marks in them; here those of one in-order queue.

A device that has several queues derives both classes and names them in its backend (`Backend.stream`,
`Backend.event`). Which stream is the current one of a device, and which device of a type, belongs to
the thread or task.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, ClassVar, Self

from dispatch_core._device import device as Device

if TYPE_CHECKING:
    from dispatch_core.backend.api import Backend

_numbers = itertools.count(1)


class _Slots:
    place: Callable[[Any], Device]
    """A device argument as a usable device; None and numbers are the accelerator's, without one the host."""
    backend: Callable[[str], Backend]


SLOTS = _Slots()


class Stream:
    """A queue of work on one device, done in the order in which it was given.

    `Stream(device)` makes a new one; as a context manager it is the current stream of its device, and
    the device that of its type, for this thread or task. Here all streams of a device are its only
    queue, so that none need wait for another. A class for several queues overrides `query`,
    `synchronize` and, with its own `Event`, whatever waits.

    Raises DeviceNotFoundError or DeviceUnavailableError for a device that cannot be used.
    """

    device: Device
    priority: int
    """Lower numbers are more urgent, where a device knows priorities."""
    stream_id: int
    """A number that no other stream of this process has."""

    _tokens: list[tuple[Token[Any], ...]]

    def __new__(cls, device: Any = None, *, priority: int = 0) -> Self:
        chosen: Any = SLOTS.backend(SLOTS.place(device).type).stream if cls is Stream else cls
        return object.__new__(chosen)

    def __init__(self, device: Any = None, *, priority: int = 0) -> None:
        self.device = SLOTS.place(device)
        self.priority = int(priority)
        self.stream_id = next(_numbers)
        self._tokens = []

    @property
    def device_index(self) -> int | None:
        """The number of the device; None where its type has only one."""
        return self.device.index

    def query(self) -> bool:
        """Whether all work given to the stream so far is done; a single queue is waited for."""
        self.synchronize()
        return True

    def synchronize(self) -> None:
        """Wait, on the host, until all work given to the stream so far is done."""
        SLOTS.backend(self.device.type).synchronize(self.device.index)

    def record_event(self, event: Event | None = None) -> Event:
        """Set a mark behind all work given to the stream so far; returns it."""
        event = Event(self.device) if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Have all work given to the stream from now on wait for a mark in another one."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """Have all work given from now on wait for what was given to another stream so far."""
        self.wait_event(stream.record_event())

    def __enter__(self) -> Self:
        self._tokens.append((choose_index(self.device), choose_stream(self)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        index, stream = self._tokens.pop()
        restore_stream(stream, self.device)
        restore_index(index, self.device.type)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.stream_id} of {self.device}>"


class Event:
    """A mark in a stream, done when all that was given to the stream before it is done.

    With `enable_timing=True` two of them tell how long the work between them took. `blocking` says
    that a waiting host may sleep; `interprocess` events are for devices whose classes have them.

    Raises DeviceNotFoundError or DeviceUnavailableError for a device that cannot be used, and
    NotImplementedError for `interprocess=True` where events cannot leave the process.
    """

    shared: ClassVar[bool] = False
    """Whether events of this class can be seen by other processes."""

    device: Device
    event_id: int
    timed: bool

    def __new__(
        cls,
        device: Any = None,
        *,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
    ) -> Self:
        chosen: Any = SLOTS.backend(SLOTS.place(device).type).event if cls is Event else cls
        return object.__new__(chosen)

    def __init__(
        self,
        device: Any = None,
        *,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
    ) -> None:
        self.device = SLOTS.place(device)
        if interprocess and not self.shared:
            raise NotImplementedError(
                f"events of device '{self.device.type}' cannot be shared between processes"
            )
        self.event_id = next(_numbers)
        self.timed = bool(enable_timing)
        self.blocking = bool(blocking)
        self.stream: Stream | None = None
        """Where it was recorded last."""
        self._seconds = 0.0

    def record(self, stream: Stream | None = None) -> None:
        """Set the mark behind all work given so far to a stream (None: the current one).

        Raises RuntimeError for a stream of another device.
        """
        stream = self._own(stream)
        self.stream = stream
        self.mark(stream)

    def _own(self, stream: Stream | None) -> Stream:
        """A stream argument of `record`, which must be of the event's device."""
        if stream is None:
            return self.current()
        if stream.device != self.device:
            raise RuntimeError(
                f"an event of device '{self.device}' was to be recorded in a stream of "
                f"'{stream.device}': make the event with Event(stream.device)"
            )
        return stream

    def current(self) -> Stream:
        """The current stream of the event's device."""
        return SLOTS.backend(self.device.type).current_stream(self.device.index)

    def mark(self, stream: Stream) -> None:
        """What `record` does on the device; where there is one queue, only the time is of interest."""
        if self.timed:
            stream.synchronize()
            self._seconds = time.perf_counter()

    def wait(self, stream: Stream | None = None) -> None:
        """Have all work given from now on to a stream (None: the current one) wait for the mark.

        Nothing has to be done where the queue is the same; for a stream of another device the host waits.
        """
        if stream is not None and stream.device != self.device:
            self.synchronize()

    def query(self) -> bool:
        """Whether what was given before the mark is done; True before it was recorded."""
        return self.stream is None or self.stream.query()

    def synchronize(self) -> None:
        """Wait, on the host, until what was given before the mark is done."""
        if self.stream is not None:
            self.stream.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """The milliseconds between this mark and a later one.

        Raises RuntimeError where one of them was made without `enable_timing=True`, or not recorded.
        """
        if not (self.timed and end_event.timed):
            raise RuntimeError("Both events must be created with argument 'enable_timing=True'.")
        if self.stream is None or end_event.stream is None:
            raise RuntimeError(
                "Both events must be recorded before calculating elapsed time: call record()"
            )
        return (end_event.seconds() - self.seconds()) * 1e3

    def seconds(self) -> float:
        """When the mark was reached, on a clock of the device's own."""
        return self._seconds

    def __repr__(self) -> str:
        where = "not recorded" if self.stream is None else f"in {self.stream!r}"
        return f"<{type(self).__name__} {self.event_id} of {self.device}, {where}>"


# -- the current ones of a thread or task --------------------------------------------------------

Streams = dict[Device, Stream]
_streams: ContextVar[Streams] = ContextVar("streams", default={})  # noqa: B039  never written to
_indices: ContextVar[dict[str, int]] = ContextVar("device_indices", default={})  # noqa: B039  as above


def current_index(device_type: str) -> int:
    """The number that is meant where a device of the type is named without one."""
    return _indices.get().get(device_type, 0)


def chosen_stream(device: Device) -> Stream | None:
    """The stream that was made the current one of a device here."""
    return _streams.get().get(device)


def choose_index(device: Device) -> Token[Any]:
    """Make a device the current one of its type; undo with `restore_index`."""
    index = device.index
    chosen = _indices.get() if index is None else {**_indices.get(), device.type: index}
    token = _indices.set(chosen)
    if index is not None:
        SLOTS.backend(device.type).use_index(index)
    return token


def restore_index(token: Token[Any], device_type: str) -> None:
    """Make the device current that was before."""
    changed = current_index(device_type)
    _indices.reset(token)
    if current_index(device_type) != changed:
        SLOTS.backend(device_type).use_index(current_index(device_type))


def choose_stream(stream: Stream) -> Token[Any]:
    """Make a stream the current one of its device; undo with `restore_stream`."""
    token = _streams.set({**_streams.get(), stream.device: stream})
    SLOTS.backend(stream.device.type).use_stream(stream)
    return token


def restore_stream(token: Token[Any], device: Device) -> None:
    """Make the stream current that was before."""
    _streams.reset(token)
    backend = SLOTS.backend(device.type)
    backend.use_stream(backend.current_stream(device.index))
