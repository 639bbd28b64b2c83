"""Kullback and Leibler's divergence between distributions, found by their classes."""

from __future__ import annotations

from dispatch_core.distributions.kl import _across, _families, _infinite, _made, _normals  # noqa: F401
from dispatch_core.distributions.kl._registry import kl_divergence, register_kl

__all__ = ["kl_divergence", "register_kl"]
