"""Every operator of the core on a simulated device."""

from dispatch_core.testing import conformance


class TestSim(conformance.Suite):
    device = "sim:1"
