"""Files: the safetensors format, and `save`/`load` of nested Python state in it."""

from __future__ import annotations

from dispatch_core._serialization._codecs import (
    LoadContext,
    SaveContext,
    register_home,
    register_leaf_codec,
)
from dispatch_core._serialization._nested import load, save
from dispatch_core._serialization._safetensors import SafetensorsFile, write_safetensors

__all__ = [
    "LoadContext",
    "SafetensorsFile",
    "SaveContext",
    "load",
    "register_home",
    "register_leaf_codec",
    "save",
    "write_safetensors",
]
