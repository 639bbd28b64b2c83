"""The generated tests of the operators, on every installed device that computes values."""

import dispatch_core as dc
from dispatch_core.testing import conformance

DEVICES = [info.type for info in dc.devices() if info.available and info.type != "meta"]

for _device in DEVICES:
    _name = f"TestOn{_device.capitalize()}"
    globals()[_name] = type(
        _name,
        (conformance.Suite,),
        {"device": _device, "namespace": "text", "__module__": __name__},
    )


def test_the_cpu_has_a_kernel_of_rotary():
    x = dc.rand(1, 2, 4, 6)
    shown = str(dc.explain(dc.ops.text.rotary, x, dc.rand(4, 6), dc.rand(4, 6)))
    assert "dispatch-text" in shown
