"""Memory that two processes map. It has no name: it is gone with its last mapping, however they end.

On Linux it belongs to no mounted file system either, so the size of `/dev/shm` does not matter.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
from typing import Any

if sys.platform != "win32":
    import _posixshmem  # type: ignore[import-not-found]  # not in the stubs

_POPULATE: int = getattr(mmap, "MAP_POPULATE", 0)


def create(size: int) -> int:
    """A file descriptor of new shared memory; OSError where there is not enough, or none at all."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("dispatch-core-loader", os.MFD_CLOEXEC)
    else:
        fd = _unlinked()
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)  # a file that only looks large kills who writes into it
        else:
            os.ftruncate(fd, size)
    except OSError:
        os.close(fd)
        raise
    return fd


def _unlinked() -> int:
    if sys.platform == "win32":
        raise OSError("no shared memory can be sent between processes on this platform")
    name = f"/dc-{secrets.token_hex(8)}"
    fd: int = _posixshmem.shm_open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    _posixshmem.shm_unlink(name)
    return fd


def mapped(fd: int, size: int) -> mmap.mmap:
    """The memory behind a file descriptor, for reading and writing."""
    if sys.platform == "win32":
        raise OSError("no shared memory can be sent between processes on this platform")
    options: dict[str, Any] = {"flags": mmap.MAP_SHARED | _POPULATE}
    if sys.version_info >= (3, 13):
        options["trackfd"] = False  # or it would hold a descriptor of its own
    return mmap.mmap(fd, size, **options)
