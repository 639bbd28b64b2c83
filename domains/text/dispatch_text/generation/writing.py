"""`generate`, `stream` and `stream_text`: text that a model writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dispatch_core as dc
from dispatch_core.extend import Tensor
from dispatch_text.generation.beam import beam_search
from dispatch_text.generation.sampling import Sampling
from dispatch_text.generation.steps import Generator
from dispatch_text.generation.streaming import TextStream
from dispatch_text.tokenizers.base import Tokenizer


def _ends(model: Generator, eos_token_id: int | list[int] | None) -> list[int]:
    found = model.config.eos_token_id if eos_token_id is None else eos_token_id
    if found is None:
        return []
    return list(found) if isinstance(found, (list, tuple)) else [found]


def _padding(model: Generator, pad_token_id: int | None, ends: list[int]) -> int:
    for candidate in (pad_token_id, model.config.pad_token_id, *ends[:1]):
        if candidate is not None:
            return int(candidate)
    return 0


@dc.no_grad()
def generate(
    model: Generator,
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    *,
    max_new_tokens: int = 20,
    num_beams: int = 1,
    length_penalty: float = 1.0,
    early_stopping: bool = False,
    eos_token_id: int | list[int] | None = None,
    pad_token_id: int | None = None,
    use_cache: bool = True,
    **sampling: Any,
) -> Tensor:
    """What the model writes, (N, L) int64: behind the prompt, or a decoder's text with its start.

    One token at a time: the most probable, or drawn (`do_sample`, `temperature`, `top_k`, `top_p`,
    `repetition_penalty`, `min_new_tokens`, `generator`: see `Sampling`). With `num_beams` above 1
    the best text that a beam search finds; the sum of its log-probabilities is divided by its length
    to the power `length_penalty`, and `early_stopping` ends when as many texts as beams have ended.
    A text ends with `eos_token_id` (by default the config's; several are possible), rows that have
    ended are filled with `pad_token_id`. Prompts of different lengths are padded on the left. The
    model's mode is left as it is: call `model.eval()` first, or dropout writes with it.

    Raises ValueError for options that make no sense, and where the model's positions are too few.
    """
    if num_beams == 1:
        new = list(
            stream(
                model,
                input_ids,
                attention_mask,
                max_new_tokens=max_new_tokens,
                eos_token_id=eos_token_id,
                pad_token_id=pad_token_id,
                use_cache=use_cache,
                with_start=True,
                **sampling,
            )
        )
        return dc.cat(new, 1)
    chosen = Sampling(**sampling)
    if num_beams < 1:
        raise ValueError(f"num_beams must be at least 1, got {num_beams}")
    if chosen.do_sample:
        raise ValueError("a beam search does not draw: give either do_sample or num_beams")
    _check_count(max_new_tokens)
    ends = _ends(model, eos_token_id)
    steps = model.steps(input_ids, attention_mask, use_cache)
    start = steps.ids
    texts = beam_search(
        steps,
        chosen,
        num_beams=num_beams,
        max_new_tokens=max_new_tokens,
        ends=ends,
        length_penalty=length_penalty,
        early_stopping=early_stopping,
    )
    width = max(map(len, texts))
    fill = _padding(model, pad_token_id, ends)
    rows = [text + [fill] * (width - len(text)) for text in texts]
    new_ids = dc.tensor(rows, dtype=start.dtype, device=start.device).reshape(len(rows), width)
    return dc.cat([start, new_ids], 1)


def stream(
    model: Generator,
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    *,
    max_new_tokens: int = 20,
    eos_token_id: int | list[int] | None = None,
    pad_token_id: int | None = None,
    use_cache: bool = True,
    with_start: bool = False,
    **sampling: Any,
) -> Iterator[Tensor]:
    """The new tokens as they come, (N, 1) each; options as for `generate`, without beams.

    `with_start` gives what stands before them first.
    """
    chosen = Sampling(**sampling)
    _check_count(max_new_tokens)
    ends = _ends(model, eos_token_id)
    return _stream(
        model,
        input_ids,
        attention_mask,
        max_new_tokens,
        ends,
        _padding(model, pad_token_id, ends),
        use_cache,
        with_start,
        chosen,
    )


def _stream(
    model: Generator,
    input_ids: Tensor,
    attention_mask: Tensor | None,
    count: int,
    ends: list[int],
    fill: int,
    use_cache: bool,
    with_start: bool,
    sampling: Sampling,
) -> Iterator[Tensor]:
    with dc.no_grad():
        steps = model.steps(input_ids, attention_mask, use_cache)
    ids = steps.ids
    if with_start:
        yield ids
    going = dc.ones(ids.shape[0], dtype=dc.bool, device=ids.device)
    for generated in range(count):
        # Not around the yield: what the caller does in between is his.
        with dc.no_grad():
            logits = sampling.adjusted(steps.logits(ids), ids, generated, ends)
            token = sampling.choose(logits).to(ids.dtype).masked_fill(~going, fill)
            for end in ends:
                going = going & (token != end)
            ids = dc.cat([ids, token[:, None]], 1)
            done = bool(ends) and not bool(going.any())
        yield token[:, None]
        if done:
            return


def _check_count(max_new_tokens: int) -> None:
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens must be at least 1, got {max_new_tokens}")


def stream_text(
    model: Generator, tokenizer: Tokenizer, prompt: str, **options: Any
) -> Iterator[str]:
    """What the model writes behind a prompt, piece by piece as text; options as for `stream`.

    A piece is held back until its last character is whole.
    """
    batch = tokenizer([prompt])
    text = TextStream(tokenizer)
    ends = _ends(model, options.get("eos_token_id"))
    for token in stream(model, batch["input_ids"], batch["attention_mask"], **options):
        index = int(token.item())
        if index in ends:
            break
        piece = text.push(index)
        if piece:
            yield piece
    rest = text.end()
    if rest:
        yield rest
