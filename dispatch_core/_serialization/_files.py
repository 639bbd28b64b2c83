"""Bytes in and out of files: mapped or streamed sources, and writes that replace a whole file."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import secrets
import stat
from collections.abc import Iterator
from typing import IO, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from dispatch_core._errors import FileFormatError

Bytes: TypeAlias = npt.NDArray[np.uint8]
PathLike: TypeAlias = str | os.PathLike[str]


@runtime_checkable
class Writable(Protocol):
    """What `save` needs of a file object."""

    def write(self, data: Any, /) -> Any: ...


@runtime_checkable
class Readable(Protocol):
    """What `load` needs of a file object; `seek` and `tell` are used where they work."""

    def read(self, size: int = -1, /) -> bytes: ...


class Source(Protocol):
    """A run of bytes of known size; `read` returns a writable array, private or a view of a map."""

    name: str
    size: int

    def read(self, begin: int, end: int) -> Bytes: ...
    def close(self) -> None: ...


class MappedSource:
    """A file mapped copy-on-write: reading costs nothing until pages are touched.

    Arrays keep the map alive after `close`. Should another program shorten the file in place,
    touching the lost pages kills the process (SIGBUS); replacing it, as `save` does, is harmless.
    """

    def __init__(self, path: PathLike) -> None:
        self.name = os.fspath(path)
        with open(path, "rb") as file:
            self._bytes: Bytes = np.empty(0, np.uint8)
            if os.fstat(file.fileno()).st_size:  # an empty file cannot be mapped
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
                self._bytes = np.frombuffer(mapped, np.uint8)
        self.size = self._bytes.size

    def read(self, begin: int, end: int) -> Bytes:
        return self._bytes[begin:end]

    def close(self) -> None:
        self._bytes = np.empty(0, np.uint8)


class StreamSource:
    """A file object read piecewise from its present position to its end."""

    def __init__(self, file: Readable, name: str, *, owned: bool = False) -> None:
        self.name = name
        self._owned = owned
        try:
            self._start = file.tell()  # type: ignore[attr-defined]
            end = file.seek(0, os.SEEK_END)  # type: ignore[attr-defined]
            self.size = max(0, end - self._start)
            self._file: Any = file
        except (AttributeError, OSError):
            # A pipe: neither its length nor its past can be had, so take all of it.
            content = file.read()
            self._start, self.size, self._file = 0, len(content), io.BytesIO(content)

    def read(self, begin: int, end: int) -> Bytes:
        self._file.seek(self._start + begin)
        result = np.empty(end - begin, np.uint8)
        filled = 0
        while filled < result.size:
            filled += self._read_some(result[filled:])
        return result

    def _read_some(self, into: Bytes) -> int:
        if hasattr(self._file, "readinto"):
            count = self._file.readinto(into.data) or 0
        else:
            piece = self._file.read(into.size)
            count = len(piece)
            into[:count] = np.frombuffer(piece, np.uint8)
        if not count:
            raise FileFormatError(
                f"{self.name}: the file ended while it was read; was it replaced?"
            )
        return int(count)

    def close(self) -> None:
        if self._owned:
            self._file.close()


def open_source(file: PathLike | Readable | Source, *, map_file: bool) -> Source:
    """Return the bytes of a path or of a binary file object; a source is one already.

    Raises:
        OSError: the path cannot be opened.
        TypeError: `file` is neither a path nor an object with a `read` method.

    """
    if isinstance(file, (MappedSource, StreamSource)):
        return file
    if isinstance(file, (str, os.PathLike)):
        if map_file:
            return MappedSource(file)
        return StreamSource(open(file, "rb"), os.fspath(file), owned=True)
    if isinstance(file, Readable) and not isinstance(file, io.TextIOBase):
        return StreamSource(file, str(getattr(file, "name", f"<{type(file).__name__}>")))
    raise TypeError(
        f"expected a path or a binary file object with a 'read' method, got {type(file).__name__}"
    )


@contextlib.contextmanager
def replacing(path: PathLike) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of `path` if the block ends well, else vanishes.

    It is written beside `path`, flushed to the disk and renamed, so whoever looks at `path`, even
    after a crash, finds the whole old file or the whole new one. The old file's permissions are
    kept, and a symbolic link stays one.

    Raises:
        RuntimeError: the directory does not exist.
        OSError: it cannot be written.

    """
    target = os.path.realpath(path)
    directory, name = os.path.split(target)
    if not os.path.isdir(directory):
        raise RuntimeError(f"Parent directory {directory} does not exist.")
    if os.path.isdir(target):
        raise IsADirectoryError(f"cannot save to {target!r}: it is a directory; give a file name")
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as device:  # /dev/stdout, a named pipe: nothing there to keep whole
            yield device
        return
    temporary = os.path.join(directory, f".{name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(directory)


def _sync_directory(directory: str) -> None:
    """Make the renaming itself survive a power failure, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems refuse
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(file: Writable, data: bytes | Bytes) -> None:
    """Write every byte of `data`, also to raw files, which may take fewer than they are given."""
    rest = memoryview(data) if isinstance(data, bytes) else data.data
    while len(rest):
        written = file.write(rest)
        if written is None or written >= len(rest):
            return
        rest = rest[written:]
