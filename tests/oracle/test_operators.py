"""Every operator against PyTorch's, one test for each check; without PyTorch there are none."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from tests.oracle.checks import CHECKS
from tests.oracle.comparison import Difference
from tests.oracle.differences import named, reason
from tests.oracle.operators import OPERATORS
from tests.oracle.samples import SAMPLES


def test_every_operator_has_samples() -> None:
    assert set(SAMPLES) == set(OPERATORS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("path", OPERATORS)
def test_agrees_with_pytorch(path: str, check: str) -> None:
    if reason(path, check) is None:
        CHECKS[check](OPERATORS[path])
        return
    try:
        CHECKS[check](OPERATORS[path])
    except Difference:
        return
    if named(path, check):
        pytest.fail("the difference is gone: take its line out of differences.txt")
