"""Every operator of dispatch_core on the device."""

from dispatch_core.testing import conformance


class TestMydevice(conformance.Suite):
    device = "mydevice"
