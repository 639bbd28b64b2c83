"""What the entry point names: importing it declares the operators."""

from dispatch_mydomain import ops  # noqa: F401

DISPATCH_CORE_API = 1
