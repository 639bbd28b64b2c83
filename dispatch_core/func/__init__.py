"""Function transforms."""

from __future__ import annotations

from dispatch_core.func._forward import jacfwd, jvp

__all__ = ["jacfwd", "jvp"]
