"""Dtypes that packages declare: moved by every device, computed where a kernel or a policy says so."""

import subprocess
import sys

PROGRAM = """
import copy, io, pickle

import ml_dtypes
import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.extend import DeclarationError, NoKernelError, declare_dtype, float32, hookimpl

f8 = declare_dtype("float8_e4m3fn", ml_dtypes.float8_e4m3fn, wider=float32, abbr="f8")
assert (f8.itemsize, f8.is_floating_point, f8.wider, str(f8)) == (1, True, float32, "dc.float8_e4m3fn")
assert dc.finfo(f8).max == 448

# moved, cast, viewed, indexed, kept in files
for device in ("cpu", "example", "sim:1"):
    x = dc.tensor([1.0, 2.5, -3.3, 4.0]).to(device).to(f8)
    assert (x.dtype, x.device, x.nbytes) == (f8, dc.device(device), 4)
    assert x.tolist() == [1, 2.5, -3.25, 4]
    assert x.reshape(2, 2).t()[1].tolist() == [2.5, 4]
    assert x[dc.tensor([3, 0])].tolist() == [4, 1]
    assert dc.cat([x, x]).shape == (8,)
    assert x.float().dtype is float32
    assert x.clone().fill_(2).tolist() == [2] * 4
    assert dc.full((2,), 1.5, dtype=f8, device=device).tolist() == [1.5, 1.5]
    file = io.BytesIO()
    dc.save(x, file)
    file.seek(0)
    assert pickle.loads(pickle.dumps(x)).dtype is copy.deepcopy(x).dtype is f8
    with pytest.raises(NoKernelError, match="registered for no dtype by name, as float8_e4m3fn would"):
        x + 1
    with pytest.raises(NoKernelError, match="dispatch_core.emulation"):
        x.sum()
    with pytest.raises(NoKernelError, match="dtype emulation: never for views, factories and random"):
        dc.rand(2, dtype=f8, device=device)

    # computed in the wider one where that is allowed, gradients too
    with dc.emulation("allow"):
        assert (x + 1).tolist() == [2, 3.5, -2.25, 5]
        assert (x + 1).dtype is f8
        assert (x * x.float()).dtype is float32
        assert x.sum().item() == 4  # 4.25, rounded to even
        assert dc.nn.functional.softmax(x, 0).dtype is f8
        y = x.clone().requires_grad_()
        (y * y).sum().backward()
        assert y.grad.dtype is f8
        assert y.grad.tolist() == [2, 5, -6.5, 8]

# promotion
assert dc.promote_types(f8, dc.float16) is dc.float16
assert dc.promote_types(f8, dc.int64) is f8

# a kernel of its own
class Plugin:
    DISPATCH_CORE_API = 1
    @hookimpl
    def dispatch_core_kernels(self, device, table):
        if device == "cpu":
            table.register("add", lambda input, other: np.add(input, other), dtypes=(f8,))

dc.plugins.register(Plugin(), "f8-kernels")
x = dc.tensor([1.0, 2.5]).to(f8)
assert (x + x).tolist() == [2, 5]
assert dc.explain(dc.add, x, x).kernel == "kernel f8-kernels:<lambda> on cpu"
assert dc.explain(dc.add, x.float(), x.float()).kernel == "kernel cpu:add on cpu"

for name, kind, wider, message in (
    ("float8_e4m3fn", ml_dtypes.float8_e5m2, float32, "is dc.float8_e4m3fn already"),
    ("other", ml_dtypes.float8_e4m3fn, float32, "is dc.float8_e4m3fn already"),
    ("half", ml_dtypes.float8_e5m2, float32, "is dc.float16 already"),
    ("f 8", ml_dtypes.float8_e5m2, float32, "one word of letters"),
    ("dates", "M8[s]", dc.int64, "does not hold the elements"),
    ("wide", ml_dtypes.float8_e5m2, dc.int8, "does not hold the elements"),
    ("truth", ml_dtypes.int4, dc.bool, "wider must be a floating point or integer dtype"),
    ("none", ml_dtypes.int4, None, "wider must be a floating point or integer dtype"),
):
    with pytest.raises(DeclarationError, match=message):
        declare_dtype(name, kind, wider=wider)
print("done")
"""


def test_a_dtype_of_a_package():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.stdout == "done\n", done.stderr
