"""Train a variational autoencoder on real handwritten digits, and let it draw some.

An encoder gives mean and deviation of a code for each digit, a decoder draws the digit of a code
(Kingma and Welling, 2014). The 1,797 digits of 8x8 pixels ship inside scikit-learn. Of PyTorch's program of
this kind only the import differs.
"""

from __future__ import annotations

import argparse

from sklearn.datasets import load_digits

import dispatch_core as torch
from dispatch_core import nn, optim
from dispatch_core.nn import functional as F
from dispatch_core.utils.data import DataLoader, TensorDataset

PIXELS = 64
CODE = 8


class Autoencoder(nn.Module):
    """Digits (batch, 64) between 0 and 1 to digits, by way of codes (batch, 8)."""

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, CODE)
        self.log_variance = nn.Linear(hidden, CODE)
        self.decoder = nn.Sequential(
            nn.Linear(CODE, hidden), nn.ReLU(), nn.Linear(hidden, PIXELS), nn.Sigmoid()
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        found = self.encoder(x)
        mean, log_variance = self.mean(found), self.log_variance(found)
        code = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decoder(code), mean, log_variance


def loss_of(
    drawn: torch.Tensor, x: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor
) -> torch.Tensor:
    """How badly the digits are drawn, and how far the codes are from a normal distribution."""
    badness = F.binary_cross_entropy(drawn, x, reduction="sum")
    distance = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return badness + distance


def picture(digit: torch.Tensor) -> str:
    """A digit (64) in letters."""
    shades = " .:-=+*#%@"
    levels = (digit.view(8, 8) * (len(shades) - 1)).round().int()
    return "\n".join("".join(shades[level] * 2 for level in row) for row in levels.tolist())


def main(epochs: int, seed: int) -> None:
    torch.manual_seed(seed)
    images = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True)
    model = Autoencoder()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for (x,) in loader:
            optimizer.zero_grad()
            drawn, mean, log_variance = model(x)
            loss = loss_of(drawn, x, mean, log_variance)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch}: loss of a digit {total / len(images):.2f}")
    model.eval()
    with torch.no_grad():
        for digit in model.decoder(torch.randn(2, CODE)):
            print(picture(digit), "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
