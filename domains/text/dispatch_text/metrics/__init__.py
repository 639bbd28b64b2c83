"""How good texts and language models are: BLEU, ROUGE, perplexity, error rates."""

from dispatch_text.metrics.bleu import bleu_score
from dispatch_text.metrics.errors import (
    Edits,
    char_error_rate,
    edit_distance,
    edits,
    word_error_rate,
)
from dispatch_text.metrics.likelihood import Perplexity, perplexity
from dispatch_text.metrics.rouge import RougeScore, rouge_score

__all__ = [
    "Edits",
    "Perplexity",
    "RougeScore",
    "bleu_score",
    "char_error_rate",
    "edit_distance",
    "edits",
    "perplexity",
    "rouge_score",
    "word_error_rate",
]
