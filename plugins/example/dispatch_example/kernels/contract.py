"""Matrix products."""

from __future__ import annotations

import numpy as np

from dispatch_example.array import halves_in_float32, kernel

KERNELS = {"matmul": kernel(halves_in_float32(np.matmul))}
