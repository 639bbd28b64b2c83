"""Functions that PyTorch has taken out again: a call says what stands in their place."""

from __future__ import annotations

from typing import Any, NoReturn

from dispatch_core._namespaces import public

_INSTEAD = {
    "eig": "linalg.eig",
    "lstsq": "linalg.lstsq, whose arguments are the other way round",
    "matrix_rank": "linalg.matrix_rank",
    "solve": "linalg.solve, whose arguments are the other way round",
    "symeig": "linalg.eigh, or linalg.eigvalsh for the eigenvalues alone",
}


def _declare(name: str, instead: str) -> None:
    def removed(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(f"{name}() was removed, as from PyTorch; use {instead}")

    removed.__name__ = removed.__qualname__ = name
    removed.__doc__ = f"Removed: RuntimeError; use `{instead.partition(',')[0]}`."
    places = ("",) if name == "matrix_rank" else ("", "Tensor")
    public(*places)(removed)


for _name, _said in _INSTEAD.items():
    _declare(_name, _said)
