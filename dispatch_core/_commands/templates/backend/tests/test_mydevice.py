"""What the conformance suite does not ask: a model learns, and our own kernels are used."""

import dispatch_core as dc
from dispatch_core import nn


def test_the_device_is_there():
    (found,) = [info for info in dc.devices() if info.type == "mydevice"]
    assert found.available, found.reason


def test_a_model_learns():
    dc.manual_seed(0)
    x = dc.randn(64, 8).to("mydevice")
    y = x[:, :3].argmax(1)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)).to("mydevice")
    optimizer = dc.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(40):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_our_own_kernel_comes_before_numpys():
    x = dc.arange(6.0).reshape(2, 3).to("mydevice")
    assert dc.explain(dc.neg, x).kernel == "kernel mydevice:neg on mydevice"
    assert dc.explain(dc.exp, x).kernel == "kernel numpy:exp on mydevice"
    assert (-x.t()[1:]).cpu().tolist() == [[-1, -4], [-2, -5]]
