"""What tests of the framework and of its plugins need; see `testing.conformance` for the suite."""

from __future__ import annotations

from dispatch_core.autograd import gradcheck, gradgradcheck
from dispatch_core.testing._comparison import assert_allclose, assert_close
from dispatch_core.testing._creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "gradcheck", "gradgradcheck", "make_tensor"]
