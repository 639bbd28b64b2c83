"""Random numbers by rejection, and their derivatives by parameters; they wait for their first use."""

from __future__ import annotations

from dispatch_core.ops.chance import binomial, dirichlet, gamma, poisson  # noqa: F401  they declare
