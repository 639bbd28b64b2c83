"""Which devices there are, when they are looked for, and what is said where none works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dispatch_core as dc


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip().splitlines()


def test_nothing_of_opencl_is_imported_before_it_is_named():
    code = (
        "import sys, dispatch_core as dc\n"
        "(dc.ones(2) + 1).sum()\n"
        "print('pyopencl' in sys.modules, 'dispatch_opencl' in sys.modules)\n"
        "dc.ones(2, device='opencl')\n"
        "print('pyopencl' in sys.modules)"
    )
    assert run(code) == ["False False", "True"]


def test_a_machine_without_opencl_says_what_to_install(tmp_path):
    code = (
        "import dispatch_core as dc\n"
        "print(dc.opencl.is_available(), dc.opencl.device_count())\n"
        "try: dc.ones(2, device='opencl')\n"
        "except RuntimeError as error: print(type(error).__name__, error)\n"
        "print([i.reason for i in dc.devices() if i.type == 'opencl'][0])"
    )
    first, second, third = run(code, OCL_ICD_VENDORS=str(tmp_path))
    assert first == "False 0"
    assert second.startswith(
        "DeviceUnavailableError device 'opencl' cannot be used here: no OpenCL"
    )
    assert second.endswith("apt-get install pocl-opencl-icd")
    assert "no OpenCL platform is installed" in third


def test_the_devices_are_listed_with_their_drivers():
    (info,) = [info for info in dc.devices() if info.type == "opencl"]
    assert info.available
    assert info.count == dc.opencl.device_count() >= 1
    assert dc.opencl.get_device_name() in info.description


def test_an_index_that_no_device_has_is_refused():
    count = dc.opencl.device_count()
    with pytest.raises(RuntimeError, match=f"there are {count} device"):
        dc.ones(1, device=f"opencl:{count}")


def test_tensors_know_the_number_of_their_device():
    x = dc.ones(2, device="opencl")
    assert x.device == dc.device("opencl:0")
    assert x.to("opencl:0") is x
    assert (x + 1).device == x.device
    assert x.cpu().to("opencl").device == x.device


TWO = """
import dispatch_core as dc
print(dc.opencl.device_count())
x, y = (dc.arange(3.0).to(f"opencl:{i}") for i in range(2))
print((x * 2).tolist(), (2 * y + 1).tolist(), y.device, (y + y).device)
for use in (lambda: x + y, lambda: dc.cat([x, y]), lambda: x @ y, lambda: x.index_select(0, y.long()),
            lambda: dc.where(x > 1, x, y)):
    try: use()
    except RuntimeError as error: print("same device" in str(error))
print(x.to("opencl:1").device, x.to("opencl:1").add(y).tolist())
model = dc.nn.Linear(3, 2).to("opencl:1")
model(y).sum().backward()
print(model.weight.grad.device, dc.rand(2, device="opencl:1").device)
x.copy_(y * 3)
print(x.tolist(), x.device)
dc.opencl.synchronize()
with dc.device("opencl:1"):
    print(dc.ones(1).device)
"""


def test_two_devices_at_once():
    platform = dc.opencl.get_device_name()
    if "Portable Computing Language" not in platform:
        pytest.skip("PoCL shows one processor as two devices; others do not")
    found = run(TWO, POCL_DEVICES="pthread pthread")
    assert found == [
        "2",
        "[0.0, 2.0, 4.0] [1.0, 3.0, 5.0] opencl:1 opencl:1",
        *["True"] * 5,
        "opencl:1 [0.0, 2.0, 4.0]",
        "opencl:1 opencl:1",
        "[0.0, 3.0, 6.0] opencl:0",
        "opencl:1",
    ]


def test_the_module_lists_devices_and_fails_without_any(tmp_path):
    here = subprocess.run(
        [sys.executable, "-m", "dispatch_opencl"], capture_output=True, text=True, check=False
    )
    assert here.returncode == 0
    assert here.stdout.startswith("opencl:0  ")
    none = subprocess.run(
        [sys.executable, "-m", "dispatch_opencl"],
        capture_output=True,
        text=True,
        env=os.environ | {"OCL_ICD_VENDORS": str(tmp_path)},
        check=False,
    )
    assert none.returncode == 1
    assert "no OpenCL platform is installed" in none.stderr


@pytest.mark.slow
def test_the_kernels_for_graphics_compute_the_same():
    chosen = (
        "products or reductions or turned or convolutions or norms or pooling or rows or sorting"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(str(Path(__file__).with_name("test_kernels.py")), "-k", chosen),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"DISPATCH_OPENCL_PROFILE": "gpu"},
        check=False,
    )
    assert not done.returncode, done.stdout[-3000:]
