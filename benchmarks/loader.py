"""Loading in two workers beside PyTorch's loader: `python -m benchmarks.loader`.

The same samples lie in memory; a batch of 64 images of 3x224x224 floats has 38.5 MB. Both loaders
shuffle, stack and hand over; the program looks at one value of each batch (or, "read", at all).
"""

import argparse
import gc
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

import numpy as np
import torch
import torch.utils.data

import dispatch_core as dc
from benchmarks.environment import describe, start_clean

SHAPE = (3, 224, 224)


class Images:
    """Samples as either framework has them."""

    def __init__(self, images: Any) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images) * 8

    def __getitem__(self, index: int) -> Any:
        return self.images[index % len(self.images)], index


def epoch(batches: Iterable[Any], look: Callable[[Any], Any]) -> float:
    """Seconds a batch, without the first ones, for which workers start and memory is made."""
    iterator = iter(batches)
    for _ in range(8):
        next(iterator)
    start = perf_counter()
    count = 0
    for x, _ in iterator:
        look(x)
        count += 1
    return (perf_counter() - start) / count


def main() -> None:
    """Prints the seconds of both sides, taken in turn, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    images = np.random.default_rng(0).random((256, *SHAPE), np.float32)
    torch.set_num_threads(1)
    common: dict[str, Any] = {
        "batch_size": options.batch,
        "shuffle": True,
        "num_workers": options.workers,
        "persistent_workers": True,
    }
    theirs = torch.utils.data.DataLoader(Images(torch.from_numpy(images)), **common)
    sides: dict[str, Iterable[Any]] = {
        "PyTorch, tensors": theirs,
        "ours, tensors": dc.utils.data.DataLoader(Images(dc.from_numpy(images)), **common),
        "ours, arrays": dc.utils.data.DataLoader(Images(images), **common),
        "ours, threads": dc.utils.data.DataLoader(
            Images(images), **(common | {"worker": "thread"})
        ),
    }
    looks: dict[str, Callable[[Any], Any]] = {
        "one value": lambda x: x[0, 0, 0, 0].item(),
        "read": lambda x: x.sum().item(),
    }
    for name, value in describe("torch", "dispatch-core").items():
        print(f"{name}: {value}")
    print(f"{images[: options.batch].nbytes / 1e6:.1f} MB a batch, {options.workers} workers")
    for what, look in looks.items():
        times: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(options.repeats):
            for name, side in sides.items():
                gc.collect()
                times[name].append(epoch(side, look))
        least = {name: min(found) for name, found in times.items()}
        for name, seconds in least.items():
            spread = sorted(times[name])[len(times[name]) // 2]
            ratio = least["PyTorch, tensors"] / seconds
            print(
                f"{what:10} {name:18} min {seconds * 1e3:7.2f} ms  median {spread * 1e3:7.2f} ms"
                f"  {ratio:5.2f} times as fast"
            )


if __name__ == "__main__":
    start_clean("benchmarks.loader", 1)
    main()
