"""The stub that editors and type checkers read says what Tensor has."""

from __future__ import annotations

from dispatch_core.testing._stub import stub_path, tensor_stub


def test_the_stub_is_current() -> None:
    again = "python -m dispatch_core.testing._stub"
    assert stub_path().read_text() == tensor_stub(), f"run: {again}"
