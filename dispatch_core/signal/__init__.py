"""Signal processing under PyTorch's names: window functions."""

from __future__ import annotations

from dispatch_core.signal import windows

__all__ = ["windows"]
