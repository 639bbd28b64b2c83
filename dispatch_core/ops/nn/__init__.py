"""The declarations of the operators of neural networks, one file a kind."""

from __future__ import annotations

from dispatch_core.ops.nn import (  # noqa: F401  they declare
    attention,
    classes,
    conv,
    ctc,
    distance,
    dropout,
    embedding,
    fractional,
    grid,
    group_norm,
    grouped,
    linear,
    loss,
    margin,
    native,
    norm,
    numbered,
    optim,
    pool,
    pooling,
    resample,
    rnn,
    windows,
)
