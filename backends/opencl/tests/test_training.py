"""The same program on another device: equal losses by changing one word."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import dispatch_core as dc
from dispatch_core import nn

F = nn.functional


def digits():
    images, classes = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32).reshape(-1, 1, 8, 8), classes


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


class Lines(nn.Module):
    """An LSTM over the rows of an image."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 24, batch_first=True)
        self.out = nn.Linear(24, 10)

    def forward(self, x):
        return self.out(self.lstm(x.squeeze(1))[0][:, -1])


class Attention(nn.Module):
    """A transformer's layer over the rows."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.out = nn.Linear(16, 10)

    def forward(self, x):
        return self.out(self.layer(self.embed(x.squeeze(1))).mean(1))


def losses(make, device, steps, batch=64):
    dc.manual_seed(0)
    images, classes = digits()
    model = make().to(device)
    optimizer = dc.optim.Adam(model.parameters(), lr=1e-2)
    found = []
    for begin in range(0, steps * batch, batch):
        x = dc.tensor(images[begin : begin + batch], device=device)
        y = dc.tensor(classes[begin : begin + batch], device=device)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("make", [cnn, Lines, Attention])
def test_losses_are_those_of_the_cpu(make):
    here, there = losses(make, "opencl", 12), losses(make, "cpu", 12)
    assert there[-1] < there[0]
    np.testing.assert_allclose(here, there, rtol=2e-3)


def test_a_model_moves_and_computes_the_same():
    dc.manual_seed(0)
    model = cnn().eval()
    x = dc.tensor(digits()[0][:20])
    wanted = model(x)
    assert next(model.to("opencl").parameters()).device.type == "opencl"
    dc.testing.assert_close(model(x.to("opencl")).cpu(), wanted, rtol=1e-4, atol=1e-5)
    dc.testing.assert_close(model.cpu()(x), wanted)


def test_saved_here_and_loaded_there(tmp_path):
    model = cnn().to("opencl")
    dc.save(model.state_dict(), tmp_path / "model")
    found = dc.load(tmp_path / "model", map_location="cpu")
    assert {v.device.type for v in found.values()} == {"cpu"}
    again = dc.load(tmp_path / "model")
    assert {v.device.type for v in again.values()} == {"opencl"}
    assert dc.equal(again["0.weight"].cpu(), found["0.weight"])
