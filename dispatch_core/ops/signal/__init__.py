"""Window functions of signal processing."""

from __future__ import annotations

from dispatch_core.ops.signal import old_names, windows  # noqa: F401  they declare
