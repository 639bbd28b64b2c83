"""Train a small convolutional classifier on real handwritten digits, save it and load it again.

The 1,797 digits of 8x8 pixels ship inside scikit-learn, so nothing is downloaded. 450 of them are
held out. The exit status is 0 only when at least 98 % of those are told correctly and a new
process that loads the saved file gives exactly the same answers.
"""

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.utils.data import DataLoader, Dataset

HELD_OUT = 450
SPLIT_SEED = 0  # the same 450 digits for every --seed
REQUIRED_ACCURACY = 0.98
BATCH_SIZE = 32
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 1e-4


class Digits(Dataset):
    """One part of the digits: images (1, 8, 8) between 0 and 1, labels 0 to 9."""

    def __init__(self, *, train: bool) -> None:
        images, labels = load_digits(return_X_y=True)
        training, held_out = train_test_split(
            range(len(labels)), test_size=HELD_OUT, random_state=SPLIT_SEED, stratify=labels
        )
        rows = training if train else held_out
        self.images = dc.tensor(images[rows], dtype=dc.float32).reshape(-1, 1, 8, 8) / 16
        self.labels = dc.tensor(labels[rows], dtype=dc.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[dc.Tensor, dc.Tensor]:
        return self.images[index], self.labels[index]


def build_model() -> nn.Module:
    """Two convolutions with pooling, and a linear layer over what they found."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, kernel_size=3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(64 * 2 * 2, 10),
    )


def train(model: nn.Module, epochs: int, device: dc.device) -> None:
    """Adam with a cosine that brings the step size down to zero over the run."""
    digits = DataLoader(Digits(train=True), batch_size=BATCH_SIZE, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = dc.optim.Adam(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = epochs * len(digits)
    model.train()
    with tqdm(total=steps, desc="training", unit="step", mininterval=0.5) as bar:
        for epoch in range(1, epochs + 1):
            total = 0.0
            for images, labels in digits:
                for group in optimizer.param_groups:
                    group["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * bar.n / steps)) / 2
                optimizer.zero_grad()
                loss = criterion(model(images.to(device)), labels.to(device))
                loss.backward()
                optimizer.step()
                total += loss.item() * len(labels)
                bar.update()
            bar.write(f"epoch {epoch:2}   loss {total / len(digits.dataset):.4f}")


def predict(model: nn.Module, images: dc.Tensor) -> dc.Tensor:
    """The most likely digit of each image."""
    model.eval()
    with dc.no_grad():
        return model(images).argmax(dim=1)


def kernels_of(model: nn.Module, images: dc.Tensor) -> str:
    """The backend that computes a forward pass, and the names of its kernels."""
    model.eval()

    calls = list(dc.explain(lambda: model(images)).calls)
    used: dict[str, None] = {}
    for call in calls:
        calls += call.calls
        if call.kernel.startswith("kernel "):  # as in "kernel cpu:add on cpu"
            used[call.kernel.split()[1]] = None
    (backend,) = (each for each in dc.devices() if each.type == images.device.type)
    return f"of {backend.provider} ({backend.description}): {', '.join(used)}"


def check_saved(path: Path, device: dc.device) -> int:
    """In the new process: load the file and compare its predictions with the recorded ones."""
    saved = dc.load(path)
    model = build_model().to(device)
    model.load_state_dict(saved["model"])
    predictions = predict(model, Digits(train=False).images.to(device)).cpu()
    same = int((predictions == saved["predictions"]).sum())
    print(f"loaded again in a new process: {same} of {HELD_OUT} predictions are the same")
    return 0 if same == HELD_OUT else 1


def main(arguments: argparse.Namespace) -> int:
    """Train, measure, save and check; the exit status."""
    device = dc.device(arguments.device)
    if arguments.check:
        return check_saved(arguments.check, device)

    start = time.perf_counter()
    dc.manual_seed(arguments.seed)
    model = build_model().to(device)
    held_out = Digits(train=False)
    images = held_out.images.to(device)
    print(f"device     {device}")
    print(f"kernels    {kernels_of(model, images)}")

    train(model, arguments.epochs, device)
    predictions = predict(model, images).cpu()
    correct = int((predictions == held_out.labels).sum())
    accuracy = correct / len(held_out)
    print(f"held out   {correct} of {len(held_out)} correct: {accuracy:.2%}")
    print(f"time       {time.perf_counter() - start:.1f} s")

    with tempfile.TemporaryDirectory() as folder:
        path = arguments.save or Path(folder) / "digits.dc"
        dc.save({"model": model.state_dict(), "predictions": predictions}, path)
        kept = f"to {path}" if arguments.save else "to a temporary file (--save PATH keeps it)"
        print(f"saved      {path.stat().st_size:,} bytes {kept}", flush=True)
        reload = [sys.executable, __file__, "--check", str(path), "--device", arguments.device]
        reloaded = subprocess.run(reload, check=False).returncode

    if accuracy < REQUIRED_ACCURACY:
        print(f"failed: fewer than {REQUIRED_ACCURACY:.0%} correct", file=sys.stderr)
    if reloaded:
        print("failed: the loaded model does not predict the same", file=sys.stderr)
    return int(accuracy < REQUIRED_ACCURACY or reloaded != 0)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="any installed device (default cpu)")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="keep the model in this file")
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(parse()))
