"""Data sets read from files in their published formats."""

from dispatch_text.datasets.base import TextDataset
from dispatch_text.datasets.classification import AG_NEWS, IMDB, SST2
from dispatch_text.datasets.conll import CoNLL, CoNLL2000Chunking, CoNLL2003
from dispatch_text.datasets.squad import Question, SQuAD
from dispatch_text.datasets.wikitext import WikiText2, WikiText103, Windows

__all__ = [
    "AG_NEWS",
    "IMDB",
    "SST2",
    "CoNLL",
    "CoNLL2000Chunking",
    "CoNLL2003",
    "Question",
    "SQuAD",
    "TextDataset",
    "WikiText2",
    "WikiText103",
    "Windows",
]
