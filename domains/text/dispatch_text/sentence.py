"""Sentences as vectors: a tokenizer, an encoder, pooling, as sentence-transformers lays them out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dispatch_core as dc
from dispatch_core.extend import FileFormatError, Tensor
from dispatch_core.nn import functional as F
from dispatch_text._files import PathLike, read_json, read_list
from dispatch_text.models.auto import load_model
from dispatch_text.ops import masked_mean
from dispatch_text.tokenizers import HuggingFaceTokenizer, Tokenizer

_POOLINGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "first",
    "pooling_mode_max_tokens": "max",
}


def pool(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    """One vector of the last layer of each text: hidden (N, L, D), mask (N, L) -> (N, D).

    `how`: "mean" or "max" of the positions that are there, or the "first".
    """
    there = mask != 0
    if how == "mean":
        return masked_mean(hidden, there)
    if how == "first":
        return hidden[:, 0]
    if how == "max":
        return hidden.masked_fill(~there.unsqueeze(-1), -float("inf")).amax(1)
    raise ValueError(f"pooling must be 'mean', 'first' or 'max', got {how!r}")


class SentenceEncoder:
    """Turns sentences into vectors whose cosine says how alike their meanings are.

    (Reimers and Gurevych 2019.) Texts are cut to `max_length` tokens, vectors scaled to length 1
    where `normalize` says so.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        *,
        pooling: str = "mean",
        normalize: bool = True,
        max_length: int | None = None,
    ) -> None:
        if pooling not in _POOLINGS.values():
            raise ValueError(f"pooling must be 'mean', 'first' or 'max', got {pooling!r}")
        self.model, self.tokenizer = model, tokenizer
        self.pooling, self.normalize, self.max_length = pooling, normalize, max_length

    @classmethod
    def from_directory(
        cls, path: PathLike, *, device: Any = None, dtype: Any = None
    ) -> SentenceEncoder:
        """Of a folder with config.json, weights, tokenizer.json, and what sentence-transformers adds.

        modules.json says whether vectors are normalised, 1_Pooling/config.json how they are pooled,
        sentence_bert_config.json where texts are cut; without these: the mean, normalised.

        Raises FileNotFoundError or FileFormatError that names the file.
        """
        folder = Path(path)
        pooling, normalize = _modules(folder)
        settings = folder / "sentence_bert_config.json"
        longest = read_json(settings).get("max_seq_length") if settings.exists() else None
        if longest is not None and (not isinstance(longest, int) or longest < 1):
            raise FileFormatError(f"{settings}: max_seq_length is {longest!r}, expected a count")
        return cls(
            load_model(folder, bare=True, strict=True, device=device, dtype=dtype),
            HuggingFaceTokenizer(folder),
            pooling=pooling,
            normalize=normalize,
            max_length=longest,
        )

    @dc.no_grad()
    def encode(self, sentences: str | Sequence[str], *, batch_size: int = 32) -> Tensor:
        """A vector for each sentence, (N, D), or (D,) for a single one.

        Sentences of similar length are computed together. Raises ValueError for no sentences.
        """
        if isinstance(sentences, str):
            return self.encode([sentences])[0]
        if not len(sentences):
            raise ValueError("there is nothing to encode: the list of sentences is empty")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        order = sorted(range(len(sentences)), key=lambda at: len(sentences[at]))
        device = next(self.model.parameters()).device
        parts = []
        for start in range(0, len(order), batch_size):
            texts = [sentences[at] for at in order[start : start + batch_size]]
            parts.append(self(**self.tokenizer(texts, max_length=self.max_length, device=device)))
        places = dc.tensor(order, device=device).argsort()
        return dc.cat(parts).index_select(0, places)

    def __call__(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The vectors of a batch of ids, with gradients where they are recorded."""
        hidden = self.model(input_ids, attention_mask=attention_mask).last_hidden_state
        pooled = pool(hidden, attention_mask, self.pooling)
        return F.normalize(pooled, dim=-1) if self.normalize else pooled


def similarity(first: Tensor, second: Tensor) -> Tensor:
    """Cosines of all vectors of (N, D) with all of (M, D): (N, M)."""
    return F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T


def _modules(folder: Path) -> tuple[str, bool]:
    """How a folder's vectors are pooled, and whether they are normalised."""
    file = folder / "modules.json"
    if not file.exists():
        return "mean", True
    kinds, pooling = [], "mean"
    for module in read_list(file):
        if not isinstance(module, dict) or not isinstance(module.get("type"), str):
            raise FileFormatError(f"{file}: each module must be an object with a 'type'")
        kind = module["type"].rpartition(".")[2]
        kinds.append(kind)
        if kind == "Pooling":
            pooling = _pooling(folder, str(module.get("path", "1_Pooling")))
        elif kind not in ("Transformer", "Normalize"):
            raise FileFormatError(f"{file}: modules of type '{kind}' are not supported")
    return pooling, "Normalize" in kinds


def _pooling(folder: Path, name: str) -> str:
    file = folder / Path(name).name / "config.json"
    asked = [key for key, on in read_json(file).items() if key.startswith("pooling_mode_") and on]
    if len(asked) != 1 or asked[0] not in _POOLINGS:
        raise FileFormatError(
            f"{file}: pooling by {', '.join(asked) or 'nothing'}; exactly one of "
            f"{', '.join(_POOLINGS)} is supported"
        )
    return _POOLINGS[asked[0]]
