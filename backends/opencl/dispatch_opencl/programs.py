"""Compiled programs, and the folder where their binaries are kept between runs."""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyopencl as cl
from pyopencl.characterize import has_src_build_cache

_MAGIC = b"dispatch-opencl program 1\n"


def cache_folder() -> Path | None:
    """Where binaries are kept: DISPATCH_OPENCL_CACHE, or the user's cache folder; None where it is "0"."""
    named = os.environ.get("DISPATCH_OPENCL_CACHE")
    if named == "0":
        return None
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dispatch-opencl"


class ProgramCache:
    """Binaries on disk, one file each, named by all that the result of compiling depends on.

    A file is written beside its place and then moved there, so that a reader sees all of it or
    nothing. What cannot be read, or does not say the checksum of its contents, counts as absent.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, device: Any, source: str, options: str) -> Path | None:
        """The file of a program."""
        if self.folder is None:
            return None
        platform = device.platform
        parts = (
            platform.name, platform.version, device.name, device.version, device.driver_version,
            options, source,
        )  # fmt: skip
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return self.folder / f"{digest}.bin"

    def read(self, path: Path | None) -> bytes | None:
        """The binary in a file; None where there is none that is whole."""
        if path is None:
            return None
        try:
            content = path.read_bytes()
        except OSError:
            return None
        head, checksum, binary = content[:26], content[26:58], content[58:]
        whole = head == _MAGIC and checksum == hashlib.sha256(binary).digest()
        return binary if whole else None

    def write(self, path: Path | None, binary: bytes) -> None:
        """Keep a binary; where the folder cannot be written, nothing is kept."""
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_MAGIC + hashlib.sha256(binary).digest() + binary)
                os.replace(name, path)
            except OSError:
                os.unlink(name)
        except OSError:
            return

    def build(self, context: Any, device: Any, source: str, options: str) -> Any:
        """The compiled program, from the folder where it is there."""
        path = self.path(device, source, options)
        binary = self.read(path)
        if binary is not None:
            try:
                with _quiet():
                    return cl.Program(context, [device], [binary]).build(options=options.split())
            except cl.Error:  # made by a driver that only says it is the same
                pass
        with _quiet():
            program = cl.Program(context, source)
            if path is None:
                return program.build(options=options.split())
            # In two steps: what pyopencl builds in one it keeps in a cache of its own.
            parts = [program.compile(options=options.split())]
            program = cl.link_program(context, parts)  # type: ignore[no-untyped-call]
        self.write(path, program.get_info(cl.program_info.BINARIES)[0])
        return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of compilers that have nothing to complain of, and of pyopencl's cache."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cl.CompilerWarning)
        warnings.filterwarnings("ignore", message="Pre-build attribute access")
        yield


def cache_for(device: Any) -> ProgramCache:
    """The cache for a device; one that keeps nothing where the driver has its own (PoCL, NVIDIA)."""
    return ProgramCache(None if has_src_build_cache(device) else cache_folder())
