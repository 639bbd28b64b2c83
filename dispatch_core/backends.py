"""PyTorch's switches of its numeric libraries, which programs set. Nothing here depends on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]


class Library:
    """The switches of one library, and whether it is in use: it never is. AttributeError for others."""

    _name: str

    def __init__(self, name: str, **switches: Any) -> None:
        self.__dict__["_name"] = name
        self.__dict__.update(switches)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__dict__:
            raise AttributeError(f"dispatch_core.backends.{self._name} has no switch '{name}'")
        self.__dict__[name] = value

    def __repr__(self) -> str:
        return f"<switches of {self._name}>"

    def is_available(self) -> bool:
        """Whether the library is used: False."""
        return False

    def is_built(self) -> bool:
        """Whether it could be used: False."""
        return False

    def version(self) -> None:
        """The version in use: None."""

    @contextmanager
    def flags(self, **switches: Any) -> Iterator[None]:
        """Set switches for a block."""
        before = {name: self.__dict__.get(name) for name in switches}
        for name, value in switches.items():
            setattr(self, name, value)
        try:
            yield
        finally:
            self.__dict__.update(before)


cudnn = Library("cudnn", enabled=True, benchmark=False, deterministic=False, allow_tf32=True)
cuda = Library("cuda", matmul=Library("cuda.matmul", allow_tf32=False))
mkl = Library("mkl")
mkldnn = Library("mkldnn", enabled=True)
mps = Library("mps")
openmp = Library("openmp")
