"""Finding results that are used on another stream without synchronization.

Work runs at once, in the order in which the program gives it; kept are vector clocks (C. Fidge,
"Timestamps in message-passing systems that preserve the partial ordering", 1988). A memory remembers
which work wrote it last and which read it since. Work that reads it must come after that write, work
that writes it after those reads too: otherwise a real device would leave the order to chance.
"""

from __future__ import annotations

import threading
import warnings
from typing import NamedTuple

from dispatch_core.extend import AcceleratorError
from dispatch_sim.simulation import settings
from dispatch_sim.streams import SimStream


class RaceError(AcceleratorError):
    """A stream uses memory while work on it in another stream may not be done."""


class RaceWarning(UserWarning):
    """The same, where races only warn."""


class Uses:
    """Which work wrote a memory, which read it since, and who is waited for before it is used again."""

    __slots__ = ("home", "read", "recorded", "written")

    def __init__(self, home: SimStream | None) -> None:
        self.home = home
        """The stream that it was made in, which may be given it again; None: a constant's."""
        self.written: tuple[SimStream, int] | None = None
        self.read: dict[SimStream, int] = {}
        self.recorded: set[SimStream] = set()


class _Freed(NamedTuple):
    """A memory that was given back to `home` while work number `count` of `other` may use it."""

    home: SimStream
    other: SimStream
    count: int


LOCK = threading.RLock()
_FREED: list[_Freed] = []


def read(uses: Uses, stream: SimStream, what: str) -> None:
    """Note that a stream's present work reads a memory; report it where the last write may not be done."""
    if uses.home is None:
        return
    if uses.written is not None and not stream.follows(*uses.written):
        _report(what, "reads", stream, uses.written[0], "wrote")
    uses.read[stream] = stream.count


def write(uses: Uses, stream: SimStream, what: str) -> None:
    """Note that it writes one; report it where another stream may still write or read it."""
    if uses.written is not None and not stream.follows(*uses.written):
        _report(what, "writes", stream, uses.written[0], "wrote")
    for other, count in uses.read.items():
        if not stream.follows(other, count):
            _report(what, "writes", stream, other, "reads")
    uses.written = (stream, stream.count)
    uses.read.clear()


def freed(uses: Uses) -> None:
    """Note a memory that goes back to its stream while others may use it; nothing is raised here."""
    home = uses.home
    if home is None:
        return
    last = dict(uses.read)
    if uses.written is not None:
        other, count = uses.written
        last[other] = max(count, last.get(other, 0))
    _FREED.extend(
        _Freed(home, other, count)
        for other, count in last.items()
        if other not in uses.recorded and not home.follows(other, count)
    )


def allocated(stream: SimStream) -> None:
    """Report a new memory in a stream that could be one which another stream may still use."""
    for each in [f for f in _FREED if f.home is stream]:
        _FREED.remove(each)
        if not stream.follows(each.other, each.count):
            _tell(
                f"{stream!r} takes new memory after a tensor was dropped that {each.other!r} may still "
                "use, and could be given the same: call x.record_stream(stream) before dropping x, or "
                "wait for the stream first"
            )


def _report(what: str, does: str, stream: SimStream, other: SimStream, did: str) -> None:
    _tell(
        f"{what} in {stream!r} {does} a tensor that {other!r} {did}, without waiting for it: call "
        "stream.wait_stream(other), wait for an event recorded there, or synchronize()"
    )


def _tell(message: str) -> None:
    choice = settings().races
    if choice == "error":
        raise RaceError(message)
    if choice == "warn":
        warnings.warn(message, RaceWarning, stacklevel=2)
