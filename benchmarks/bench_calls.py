"""pytest-benchmark over the same cases: the framework against its own past, without a peer."""

import pytest

import dispatch_core
from benchmarks.cases import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
def test_case(benchmark, case):
    """One run of the case's statement, plus the price of one Python call."""
    loop = case.loop(dispatch_core)
    benchmark.group = case.group
    benchmark(loop, (None,))
