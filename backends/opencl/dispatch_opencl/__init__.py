"""OpenCL devices for dispatch_core."""
