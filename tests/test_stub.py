"""The stub that editors and type checkers read says what Tensor has."""

from __future__ import annotations

from dispatch_core.testing._stub import stub_path, tensor_stub


def test_the_stub_is_current() -> None:
    again = "python -m dispatch_core.testing._stub"
    assert stub_path().read_text() == tensor_stub(), f"run: {again}"


def test_comparisons_are_in_it() -> None:
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        assert f"    def __{name}__(self, other: Any) -> Tensor: ..." in tensor_stub()
