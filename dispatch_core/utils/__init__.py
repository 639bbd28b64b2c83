"""Data loading, checkpoints of activations, and a look at models."""

from __future__ import annotations

from dispatch_core.utils import checkpoint, data
from dispatch_core.utils.graph import ComputationGraph, computation_graph
from dispatch_core.utils.summary import Summary, summary

__all__ = ["ComputationGraph", "Summary", "checkpoint", "computation_graph", "data", "summary"]
