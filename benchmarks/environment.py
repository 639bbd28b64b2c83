"""Where a measurement was made: versions, processor, threads; and a clean start for it."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

import numpy as np

# Some machines export these: then numpy's matrix products run at half their speed, and what was edited
# is compiled anew at each import.
HARMFUL = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
STARTED = "DISPATCH_BENCH_STARTED"


def start_clean(module: str, threads: int) -> None:
    """Replace this process by one with sane settings: BLAS libraries read them when loaded."""
    if os.environ.get(STARTED):
        return
    environment = {key: value for key, value in os.environ.items() if key not in HARMFUL}
    environment |= dict.fromkeys(THREADS, str(threads))
    environment[STARTED] = ",".join(key for key in HARMFUL if key in os.environ) or "none"
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)


def describe(*distributions: str) -> dict[str, str]:
    """What a reader of the figures has to know, by name."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    facts = {"python": f"{platform.python_version()} on {platform.platform()}"}
    for name in dict.fromkeys(("numpy", *distributions)):
        facts[name.replace("_", "-")] = importlib.metadata.version(name)
    facts["numpy's BLAS"] = f"{blas['name']} {blas['version']}"
    facts["processor"] = f"{_processor()}, {len(_usable_cores())} cores usable"
    facts["threads"] = ", ".join(f"{key}={os.environ.get(key, 'not set')}" for key in THREADS)
    facts["unset at the start"] = os.environ.get(STARTED, "none").replace(",", ", ")
    return facts


def _processor() -> str:
    """The processor's name as its maker writes it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _usable_cores() -> range | set[int]:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)
