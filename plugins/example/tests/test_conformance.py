"""Every declared operator on the devices `example` and `minimal`."""

from dispatch_core.testing import conformance


class TestExample(conformance.Suite):
    device = "example"


class TestMinimal(conformance.Suite):
    device = "minimal"
