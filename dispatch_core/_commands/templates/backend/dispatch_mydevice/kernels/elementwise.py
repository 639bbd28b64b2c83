"""Element-wise kernels."""

from __future__ import annotations

from dispatch_core.extend import float32, float64
from dispatch_mydevice import driver
from dispatch_mydevice.array import MydeviceArray


def neg(input: MydeviceArray) -> MydeviceArray:
    """Each element with the other sign."""
    # The device's function knows memory from end to end: what is only a view of some is copied first.
    source = input if input.is_whole else input.copied()
    out = MydeviceArray.empty(input.shape, input.dtype)
    driver.negate(source.memory, out.memory, input.dtype)
    return out


KERNELS = {
    "neg": (neg, (float32, float64)),  # numpy goes on serving the other dtypes
}
