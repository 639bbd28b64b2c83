"""Which OpenCL devices of this machine work: those that compile and run a kernel of one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyopencl as cl

from dispatch_opencl.device import Device

_PROBE = "kernel void probe(global int* out) { out[0] = 42; }"


def _works(device: Any) -> str:
    """Empty, or why the device cannot be used."""
    try:
        context = cl.Context([device])
        queue = cl.CommandQueue(context, device)
        program = cl.Program(context, _PROBE).build(options=["-w"])
        out = cl.Buffer(context, cl.mem_flags.READ_WRITE, 4)
        cl.Kernel(program, "probe")(queue, (1,), (1,), out)
        found = np.zeros(1, np.int32)
        cl.enqueue_copy(queue, found, out)
    except Exception as error:  # noqa: BLE001  drivers fail in any way
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return "" if found[0] == 42 else f"its kernels compute {found[0]} instead of 42"


def _rank(device: Any) -> int:
    """Graphics first, then Intel's CPU runtime, then others."""
    if not device.type & cl.device_type.CPU:
        return 0
    return 1 if "intel" in device.platform.vendor.lower() else 2


def find_devices() -> tuple[list[Device], str]:
    """The devices that work, best first, and what is wrong where there are none."""
    try:
        platforms = cl.get_platforms()
    except cl.Error as error:
        return [], f"no OpenCL platform is installed ({error}); {FIX}"
    devices, problems = [], []
    for platform in platforms:
        try:
            found = platform.get_devices()
        except cl.Error as error:
            problems.append(f"{platform.name}: {error}")
            continue
        for device in found:
            problem = _works(device)
            if problem:
                problems.append(f"{device.name} ({platform.name}): {problem}")
            else:
                devices.append(device)
    devices.sort(key=_rank)
    why = f"{'; '.join(problems) or 'no platform has a device'}; {FIX}"
    return [Device(device, index) for index, device in enumerate(devices)], why


FIX = "install a driver, on Debian for the CPU: apt-get install pocl-opencl-icd"
