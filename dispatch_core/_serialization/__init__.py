"""Files: the safetensors format, and `save`/`load` of nested Python state in it."""

from __future__ import annotations

from ._codecs import LoadContext, SaveContext, register_leaf_codec
from ._nested import load, save
from ._safetensors import SafetensorsFile, write_safetensors

__all__ = [
    "LoadContext",
    "SafetensorsFile",
    "SaveContext",
    "load",
    "register_leaf_codec",
    "save",
    "write_safetensors",
]
