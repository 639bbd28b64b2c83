"""Skips the tests that need an OpenCL device where none works, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_opencl.devices import devices, why_none

HERE = Path(__file__).parent


def pytest_configure(config):
    config.addinivalue_line("markers", "without_device: needs no OpenCL device")


def pytest_collection_modifyitems(items):
    if devices():
        return
    reason = f"no OpenCL device works here: {why_none()}"
    for item in items:
        if HERE in item.path.parents and "without_device" not in item.keywords:
            item.add_marker(pytest.mark.skip(reason=reason))
