"""Sample calls by operator, written from PyTorch's signatures."""

from __future__ import annotations

from tests.oracle.samples import (
    binary,
    create,
    images,
    index,
    losses,
    matrices,
    neural,
    products,
    reduce,
    shape,
    spectral,
    unary,
)
from tests.oracle.samples.unary import Samples

SAMPLES: dict[str, Samples] = {
    name: samples
    for family in (
        unary,
        binary,
        products,
        reduce,
        shape,
        index,
        create,
        spectral,
        matrices,
        neural,
        losses,
        images,
    )
    for name, samples in family.SAMPLES.items()
}
