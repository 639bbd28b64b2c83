"""Our operators, tested by the core's suite on the devices that are named here."""

from dispatch_core.testing import conformance


class TestMydomain(conformance.Suite):
    device = "cpu"
    namespace = "mydomain"
