"""Loading and unloading: what a plugin brought goes again, and tensors keep their data."""

import gc
import types

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core._errors import DeviceUnavailableError, PluginError
from dispatch_core._layer import LAYERS
from dispatch_core._loader.discovery import INSTALLED
from dispatch_core.extend import ArrayModuleBackend, Layer, hookimpl


class Toy(ArrayModuleBackend):
    device = "toy"
    xp = np
    array = np.ndarray

    def from_host(self, array, index):
        return array.copy()

    def to_host(self, raw):
        return raw

    def count(self):
        return 1


class Watch(Layer):
    name = "toy_watch"

    def active(self, op, keys, state):
        return self.name in state

    def compose(self, op, keys, state, below):
        return below()


class Plugin:
    """Everything a plugin may bring, in one object."""

    DISPATCH_CORE_API = 1

    def __init__(self):
        self.unloads = 0

    @hookimpl
    def dispatch_core_backend(self, device):
        return Toy()

    @hookimpl
    def dispatch_core_kernels(self, device, table):
        if device == "cpu":
            table.register("exp", lambda input: input * 0 + 5, priority=50)

    @hookimpl
    def dispatch_core_layers(self):
        return [Watch()]

    @hookimpl
    def dispatch_core_unload(self):
        self.unloads += 1


@pytest.fixture
def plugin():
    dc.ones(1)
    made = Plugin()
    dc.plugins.register(made, "toy-package")
    yield made
    dc.plugins.unload("toy-package")
    del INSTALLED.plugins["toy-package"]


def test_all_that_it_brings_is_there(plugin):
    assert dc.ones(2, device="toy").device.type == "toy"
    assert dc.exp(dc.ones(1)).item() == 5
    with dc.layer("toy_watch"):
        assert "toy_watch" in dc.explain("exp", dc.ones(1)).layers
    assert ("toy", "toy-package") in [(info.type, info.provider) for info in dc.devices()]


def test_all_that_it_brought_goes(plugin):
    x = dc.ones(1)
    dc.exp(x)
    dc.plugins.unload("toy-package")
    assert plugin.unloads == 1
    assert dc.exp(x).item() == pytest.approx(np.e)
    assert "toy_watch" not in [layer.name for layer in LAYERS.layers]
    with pytest.raises(RuntimeError, match=r"unknown device 'toy'|unloaded"):
        dc.ones(2, device="toy")
    dc.plugins.unload("toy-package")
    assert plugin.unloads == 1


def test_live_tensors_keep_their_data_and_say_what_is_wrong(plugin):
    x = dc.arange(3.0).to("toy")
    raw = x._raw
    dc.plugins.unload("toy-package")
    assert (x.shape, x.dtype) == ((3,), dc.float32)
    assert x._raw is raw
    for use in (lambda: x + 1, lambda: x.cpu(), lambda: str(x)):
        with pytest.raises(DeviceUnavailableError, match=r"device 'toy' .*toy-package"):
            use()
    dc.plugins.load("toy-package")
    assert (x + 1).cpu().tolist() == [1, 2, 3]
    assert plugin.unloads == 1


def test_a_graph_over_an_unloaded_device_can_be_dropped(plugin):
    x = dc.ones(3, device="toy", requires_grad=True)
    y = (x * 2).sum()
    dc.plugins.unload("toy-package")
    del x, y
    gc.collect()


def test_a_layer_that_is_on_may_be_unloaded(plugin):
    with dc.layer("toy_watch"):
        dc.plugins.unload("toy-package")
        assert dc.explain("exp", dc.ones(1)).layers == ["device"]
    dc.plugins.load("toy-package")
    with dc.layer("toy_watch"):
        assert "toy_watch" in dc.explain("exp", dc.ones(1)).layers


def test_loading_again_and_again(plugin):
    for _ in range(3):
        dc.plugins.unload("toy-package")
        dc.plugins.load("toy-package")
    assert dc.exp(dc.ones(1)).item() == 5
    assert dc.ones(2, device="toy").sum().item() == 2


def test_an_unload_hook_that_raises_is_warned_about(plugin, monkeypatch):
    module = types.ModuleType("toy_module")
    module.DISPATCH_CORE_API = 1

    @hookimpl
    def dispatch_core_unload():
        raise OSError("stuck")

    module.dispatch_core_unload = dispatch_core_unload
    dc.plugins.register(module, "stuck-package")
    with pytest.warns(dc.extend.PluginWarning, match=r"'stuck-package' failed in its hook.*stuck"):
        dc.plugins.unload("stuck-package")
    del INSTALLED.plugins["stuck-package"]


def test_a_registration_that_fails_leaves_nothing(plugin):
    class Second(Plugin):
        @hookimpl
        def dispatch_core_layers(self):
            raise OSError("no layers today")

    with pytest.raises(OSError, match="no layers today"):
        dc.plugins.register(Second(), "second-package")
    assert "second-package" not in INSTALLED.plugins


def test_a_device_is_brought_once(plugin):
    class Second:
        DISPATCH_CORE_API = 1

        @hookimpl
        def dispatch_core_backend(self, device):
            return Toy()

    with pytest.raises(
        PluginError, match="'second-package' brings device 'toy', which 'toy-package'"
    ):
        dc.plugins.register(Second(), "second-package")


def test_mistakes(plugin):
    with pytest.raises(PluginError, match="'toy-package' exists already"):
        dc.plugins.register(Plugin(), "toy-package")
    with pytest.raises(PluginError, match="does not say which plugin API"):
        dc.plugins.register(types.SimpleNamespace(), "silent-package")
    with pytest.raises(
        PluginError, match=r"no plugin is called 'nope'; installed are .*'dispatch-core'"
    ):
        dc.plugins.unload("nope")
    with pytest.raises(PluginError, match="'cpu' belongs to the framework itself"):
        dc.plugins.unload("cpu")
