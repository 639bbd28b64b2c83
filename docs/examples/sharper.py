"""Learn to double the size of small pictures better than interpolation does.

Convolutions compute four pixels for each small one, which a pixel shuffle puts side by side (Shi et al.,
2016). The pictures are handwritten digits of 8x8 pixels, made small by averaging; a quarter of them are
never shown and tell how good it is. They ship inside scikit-learn. Of PyTorch's program of this kind only
the import differs.
"""

from __future__ import annotations

import argparse

from sklearn.datasets import load_digits

import dispatch_core as torch
from dispatch_core import nn
from dispatch_core.nn import functional as F
from dispatch_core.utils.data import DataLoader, TensorDataset, random_split


class Sharper(nn.Module):
    """From images (batch, 1, height, width) to images of twice the size."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, 5, padding=2), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, 4, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def forward(self, small: torch.Tensor) -> torch.Tensor:
        return self.layers(small)


def quality(found: torch.Tensor, images: torch.Tensor) -> float:
    """The peak signal-to-noise ratio in decibels."""
    return -10 * F.mse_loss(found.clamp(0, 1), images).log10().item()


def picture(*images: torch.Tensor) -> str:
    """Images of one height in letters, side by side."""
    shades = " .:-=+*#%@"
    levels = (torch.cat(images, dim=-1).clamp(0, 1) * (len(shades) - 1)).round().int()
    return "\n".join("".join(shades[level] * 2 for level in row) for row in levels.tolist())


def main(epochs: int, seed: int) -> None:
    torch.manual_seed(seed)
    digits = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 16
    train, test = random_split(TensorDataset(F.avg_pool2d(digits, 2), digits), [0.75, 0.25])
    small, images = test[:]
    bicubic = F.interpolate(small, scale_factor=2, mode="bicubic", align_corners=False)
    print(f"bicubic interpolation: {quality(bicubic, images):.2f} dB")
    model = Sharper()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(1, epochs + 1):
        for x, y in DataLoader(train, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
        with torch.no_grad():
            found = model(small)
        print(f"epoch {epoch}: {quality(found, images):.2f} dB")
    print("interpolated, computed, original:")
    print(picture(bicubic[0, 0], found[0, 0], images[0, 0]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
