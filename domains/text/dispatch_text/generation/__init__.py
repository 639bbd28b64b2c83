"""Text that models write: greedy, drawn or by beam search, with a cache, as a stream."""

from dispatch_text.generation.cache import KeyValueCache
from dispatch_text.generation.sampling import Sampling
from dispatch_text.generation.steps import Generator, Steps
from dispatch_text.generation.streaming import TextStream
from dispatch_text.generation.writing import generate, stream, stream_text

__all__ = [
    "Generator",
    "KeyValueCache",
    "Sampling",
    "Steps",
    "TextStream",
    "generate",
    "stream",
    "stream_text",
]
