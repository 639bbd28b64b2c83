"""Text for dispatch_core: tokenizers, language models, generation, metrics, data sets."""

from dispatch_text.generation import generate

__all__ = ["generate"]
