"""Tokenizers: own ones, and those of Hugging Face and SentencePiece as extras."""

from dispatch_text.tokenizers.base import Tokenizer
from dispatch_text.tokenizers.basic import (
    ByteTokenizer,
    CharTokenizer,
    RegexTokenizer,
    VocabTokenizer,
    WhitespaceTokenizer,
)
from dispatch_text.tokenizers.hugging_face import HuggingFaceTokenizer
from dispatch_text.tokenizers.sentence_piece import SentencePieceTokenizer

__all__ = [
    "ByteTokenizer",
    "CharTokenizer",
    "HuggingFaceTokenizer",
    "RegexTokenizer",
    "SentencePieceTokenizer",
    "Tokenizer",
    "VocabTokenizer",
    "WhitespaceTokenizer",
]
