"""Exceptions that travel from a worker to the user, with the worker's traceback in their message."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass

from dispatch_core.utils.data._utils.worker import get_worker_info


class _Verbatim(str):
    """A string that a KeyError, which shows the `repr` of its key, shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception in a worker, as text; its class where that can be sent."""

    kind: bytes
    name: str
    where: str
    text: str

    @classmethod
    def of(cls, error: BaseException, place: str) -> Failure:
        """The failure that `error` is; `place` is what kind of worker it happened in."""
        info = get_worker_info()
        where = f"in DataLoader worker {place}" + ("" if info is None else f" {info.id}")
        try:
            kind = pickle.dumps(type(error))
        except Exception:  # noqa: BLE001  a class that cannot be found by name: only its name is sent
            kind = b""
        text = "".join(traceback.format_exception(error))
        return cls(kind, type(error).__qualname__, where, text)

    def exception(self) -> Exception:
        """An exception of the same class, or RuntimeError where none can be made from a message."""
        message = f"Caught {self.name} {self.where}.\nOriginal {self.text}"
        try:
            kind = pickle.loads(self.kind)
            if issubclass(kind, KeyError):
                message = _Verbatim(message)
            made = kind(message=message) if getattr(kind, "message", None) else kind(message)
        except Exception:  # noqa: BLE001  whatever a constructor or an import does
            return RuntimeError(message)
        # A StopIteration would end the user's loop without a word.
        if not isinstance(made, Exception) or isinstance(made, StopIteration):
            return RuntimeError(message)
        return made
