"""The device `opencl` beside `cpu`, in turn, in one process: `python -m benchmarks.opencl [name ...]`.

Prints milliseconds (least of the repeats) of both and their ratio, then what a call costs the host.
"""

import argparse
import gc
import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

import dispatch_core as dc
from benchmarks.environment import describe, start_clean

F = dc.nn.functional
MANY = 1 << 24


def element_wise(device: str) -> dict[str, Callable[[], Any]]:
    """On 16 M elements."""
    x, y = (dc.rand(MANY, device=device) for _ in range(2))
    return {
        "add": lambda: x + y,
        "multiply by a number": lambda: x * 2.0,
        "exp": x.exp,
        "tanh": x.tanh,
        "relu": lambda: dc.relu(x),
        "gelu": lambda: F.gelu(x),
    }


def rows(device: str) -> dict[str, Callable[[], Any]]:
    """On 16384 x 1024 elements."""
    x = dc.rand(1 << 14, 1 << 10, device=device)
    return {
        "sum of all": x.sum,
        "sum of rows": lambda: x.sum(1),
        "sum of columns": lambda: x.sum(0),
        "largest of rows": lambda: x.amax(1),
        "softmax": lambda: F.softmax(x, 1),
        "layer norm": lambda: F.layer_norm(x, (1024,)),
        "transposed copy": lambda: x.t().contiguous(),
    }


def products(device: str) -> dict[str, Callable[[], Any]]:
    """Square matrices, and a small linear layer."""
    found: dict[str, Callable[[], Any]] = {}
    for n in (256, 512, 1024, 2048):
        a = dc.rand(n, n, device=device)
        found[f"product {n}"] = lambda a=a: a @ a  # type: ignore[misc]
    x, w, b = (dc.rand(*size, device=device) for size in ((64, 784), (128, 784), (128,)))
    return found | {"linear 64x784x128": lambda: F.linear(x, w, b)}


def convolutions(device: str) -> dict[str, Callable[[], Any]]:
    """Kernels of 3x3, forward and backward."""
    found: dict[str, Callable[[], Any]] = {}
    for n, c, size in ((32, 64, 56), (64, 64, 32), (8, 16, 14)):
        x = dc.rand(n, c, size, size, device=device, requires_grad=True)
        w = dc.rand(c, c, 3, 3, device=device, requires_grad=True)
        out = F.conv2d(x, w, padding=1)
        name = f"convolution {n}x{c}x{size}x{size}"
        found[name] = lambda x=x, w=w: F.conv2d(x, w, padding=1).detach()  # type: ignore[misc]
        found[f"{name}, backward"] = lambda x=x, w=w, out=out: dc.autograd.grad(  # type: ignore[misc]
            out, [x, w], dc.ones_like(out), retain_graph=True
        )
    return found


def training(device: str) -> dict[str, Callable[[], Any]]:
    """Ten steps of a small convolutional network with Adam, 64 images of 8x8."""
    nn = dc.nn
    dc.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
    ).to(device)  # fmt: skip
    optimizer = dc.optim.Adam(model.parameters())
    x, y = dc.rand(64, 1, 8, 8, device=device), dc.randint(0, 10, (64,), device=device)

    def steps() -> None:
        for _ in range(10):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

    return {"10 steps of a small CNN": steps}


GROUPS = (element_wise, rows, products, convolutions, training)


def small(device: str) -> dict[str, Callable[[], Any]]:
    """Four elements: what the host pays."""
    x, y = dc.rand(4, device=device), dc.rand(4, device=device)
    return {
        "add": lambda: x + y,
        "add a number": lambda: x + 2.0,
        "exp": x.exp,
        "sum": x.sum,
        "cast": x.double,
    }


def least(function: Callable[[], Any], repeats: int) -> float:
    """Seconds of the fastest of some runs, each waited for."""
    found = []
    for _ in range(repeats):
        start = perf_counter()
        kept = function()
        dc.opencl.synchronize()
        found.append(perf_counter() - start)
        del kept
    return min(found)


def a_call(function: Callable[[], Any], count: int = 1000) -> float:
    """Seconds of one call out of many that are not waited for."""
    found = []
    for _ in range(5):
        start = perf_counter()
        for _ in range(count):
            function()
        found.append((perf_counter() - start) / count)
        dc.opencl.synchronize()
    return min(found)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="parts of the cases' names")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    for name, value in (describe("pyopencl") | {"opencl": dc.opencl.get_device_name()}).items():
        print(f"{name:20s} {value}")
    print(f"{'milliseconds':38s} {'cpu':>9s} {'opencl':>9s} {'ratio':>6s}")
    gc.disable()
    for group in GROUPS:
        here, there = group("opencl"), group("cpu")
        for name, function in here.items():
            if options.only and not any(part in name for part in options.only):
                continue
            function()
            times = [least(f, options.repeats) * 1e3 for f in (there[name], function)]
            print(f"{name:38s} {times[0]:9.3f} {times[1]:9.3f} {times[1] / times[0]:6.2f}")
        del here, there, function
        gc.collect()
        dc.opencl.empty_cache()
    print("microseconds of the host for a call")
    here, there = small("opencl"), small("cpu")
    for name, function in here.items():
        function()
        times = [a_call(f) * 1e6 for f in (there[name], function)]
        print(f"{name:38s} {times[0]:9.2f} {times[1]:9.2f} {times[1] / times[0]:6.2f}")


if __name__ == "__main__":
    start_clean("benchmarks.opencl", len(os.sched_getaffinity(0)))
    main()
