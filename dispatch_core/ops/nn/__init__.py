"""The declarations of the operators of neural networks, one file a kind."""

from __future__ import annotations

from dispatch_core.ops.nn import (  # noqa: F401  they declare
    activation,
    conv,
    distance,
    dropout,
    grid,
    linear,
    loss,
    norm,
    optim,
    pool,
    resample,
    rnn,
    softmax,
    windows,
)
