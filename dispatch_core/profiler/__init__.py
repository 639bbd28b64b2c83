"""Which operators ran, on what, and how long they took: `with profile() as prof: ...`."""

from __future__ import annotations

from dispatch_core.profiler._events import Average, Averages, Event, Events
from dispatch_core.profiler._layer import profile, record_function
from dispatch_core.profiler._profile import Profile
from dispatch_core.profiler._schedule import (
    ProfilerAction,
    ProfilerActivity,
    schedule,
    tensorboard_trace_handler,
)

__all__ = [
    "Average",
    "Averages",
    "Event",
    "Events",
    "Profile",
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "tensorboard_trace_handler",
]
