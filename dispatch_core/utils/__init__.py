"""Data loading and other helpers of training."""

from __future__ import annotations

from dispatch_core.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
