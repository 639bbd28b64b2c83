"""Every declared operator on the cpu."""

from dispatch_core.testing import conformance


class TestCpu(conformance.Suite):
    device = "cpu"
