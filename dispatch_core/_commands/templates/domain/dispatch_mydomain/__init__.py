"""Operators of the domain `mydomain`."""

from dispatch_mydomain.ops import mydomain_rescale

__all__ = ["mydomain_rescale"]
