"""Every operator of the core on the device `opencl`.

The operators that have kernels of ours are checked in all ways; those that are made of them are
compared with the host, and checked in all ways with the slow tests.
"""

import pytest

from dispatch_core.extend import VIEW_KERNELS, KernelTable
from dispatch_core.testing import conformance
from dispatch_opencl.kernels import register

TABLE = KernelTable("opencl")
register(TABLE)
OWN = {name for name in TABLE.names() if not name.endswith("_new")}
STEPS = {name for name in OWN if name.endswith("_")}
CHECKS = {
    name.removeprefix("test_") for name in vars(conformance.Suite) if name.startswith("test_")
}


class TestKernels(conformance.Suite):
    device = "opencl"
    operators = tuple(sorted(OWN - STEPS - set(VIEW_KERNELS)))


class TestValues(conformance.Suite):
    device = "opencl"
    leaves_out = frozenset(CHECKS - {"values"})


@pytest.mark.slow
class TestInFull(conformance.Suite):
    device = "opencl"
