"""Parameters that follow from their key, so that two implementations can be given equal ones."""

import zlib

import numpy as np


def parameter(key, shape):
    """float32 values of a shape: uniform in +-0.35, around 1 for the weights of norms."""
    size = int(np.prod(shape))
    seed = zlib.crc32(key.encode()) % 9973
    waves = np.sin(np.arange(size) * 12.9898 + seed) * 43758.5453
    values = (waves - np.floor(waves) - 0.5) * 0.7
    is_norm = key.endswith("weight") and len(shape) == 1
    return (values * (0.5 if is_norm else 1.0) + is_norm).astype(np.float32).reshape(shape)
