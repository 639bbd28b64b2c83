"""Which operators ran, on what, and how long they took: `with profile() as prof: ...`."""

from __future__ import annotations

from dispatch_core.layers.profiler import (
    Average,
    Averages,
    Event,
    Profile,
    profile,
    record_function,
)

__all__ = ["Average", "Averages", "Event", "Profile", "profile", "record_function"]
