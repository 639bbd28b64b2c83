"""The device `opencl`; pyopencl is imported when it is first named."""

from __future__ import annotations

from dispatch_core.extend import Backend, hookimpl

DISPATCH_CORE_API = 1


@hookimpl
def dispatch_core_backend(device: str) -> Backend:
    """The backend of all OpenCL devices."""
    from dispatch_opencl.backend import OpenCLBackend  # noqa: PLC0415  imports pyopencl

    return OpenCLBackend()
