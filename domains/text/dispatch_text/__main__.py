"""`python -m dispatch_text`: a language model that learns to write, and a search by meaning."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Iterator, Sequence

import dispatch_core as dc
from dispatch_core.extend import DispatchCoreError, Tensor
from dispatch_core.utils.data import DataLoader
from dispatch_text._files import read_text
from dispatch_text.datasets import Windows
from dispatch_text.generation import stream_text
from dispatch_text.metrics import perplexity
from dispatch_text.models import LlamaConfig, LlamaForCausalLM
from dispatch_text.sentence import SentenceEncoder, similarity
from dispatch_text.tokenizers import CharTokenizer

_WINDOW, _BATCH, _HELD_OUT = 256, 6, 4000


def documentation() -> list[str]:
    """Real English text that every Python has: the articles of its `help()`."""
    try:
        topics: dict[str, str] = importlib.import_module("pydoc_data.topics").topics
    except ImportError as error:
        raise FileNotFoundError(
            "this Python lacks its help texts (pydoc_data); give a text of your own with --text FILE"
        ) from error
    return [topics[name] for name in sorted(topics)]


def demo(text: str, *, steps: int, prompt: str, length: int, seed: int) -> Iterator[str]:
    """Train a small Llama on the characters of a text; says how it goes, then writes."""
    dc.manual_seed(seed)
    if len(text) < 2 * _HELD_OUT:
        raise ValueError(f"the text has {len(text)} characters; {2 * _HELD_OUT} are needed")
    tokenizer = CharTokenizer().fit([text])
    ids = dc.tensor(tokenizer.encode(text))
    training, held_out = ids[:-_HELD_OUT], ids[-_HELD_OUT:]
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=96,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    count = sum(p.numel() for p in model.parameters())
    yield f"{len(text):,} characters of {len(tokenizer)} kinds; a Llama of {count:,} parameters\n"
    yield _measured("before", model.eval(), held_out)
    yield from _train(model.train(), training, steps)
    yield _measured("after", model.eval(), held_out)
    yield f"\n{prompt}"
    drawn = dc.Generator().manual_seed(seed)
    yield from stream_text(
        model,
        tokenizer,
        prompt,
        max_new_tokens=length,
        do_sample=True,
        temperature=0.7,
        top_k=20,
        generator=drawn,
    )
    yield "\n"


def _measured(when: str, model: LlamaForCausalLM, ids: Tensor) -> str:
    found = perplexity(model, ids, window=_WINDOW)
    return f"perplexity of {len(ids)} characters it never saw, {when} training: {found:.2f}\n"


def _train(model: LlamaForCausalLM, ids: Tensor, steps: int) -> Iterator[str]:
    optimizer = dc.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = dc.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    loader = DataLoader(Windows(ids, _WINDOW), batch_size=_BATCH, shuffle=True)
    start, step, losses = time.perf_counter(), 0, []
    while step < steps:
        for given, _ in loader:
            loss = model(given, labels=given).loss
            optimizer.zero_grad()
            loss.backward()
            dc.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            step += 1
            if step % max(1, steps // 8) == 0 or step == steps:
                mean, losses = sum(losses) / len(losses), []
                seconds = time.perf_counter() - start
                yield f"step {step:5d}  loss {mean:.3f}  {seconds:5.1f} s\n"
            if step == steps:
                return


def search(folder: str, query: str, texts: Sequence[str], count: int) -> Iterator[str]:
    """The passages whose meaning is nearest to a question, by a folder's sentence vectors."""
    encoder = SentenceEncoder.from_directory(folder)
    vectors = encoder.encode(list(texts))
    found = similarity(encoder.encode([query]), vectors)[0]
    best, places = found.topk(min(count, len(texts)))
    for score, at in zip(best.tolist(), places.tolist(), strict=True):
        yield f"{score:.3f}  {' '.join(texts[at].split())[:160]}\n"


def prose(articles: Sequence[str]) -> list[list[str]]:
    """The paragraphs of each article that are sentences, not tables or grammar."""
    return [
        [" ".join(p.split()) for p in article.split("\n\n") if _is_prose(p)] for article in articles
    ]


def _is_prose(paragraph: str) -> bool:
    letters = sum(c.isalpha() or c.isspace() or c in ".,;:'\"()-" for c in paragraph)
    return len(paragraph) > 80 and letters > 0.95 * len(paragraph) and "::=" not in paragraph


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m dispatch_text", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser("demo", help="train a small language model, then let it write")
    one.add_argument("--text", help="a UTF-8 file to learn from; else Python's own help texts")
    one.add_argument("--steps", type=int, default=600, help="steps of training (default 600)")
    one.add_argument("--prompt", default="The ", help="what the text begins with")
    one.add_argument("--length", type=int, default=240, help="characters to write (default 240)")
    one.add_argument("--seed", type=int, default=0)
    one = commands.add_parser("search", help="search Python's help texts by meaning")
    one.add_argument("folder", help="a model: config.json, model.safetensors, tokenizer.json")
    one.add_argument("query", help="what is looked for, in your own words")
    one.add_argument("--text", help="search the paragraphs of this UTF-8 file instead")
    one.add_argument("--count", type=int, default=5, help="passages to show (default 5)")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was asked for; 0 if all is well, 2 for what cannot be done."""
    given = parser().parse_args(arguments)
    try:
        if given.command == "demo":
            paragraphs = (p for article in prose(documentation()) for p in article)
            text = read_text(given.text) if given.text else "\n".join(paragraphs)
            pieces = demo(
                text,
                steps=given.steps,
                prompt=given.prompt,
                length=given.length,
                seed=given.seed,
            )
        else:
            if given.text:
                texts = [p for p in read_text(given.text).split("\n\n") if p.strip()]
            else:
                texts = list(dict.fromkeys(a[0] for a in prose(documentation()) if a))
            pieces = search(given.folder, given.query, texts, given.count)
        for piece in pieces:
            print(piece, end="", flush=True)
    except (DispatchCoreError, ValueError, OSError, ImportError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
