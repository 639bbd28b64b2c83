"""Several devices of one type: which is meant, moving between them, and mixing them up."""

import copy
import io

import pytest

import dispatch_core as dc
from dispatch_core import nn

ZERO, ONE = dc.device("sim:0"), dc.device("sim:1")


def test_a_name_without_a_number_means_the_current_one():
    assert dc.ones(1, device="sim").device == ZERO
    with dc.sim.device(1):
        assert dc.sim.current_device() == 1
        assert dc.ones(1, device="sim").device == ONE
        assert dc.tensor([1.0], device="sim").device == ONE
        assert dc.rand(2, device="sim").device == ONE
        assert dc.ones(1).device.type == "cpu"  # the default device is another matter
        with dc.sim.device("sim:0"), dc.sim.device(None), dc.sim.device(-1):
            assert dc.sim.current_device() == 0
        x = dc.ones(1, device="sim:0")
        with dc.sim.device_of(x):
            assert dc.sim.current_device() == 0
        with dc.sim.device_of(dc.ones(1)):
            assert dc.sim.current_device() == 1
    assert dc.sim.current_device() == 0


def test_setting_the_current_one():
    dc.sim.set_device(1)
    try:
        dc.sim.set_device(-1)
        assert dc.ones(1, device="sim").device == ONE
        assert dc.ones(1, device="sim:0").to("sim").device == ONE
    finally:
        dc.sim.set_device("sim:0")
    with pytest.raises(RuntimeError, match=r"'sim:2' does not exist: there are 2"):
        dc.sim.set_device(2)
    with pytest.raises(ValueError, match="expected a device of type 'sim', got 'cpu'"):
        dc.sim.set_device("cpu")


def test_moving_to_where_a_tensor_is_gives_the_tensor():
    x = dc.ones(2, device="sim:1")
    assert x.to("sim:1") is x
    with dc.sim.device(1):
        assert x.to("sim") is x
    assert x.to("sim").device == ZERO
    assert x.to("sim:1", copy=True) is not x


def test_moving_keeps_gradients():
    x = dc.ones(2, device="sim:0", requires_grad=True)
    y = (x.to("sim:1") * 3).cpu()
    y.sum().backward()
    assert (x.grad.device, x.grad.tolist()) == (ZERO, [3, 3])


def test_results_stay_where_the_arguments_are():
    x = dc.rand(3, 3, device="sim:1", requires_grad=True)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).to("sim:1")
    loss = nn.functional.cross_entropy(model(x), dc.tensor([0, 1, 0], device="sim:1"))
    loss.backward()
    found = {t.device for t in (loss, x.grad, *(p.grad for p in model.parameters()))}
    assert found == {ONE}
    optimizer = dc.optim.Adam(model.parameters())
    optimizer.step()
    assert {t.device for s in optimizer.state.values() for t in s.values() if t.ndim} == {ONE}
    for made in (x.new_zeros(2), dc.zeros_like(x), x.new_tensor([1.0]), x.sort()[1], x[x > 0.5]):
        assert made.device == ONE
    assert dc.ones_like(x, device="sim").device == ZERO
    assert copy.deepcopy(x.detach()).device == ONE


def test_arguments_on_different_ones_are_named():
    a, b = dc.ones(2, device="sim:0"), dc.ones(2, device="sim:1")
    with pytest.raises(RuntimeError, match=r"input on sim:0, other on sim:1, in add\(\)"):
        a + b
    with pytest.raises(RuntimeError, match=r"tensors\[0\] on sim:0, tensors\[1\] on sim:1"):
        dc.cat([a, b])
    with pytest.raises(RuntimeError, match="same device"):
        a.add_(b)
    with pytest.raises(RuntimeError, match="same device"):
        a + dc.tensor(1.0, device="sim:1")
    assert (a + dc.tensor(1.0)).device == ZERO  # 0-d tensors of the host move


def test_a_default_device_with_a_number():
    dc.set_default_device("sim:1")
    try:
        assert dc.get_default_device() == ONE
        assert dc.ones(1).device == ONE
        assert dc.as_tensor([1.0]).device == ONE
        assert nn.Linear(1, 1).weight.device == ONE
    finally:
        dc.set_default_device(None)
    dc.set_default_device("sim")
    try:
        with dc.sim.device(1):
            assert dc.ones(1).device == dc.get_default_device() == ONE
        assert dc.ones(1).device == ZERO
        assert (dc.ones(1, device="cpu") + 1).device.type == "cpu"  # factories only
    finally:
        dc.set_default_device(None)
    with dc.device("sim:1"):
        assert dc.ones(1).device == ONE
    with pytest.raises(RuntimeError, match="does not exist"):
        dc.set_default_device("sim:7")
    assert dc.ones(1).device.type == "cpu"


def test_files_remember_the_number():
    file = io.BytesIO()
    dc.save({"a": dc.ones(2, device="sim:1"), "b": dc.ones(2)}, file)

    def loaded(where):
        file.seek(0)
        return {k: str(v.device) for k, v in dc.load(file, map_location=where).items()}

    assert loaded(None) == {"a": "sim:1", "b": "cpu"}
    assert loaded("cpu") == {"a": "cpu", "b": "cpu"}
    assert loaded(dc.device("sim", 0)) == {"a": "sim:0", "b": "sim:0"}
    assert loaded({"sim:1": "sim:0"}) == {"a": "sim:0", "b": "cpu"}
    assert loaded(lambda storage, home: storage.to("sim:0") if home == "sim:1" else None) == {
        "a": "sim:0",
        "b": "cpu",
    }


@pytest.mark.parametrize(
    "draw", [dc.rand, dc.randn, lambda n, device: dc.randperm(n, device=device)]
)
def test_a_seed_gives_the_same_numbers_on_all(draw):
    found = []
    for device in ("cpu", "sim:0", "sim:1", "example"):
        dc.manual_seed(7)
        found.append([draw(5, device=device).tolist() for _ in range(2)])
    assert all(each == found[0] for each in found)
    assert found[0][0] != found[0][1]


def test_each_has_a_generator_of_its_own():
    dc.sim.manual_seed_all(3)
    first = dc.rand(2, device="sim:0").tolist()
    assert dc.rand(2, device="sim:1").tolist() == first
    states = dc.sim.get_rng_state_all()
    second = dc.rand(2, device="sim:1").tolist()
    assert second != first
    dc.sim.set_rng_state_all(states)
    assert dc.rand(2, device="sim:1").tolist() == second
    with dc.sim.device(1):
        dc.sim.manual_seed(3)
        assert dc.sim.initial_seed() == 3
        assert dc.rand(2, device="sim").tolist() == first
        dc.sim.seed()
        assert dc.sim.initial_seed() != 3
    dc.sim.seed_all()
    assert dc.equal(dc.rand(2, device="sim:0"), dc.rand(2, device="sim:1").to("sim:0"))


def test_the_accelerator_is_the_simulated_one_where_nothing_better_is(monkeypatch):
    monkeypatch.setattr("dispatch_core._loader.devices._FIRST", ("sim",))
    accelerator = dc.accelerator
    assert accelerator.current_accelerator() == dc.device("sim")
    assert accelerator.device_count() == 2
    assert accelerator.current_device_index() == accelerator.current_device_idx() == 0
    with accelerator.device_index(1):
        assert accelerator.current_device_index() == 1
        assert dc.Stream().device == ONE
        assert dc.Event().device == ONE
        assert dc.Stream(0).device == ZERO
        with accelerator.device_index(None):
            assert accelerator.current_device_index() == 1
    accelerator.set_device_index(1)
    accelerator.set_device_index("sim:0")
    side = dc.Stream("sim:1")
    accelerator.set_stream(side)
    assert accelerator.current_device_index() == 1
    assert accelerator.current_stream() is side
    assert accelerator.current_stream("sim:0") is dc.sim.default_stream(0)
    dc.sim.set_stream(dc.sim.default_stream(1))
    dc.sim.set_stream(None)
    accelerator.set_device_index(0)
    x = dc.ones(1000, device="sim")
    accelerator.reset_peak_memory_stats()
    assert accelerator.memory_allocated() >= 4000
    assert accelerator.max_memory_allocated() == accelerator.memory_allocated()
    assert accelerator.memory_reserved() == accelerator.max_memory_reserved()
    assert accelerator.memory_stats()["allocated_bytes.all.current"] >= x.nbytes
    assert accelerator.get_memory_info()[1] == 2**30
    accelerator.synchronize()
    accelerator.empty_cache()
    accelerator.empty_host_cache()


def test_a_device_is_taken_away_and_its_tensors_keep_their_data():
    import dispatch_sim

    x = dc.ones(2, device="sim:1")
    dispatch_sim.configure(devices=1)
    assert (x + 1).cpu().tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="'sim:1' does not exist"):
        dc.ones(1, device="sim:1")
