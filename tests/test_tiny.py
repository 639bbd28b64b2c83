"""The whole system in about a second: a model is built, trained, saved, loaded, and asked again."""

import dispatch_core as dc
from dispatch_core.testing import assert_close, gradcheck


def model():
    return dc.nn.Sequential(
        dc.nn.Conv2d(1, 4, 3, padding=1),
        dc.nn.BatchNorm2d(4),
        dc.nn.ReLU(),
        dc.nn.MaxPool2d(2),
        dc.nn.Flatten(),
        dc.nn.Linear(4 * 4 * 4, 2),
    )


def bars(count):
    """Images 8 x 8 with a horizontal (0) or vertical (1) bar, and which it is."""
    x = dc.randn(count, 1, 8, 8) * 0.1
    kind = dc.arange(count) % 2
    for i in range(count):
        at = i % 8
        if i % 2:
            x[i, 0, :, at] += 1
        else:
            x[i, 0, at] += 1
    return x, kind


def test_a_model_learns_and_survives_a_file(tmp_path):
    dc.manual_seed(0)
    x, kind = bars(32)
    net = model()
    optimizer = dc.optim.Adam(net.parameters(), lr=0.02)
    loader = dc.utils.data.DataLoader(
        dc.utils.data.TensorDataset(x, kind), batch_size=16, shuffle=True
    )
    losses = []
    for _ in range(8):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = dc.nn.functional.cross_entropy(net(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    net.eval()
    with dc.no_grad():
        answers = net(x)
    assert (answers.argmax(1) == kind).all()

    dc.save(net.state_dict(), tmp_path / "net.safetensors")
    other = model()
    other.load_state_dict(dc.load(tmp_path / "net.safetensors"))
    other.eval()
    with dc.no_grad():
        assert_close(other(x), answers)


def test_the_core_in_one_breath():
    x = dc.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=dc.float64, requires_grad=True)
    y = (x * 1)[0]
    y += x[1].exp().cumsum(0)
    assert gradcheck(lambda t: (t @ t.t()).tanh().sum(0), (x,))
    y.sum().backward()
    assert x.grad.shape == (2, 2)
    assert "grad_fn=<" in repr(y)
    assert "add" in str(dc.explain(lambda: x + x))
