"""Every operator on device `meta`: the shapes, dtypes and layouts that the cpu computes, without data."""

import pytest

import dispatch_core as dc
from dispatch_core._op import OPERATORS
from dispatch_core.testing._checks.common import cases, seeded
from dispatch_core.testing._samples import declared_operators, tensors_in

VALUES_NEEDED = {
    "allclose",
    "argwhere",
    "bincount",
    "equal",
    "histogram",
    "masked_select",
    "nonzero",
    "repeat_interleave",
    "segment_reduce",
    "unique",
    "unique_consecutive",
}
"""Operators that are nothing without values: their result's shape, or a Python value, depends on them."""


def on_meta(sample):
    return sample.map(lambda t: dc.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="meta"))


def needs_values(op, error):
    """Whether an operator that needs values said that there are none."""
    return "no data" in str(error) and (op.traits.varying or op.name in VALUES_NEEDED)


def described(value):
    return [(tuple(t.shape), t.dtype) for t in tensors_in(value)]


@pytest.mark.parametrize("name", [d.op.name for d in declared_operators()])
def test_shapes_are_the_cpus(name):
    declared = OPERATORS[name]
    front = seeded(declared.op, declared.front)
    for _, sample in cases(declared.op, "cpu"):
        expected = sample.call(front)
        try:
            found = on_meta(sample).call(front)
        except NotImplementedError as error:
            if needs_values(declared.op, error):
                continue
            raise
        assert described(found) == described(expected), str(sample)
        assert all(t.device.type == "meta" for t in tensors_in(found))


LOOK_AT_VALUES = {"masked_scatter"}
"""Operators whose gradient takes the way that suits the values."""
DIFFERENTIABLE = {
    d.op.name
    for d in declared_operators()
    if d.op.traits.differentiable
    and not d.op.family.constant
    and "_polynomial_" not in d.op.name  # as many steps as the largest degree asks for
}


@pytest.mark.parametrize("name", sorted(DIFFERENTIABLE - LOOK_AT_VALUES))
def test_gradients_have_the_shapes_of_their_tensors(name):
    op, front = OPERATORS[name].op, OPERATORS[name].front
    for _, sample in cases(op, "cpu", [dc.float64]):
        on = on_meta(sample)
        leaves = [t.requires_grad_() for t in on.tensors() if t.dtype is dc.float64]
        try:
            results = [t for t in tensors_in(on.call(front)) if t.requires_grad]
        except NotImplementedError as error:
            if needs_values(op, error):
                continue
            raise
        if not results:
            continue
        found = dc.autograd.grad(
            results, leaves, [dc.empty_like(t) for t in results], allow_unused=True
        )
        for leaf, g in zip(leaves, found, strict=True):
            assert g is None or (g.shape == leaf.shape and g.is_meta), str(sample)
