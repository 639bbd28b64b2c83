"""Fourier transforms: the three that everything is made of, and PyTorch's names for them."""

from __future__ import annotations

from dispatch_core.ops.fft import one, order, several, transform  # noqa: F401
