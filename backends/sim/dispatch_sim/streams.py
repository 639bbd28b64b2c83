"""Streams and events of simulated devices: vector clocks, and a simulated time for each stream."""

from __future__ import annotations

import weakref
from typing import Any

from dispatch_core.extend import Event, Stream

Clock = dict[int, int]
"""Stream number -> how much of its work is done before."""


class _Host:
    waited: Clock = {}  # noqa: RUF012  the one of this process
    """What the host has waited for: work that is given later comes after it, in every stream."""


STREAMS: weakref.WeakSet[SimStream] = weakref.WeakSet()
"""All that somebody still holds, or that a memory was used by."""


class SimStream(Stream):
    """Work is done at once; kept is what it comes after, and when it would be done."""

    def __init__(self, device: Any = None, *, priority: int = 0) -> None:
        super().__init__(device, priority=priority)
        self.count = 0
        """How much work was given so far."""
        self.waited: Clock = {}
        """What all work given from now on comes after."""
        self.seconds = 0.0
        """When the work given so far is done, had each stream a processor of its own."""
        STREAMS.add(self)

    def follows(self, other: SimStream, count: int) -> bool:
        """Whether work given now comes after work number `count` of another stream."""
        return other is self or count <= max(self.waited.get(other.stream_id, 0), other.host_waited)

    @property
    def host_waited(self) -> int:
        """How much of the stream's work the host has waited for."""
        return _Host.waited.get(self.stream_id, 0)

    def clock(self) -> Clock:
        """What is done when all work given so far is."""
        return self.waited | {self.stream_id: self.count}

    def join(self, clock: Clock, seconds: float) -> None:
        """Come after the work of a clock, which is done at a time."""
        _advance(self.waited, clock)
        self.seconds = max(self.seconds, seconds)

    def query(self) -> bool:
        """Whether the host has waited for all work given so far."""
        return self.host_waited >= self.count

    def synchronize(self) -> None:
        _advance(_Host.waited, self.clock())


class SimEvent(Event):
    """The clock and the time of a stream at the place of the mark."""

    _clock: Clock

    def mark(self, stream: Stream) -> None:
        if isinstance(stream, SimStream):
            self._clock = stream.clock()
            self._seconds = stream.seconds

    def wait(self, stream: Stream | None = None) -> None:
        if self.stream is None:
            return
        waiting = self.current() if stream is None else stream
        if isinstance(waiting, SimStream):
            waiting.join(self._clock, self._seconds)
        else:
            self.synchronize()

    def query(self) -> bool:
        """Whether the host has waited for what was given before the mark."""
        return self.stream is None or all(
            _Host.waited.get(number, 0) >= count for number, count in self._clock.items()
        )

    def synchronize(self) -> None:
        if self.stream is not None:
            _advance(_Host.waited, self._clock)


def _advance(clock: Clock, by: Clock) -> None:
    for number, count in list(by.items()):
        if count > clock.get(number, 0):
            clock[number] = count
