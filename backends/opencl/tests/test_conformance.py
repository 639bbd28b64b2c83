"""Every operator of the core on the device `opencl`."""

from dispatch_core.testing import conformance


class TestOpenCL(conformance.Suite):
    device = "opencl"
