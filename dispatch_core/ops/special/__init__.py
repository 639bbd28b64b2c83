"""Special functions that are no methods, one file a family; they wait for their first use."""

from __future__ import annotations

from dispatch_core.ops.special import (  # noqa: F401  they declare
    airy,
    bessel,
    incomplete_gamma,
    modified_bessel,
    normal,
    polynomials,
    spherical,
    zeta,
)
