"""The methods of Tensor: operators bound from the operator table, and what is no operator."""

from __future__ import annotations

from dispatch_core._methods._binding import bind
from dispatch_core._methods._conversions import parse_to

__all__ = ["bind", "parse_to"]
