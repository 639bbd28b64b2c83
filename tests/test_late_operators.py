"""Declarations that wait for their first use, and heavy libraries that do."""

import subprocess
import sys

import pytest

import dispatch_core as dc
from dispatch_core._op import OPERATORS

LATE = (
    "dispatch_core.ops.nn",
    "dispatch_core.ops.fft",
    "dispatch_core.ops.signal",
    "dispatch_core.ops.special",
    "dispatch_core.ops.chance",
    "dispatch_core.distributions",
    "ml_dtypes",
)


def program(text):
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_import_leaves_them_alone():
    text = f"import dispatch_core, sys; print([m for m in {LATE!r} if m in sys.modules])"
    assert program(text) == "[]"


@pytest.mark.parametrize(
    ("use", "shown"),
    [
        ("dc.conv2d.__name__", "conv2d"),
        ("'conv2d' in dir(dc)", "True"),
        ("hasattr(dc, 'no_such_name')", "False"),
        ("dc.nn.functional.softplus.__name__", "softplus"),
        ("dc.fft.fft(dc.ones(2)).tolist()", "[(2+0j), 0j]"),
        ("dc.signal.windows.hann(2).tolist()", "[0.0, 0.0]"),
        ("dc.special.ndtr(dc.zeros(1)).tolist()", "[0.5]"),
        ("dc.poisson(dc.zeros(1)).tolist()", "[0.0]"),
        ("dc.distributions.Bernoulli(1.0).sample().item()", "1.0"),
        ("dc.zeros(1).i0().tolist()", "[1.0]"),
        ("dc.explain('conv2d', dc.ones(1, 1, 3, 3), dc.ones(1, 1, 2, 2)).calls[0].op", "conv2d"),
        ("dc.ones(2, dtype=dc.bfloat16).tolist()", "[1.0, 1.0]"),
        ("dc.bfloat16.itemsize", "2"),
    ],
)
def test_each_is_there_when_it_is_named(use, shown):
    assert program(f"import dispatch_core as dc; print({use})") == shown


def test_a_star_brings_all_of_them():
    assert (
        program("from dispatch_core import *; print(conv2d.__name__, relu.__name__)")
        == "conv2d relu"
    )


def test_no_method_waits():
    for declared in OPERATORS.values():
        where = declared.exposure
        names = [declared.op.name] if where.method else []
        names += [f"__{operator}__" for operator in where.operators]
        names += [a.rpartition(".")[2] for a in where.aliases if a.startswith("Tensor.")]
        assert [n for n in names if n not in vars(dc.Tensor)] == [], declared.op.name
