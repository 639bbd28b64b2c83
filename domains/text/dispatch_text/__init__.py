"""Text for dispatch_core: tokenizers, language models, generation, metrics, data sets.

A name is imported when it is first asked for, so that lists of what is installed stay quick.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

_MODULES = ("datasets", "generation", "metrics", "models", "ops", "tokenizers")
_NAMES = {
    "collate": ("BucketBatchSampler", "PadCollator", "pad"),
    "generation": ("KeyValueCache", "generate", "stream", "stream_text"),
    "models": ("load_model",),
    "sentence": ("SentenceEncoder", "similarity"),
    "tokenizers": (
        "ByteTokenizer",
        "CharTokenizer",
        "HuggingFaceTokenizer",
        "RegexTokenizer",
        "SentencePieceTokenizer",
        "WhitespaceTokenizer",
    ),
    "vocabulary": ("Vocab", "build_vocab_from_iterator", "vocab"),
}
_PLACES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted([*_MODULES, *_PLACES])  # noqa: PLE0605  computed of the tables above


def __getattr__(name: str) -> _Any:
    if name in _MODULES:
        return _import_module(f"dispatch_text.{name}")
    if name not in _PLACES:
        raise AttributeError(f"module 'dispatch_text' has no attribute '{name}'")
    found = getattr(_import_module(f"dispatch_text.{_PLACES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
