"""PyTorch's own files: reading .pt, .pth and .bin of all ages, and writing such that PyTorch loads."""

from __future__ import annotations

from dispatch_core._serialization.pytorch._read import is_pytorch, load_pytorch
from dispatch_core._serialization.pytorch._write import save_pytorch

__all__ = ["is_pytorch", "load_pytorch", "save_pytorch"]
