"""Times of two sides taken in turn, and what is told of them."""

import gc
import itertools
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

Loop = Callable[[object], None]


@dataclass(frozen=True)
class Side:
    """Seconds that one run of a case took on one side, one figure a repeat."""

    samples: list[float] = field(repr=False)

    @property
    def min(self) -> float:
        """The repeat least disturbed by the machine."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """The usual repeat."""
        return statistics.median(self.samples)


def in_turn(peer: Loop, subject: Loop, *, repeats: int, batch_seconds: float) -> tuple[Side, Side]:
    """Time A B A B ... with the garbage collector off; each repeat is a batch of runs."""
    loops = (peer, subject)
    runs = [_runs_of_a_batch(loop, batch_seconds) for loop in loops]
    samples: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            for side, loop in enumerate(loops):
                samples[side].append(_batch(loop, runs[side]) / runs[side])
    finally:
        gc.enable()
    return Side(samples[0]), Side(samples[1])


def _batch(loop: Loop, runs: int) -> float:
    """Seconds for that many runs."""
    iterations = itertools.repeat(None, runs)
    start = perf_counter()
    loop(iterations)
    return perf_counter() - start


def _runs_of_a_batch(loop: Loop, batch_seconds: float) -> int:
    """How many runs fill a batch; the first batches warm caches and are thrown away."""
    runs = 1
    _batch(loop, runs)
    while (seconds := _batch(loop, runs)) < batch_seconds / 4:
        runs *= 4
    return max(1, round(runs * batch_seconds / seconds))


def imports_in_turn(peer: str, subject: str, *, repeats: int) -> tuple[Side, Side]:
    """Seconds that `import peer` and `import subject` take, each in a fresh interpreter.

    As on a user's machine, modules are compiled once: the first round, whose times are dropped, writes
    what the others read, also where the environment asks Python not to.
    """
    samples: tuple[list[float], list[float]] = ([], [])
    cached = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for attempt in range(repeats + 1):
        for side, module in enumerate((peer, subject)):
            program = (
                "from time import perf_counter; start = perf_counter(); "
                f"import {module}; print(perf_counter() - start)"
            )
            result = subprocess.run(
                [sys.executable, "-c", program],
                check=True,
                capture_output=True,
                text=True,
                env=cached,
            )
            if attempt:
                samples[side].append(float(result.stdout))
    return Side(samples[0]), Side(samples[1])
