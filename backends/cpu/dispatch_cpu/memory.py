"""How glibc treats freed memory: it keeps the pages, so that large arrays need not fault them in again.

Without this, glibc returns every large block to the system when it is freed, and the next array of that
size pays for each of its pages again: element-wise steps on arrays of megabytes take up to four times
as long. `DISPATCH_CORE_MALLOC=system` leaves the allocator as it is.
"""

from __future__ import annotations

import ctypes
import os
import sys

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
