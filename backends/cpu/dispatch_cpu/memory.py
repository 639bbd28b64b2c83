"""How glibc treats freed memory: it keeps the pages, so that large arrays need not fault them in again.

Without this, glibc returns every large block to the system when it is freed, and the next array of that
size pays for each of its pages again: element-wise steps on arrays of megabytes take up to four times
as long. `DISPATCH_CORE_MALLOC=system` leaves the allocator as it is.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
from pathlib import Path

from dispatch_core.extend import Memory

_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
    except OSError:
        return None
    return library if hasattr(library, "gnu_get_libc_version") else None


def keep_freed_pages() -> bool:
    """Tell glibc to keep freed pages; returns whether it was told."""
    library = _glibc()
    if library is None or os.environ.get("DISPATCH_CORE_MALLOC") == "system":
        return False
    told = library.mallopt(_M_MMAP_MAX, 0) and library.mallopt(_M_TRIM_THRESHOLD, -1)
    return bool(told)


def trim() -> None:
    """Give free pages back to the system."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def use() -> Memory | None:
    """What the process uses of the machine's memory; None where the system does not say."""
    try:
        process = _fields("/proc/self/status")
        machine = _fields("/proc/meminfo")
        used = process["VmRSS"]
        return Memory(used, process["VmHWM"], used, machine["MemAvailable"], machine["MemTotal"])
    except (OSError, KeyError):
        return None


def reset_peak() -> None:
    """Let the kernel count the process's largest use anew, where it can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _fields(path: str) -> dict[str, int]:
    """The numbers of such a file, in bytes."""
    found = re.findall(r"^(\w+):\s+(\d+) kB$", Path(path).read_text(), re.MULTILINE)
    return {name: int(value) * 1024 for name, value in found}
