"""Every operator of the core on the devices `example` and `minimal`, and our own on three devices."""

from dispatch_core.testing import conformance


class TestExample(conformance.Suite):
    device = "example"


class TestMinimal(conformance.Suite):
    device = "minimal"


class TestOwnOperators(conformance.Suite):
    device = "cpu"
    namespace = "example"


class TestOwnOperatorsHere(conformance.Suite):
    device = "example"
    namespace = "example"


class TestOwnOperatorsOnTheLeast(conformance.Suite):
    device = "minimal"
    operators = ("example.smoothstep",)
