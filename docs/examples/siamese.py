"""Learn when two handwritten digits are the same, and recognise digits by one picture of each.

One network looks at three pictures: an anchor, another of its kind and one of another kind; the codes of
the first two shall be nearer (Schroff et al., 2015). Pictures that it never saw are then recognised by
whose code, of ten pictures, is nearest. The digits ship inside scikit-learn. Of PyTorch's program of this
kind only the import differs.
"""

from __future__ import annotations

import argparse

from sklearn.datasets import load_digits

import dispatch_core as torch
from dispatch_core import nn
from dispatch_core.utils.data import DataLoader, Dataset


class Triplets(Dataset):
    """Anchor, one of its kind, one of another kind: each (1, 8, 8)."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        same = (self.labels == self.labels[index]).float()
        near, far = (torch.multinomial(chosen, 1).item() for chosen in (same, 1 - same))
        return self.images[index], self.images[near], self.images[far]


def encoder() -> nn.Module:
    """From digits (batch, 1, 8, 8) to codes (batch, 16)."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 16, 16),
    )  # fmt: skip


def main(epochs: int, seed: int) -> None:
    torch.manual_seed(seed)
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(digits.target)
    shown = 1200
    loader = DataLoader(Triplets(images[:shown], labels[:shown]), batch_size=64, shuffle=True)
    model, criterion = encoder(), nn.TripletMarginLoss(margin=1.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    examples = torch.stack([(labels == kind).nonzero()[0, 0] for kind in range(10)])
    for epoch in range(epochs + 1):
        model.eval()
        with torch.no_grad():
            nearest = torch.cdist(model(images[shown:]), model(images[examples])).argmin(dim=1)
        right = (nearest == labels[shown:]).float().mean().item()
        print(f"after {epoch} epochs {right:.1%} of new pictures are nearest to one of their kind")
        if epoch < epochs:
            model.train()
            for batch in loader:
                optimizer.zero_grad()
                criterion(*(model(x) for x in batch)).backward()
                optimizer.step()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
