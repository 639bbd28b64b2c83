"""Data loading and other helpers of training."""

from __future__ import annotations

from dispatch_core.utils import data

__all__ = ["data"]
