"""What makes the import of the package short: no garbage collection while its tables are made."""

from __future__ import annotations

import gc
from types import TracebackType


class NoCollection:
    """Context manager that pauses the garbage collector; what is made inside lives for ever anyway."""

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._was_on:
            return
        if not gc.get_freeze_count():
            # What was made goes to the oldest generation: the first allocation would otherwise look at it all.
            gc.freeze()
            gc.unfreeze()
        gc.enable()
