"""Train a small transformer to write like this repository's own documentation, a character at a time.

A causal language model after Vaswani et al. (2017) and Radford et al. (2019): embeddings of characters
and places, blocks of masked self-attention and a feed-forward part, one weight for the embedding and the
output. The text is docs/*.md, some hundred thousand characters, so nothing is downloaded. Of PyTorch's
program of this kind only the import differs.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import dispatch_core as torch
from dispatch_core import nn
from dispatch_core.nn import functional as F

CONTEXT = 64
BATCH_SIZE = 32
FOLDER = Path(__file__).parents[1]


class Text:
    """All characters as numbers; the last tenth is held out."""

    def __init__(self, text: str) -> None:
        self.letters = sorted(set(text))
        self.number = {letter: i for i, letter in enumerate(self.letters)}
        data = torch.tensor([self.number[letter] for letter in text])
        border = len(data) * 9 // 10
        self.parts = {"train": data[:border], "held out": data[border:]}

    def batch(self, part: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Pieces of the text (batch, context), and the same one character further."""
        data = self.parts[part]
        begins = torch.randint(len(data) - CONTEXT, (BATCH_SIZE,))
        x = torch.stack([data[i : i + CONTEXT] for i in begins])
        y = torch.stack([data[i + 1 : i + CONTEXT + 1] for i in begins])
        return x, y

    def written(self, numbers: torch.Tensor) -> str:
        return "".join(self.letters[i] for i in numbers.tolist())


class Block(nn.Module):
    """Masked self-attention and a feed-forward part, each added to its input."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        parts = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
        return x + self.feed_forward(self.norm2(x))


class Writer(nn.Module):
    """From characters (batch, length) to scores of the next one (batch, length, letters)."""

    def __init__(self, letters: int, width: int = 64, heads: int = 4, blocks: int = 2) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, width)
        self.places = nn.Embedding(CONTEXT, width)
        self.blocks = nn.Sequential(*[Block(width, heads, 0.1) for _ in range(blocks)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, letters, bias=False)
        self.head.weight = self.letters.weight
        nn.init.normal_(self.letters.weight, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = torch.arange(x.shape[1], device=x.device)
        return self.head(self.norm(self.blocks(self.letters(x) + self.places(places))))

    @torch.no_grad()
    def write(self, start: torch.Tensor, count: int) -> torch.Tensor:
        """`count` further characters, each drawn by its probability."""
        for _ in range(count):
            scores = self(start[:, -CONTEXT:])[:, -1]
            drawn = torch.multinomial(F.softmax(scores, dim=-1), num_samples=1)
            start = torch.cat([start, drawn], dim=1)
        return start


def loss_of(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    x, y = batch
    scores = model(x)
    return F.cross_entropy(scores.view(-1, scores.shape[-1]), y.view(-1))


def main(steps: int, seed: int) -> None:
    torch.manual_seed(seed)
    text = Text("\n".join(path.read_text() for path in sorted(FOLDER.glob("*.md"))))
    model = Writer(len(text.letters))
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(text.letters)} letters")
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    for step in range(1, steps + 1):
        loss = loss_of(model, text.batch("train"))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % max(1, steps // 5) == 0:
            model.eval()
            with torch.no_grad():
                held_out = loss_of(model, text.batch("held out")).item()
            model.train()
            print(f"step {step}: loss {loss.item():.3f}, held out {held_out:.3f}")
    print(f"(guessing costs {math.log(len(text.letters)):.3f})")
    model.eval()
    start = torch.tensor([[text.number["#"]]])
    print(text.written(model.write(start, 200)[0]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
