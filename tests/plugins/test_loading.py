"""Plugins are found by entry point, imported when used, and break nothing else."""

import re

import pytest

RAISES = 'raise RuntimeError("no such chip")'
UNFINISHED = "DISPATCH_CORE_API = 1"
HOOK = """
from dispatch_core.extend import DeviceUnavailableError, hookimpl
DISPATCH_CORE_API = 1
@hookimpl
def dispatch_core_"""
FAST = """
from dispatch_core.extend import hookimpl
DISPATCH_CORE_API = 1
@hookimpl
def dispatch_core_kernels(device, table):
    table.register("exp", lambda input: input * 0 + 5, priority=50)
"""
LAYER = """
from dispatch_core.extend import Layer, hookimpl
DISPATCH_CORE_API = 1
class Watch(Layer):
    name = "{name}"
    before = ({before!r},)
    def active(self, op, keys, state):
        return self.name in state
    def compose(self, op, keys, state, below):
        return below()
@hookimpl
def dispatch_core_layers():
    return [Watch()]
"""


# -- nothing is imported before it is used ---------------------------------------------------------


def test_importing_the_framework_looks_at_no_metadata_and_no_library_it_does_not_need(site):
    site.add_device("dispatch-toy", "toy")
    found = site.run(
        """
        unwanted = ("importlib.metadata", "pluggy", "dispatch_cpu", "dispatch_toy", "numpy.testing",
                    "unittest", "email", "zipfile", "asyncio", "pytest", "hypothesis", "difflib")
        print([name for name in unwanted if name in sys.modules])
        print(len([name for name in sys.modules if name.startswith("dispatch_core")]) < 170)
        """
    )
    assert found.split("\n") == ["[]", "True"]


def test_fifty_installed_plugins_are_not_imported(site):
    for i in range(50):
        entries = [
            ("dispatch_core", f"toy{i}"),
            ("dispatch_core.kernels", f"toy{i}.fast"),
            ("dispatch_core.layers", f"layer{i}"),
            ("dispatch_core.operators", f"operators{i}"),
        ]
        site.add(f"dispatch-toy{i}", entries, RAISES)
    found = site.run(
        """
        dc.exp(dc.ones(2)) + 1
        print(len(dc.plugins.installed()) >= 50)
        print([name for name in sys.modules if name.startswith("dispatch_toy")])
        """
    )
    assert found.split("\n") == ["True", "[]"]


def test_a_device_is_imported_when_it_is_first_named(site):
    site.add_device("dispatch-toy", "toy")
    found = site.run(
        """
        x = dc.ones(2)
        print("dispatch_toy" in sys.modules)
        print((x.to("toy") + 1).device, "dispatch_toy" in sys.modules)
        """
    )
    assert found.split("\n") == ["False", "toy True"]


def test_kernels_for_a_device_of_others_come_when_it_is_first_used(site):
    site.add("dispatch-fast", [("dispatch_core.kernels", "cpu.fast")], FAST)
    found = site.run(
        """
        print("dispatch_fast" in sys.modules)
        print(dc.exp(dc.ones(1)).item(), dc.explain("exp", dc.ones(1)).kernel)
        """
    )
    assert found.split("\n") == ["False", "5.0 kernel dispatch-fast:<lambda> on cpu"]


def test_a_layer_comes_when_it_is_switched_on(site):
    site.add(
        "dispatch-watch",
        [("dispatch_core.layers", "watch")],
        LAYER.format(name="watch", before="device"),
    )
    found = site.run(
        """
        dc.ones(1) + 1
        print("dispatch_watch" in sys.modules)
        with dc.layer("watch") as layer:
            print(layer.name, layer.provider)
        """
    )
    assert found.split("\n") == ["False", "watch dispatch-watch"]


def test_operators_come_when_their_namespace_is_named(site):
    source = """
    from dispatch_core.extend import NOT_DIFFERENTIABLE, SAME, K, Tensor, composite, pointwise
    DISPATCH_CORE_API = 1
    @composite(pointwise(SAME), namespace="more")
    def twice(input: Tensor) -> Tensor:
        "input + input"
        return input + input
    """
    site.add("dispatch-more", [("dispatch_core.operators", "more")], source)
    found = site.run(
        """
        print("dispatch_more" in sys.modules)
        print(dc.ops.more, dc.ops.more.twice(dc.ones(1)).item())
        print(error(lambda: dc.ops.more.thrice))
        print(error(lambda: dc.ops.less))
        """
    )
    assert found.split("\n") == [
        "False",
        "<operators 'more': twice> 2.0",
        "AttributeError: namespace 'more' has no operator 'thrice'; it has 'twice'",
        "AttributeError: there is no operator 'less'",
    ]


def test_aliases_and_in_place_variants_stand_beside_the_operators(site):
    source = """
    from dispatch_core.extend import SAME, Tensor, composite, pointwise
    DISPATCH_CORE_API = 1
    @composite(pointwise(SAME), namespace="more", aliases=("double",))
    def twice(input: Tensor) -> Tensor:
        "input + input"
        return input + input
    @composite(pointwise(SAME, inplace=False), namespace="more")
    def thrice(input: Tensor) -> Tensor:
        "3 * input"
        return input * 3
    """
    site.add("dispatch-more", [("dispatch_core.operators", "more")], source)
    found = site.run(
        """
        more, x = dc.ops.more, dc.ones(1)
        print(more.double(x).item(), more.twice_(x) is x, more.double_(x) is x, x.item())
        print(dir(more), more)
        print(error(lambda: more.thrice_))
        print(hasattr(dc, "twice_"), hasattr(x, "twice"))
        print(dc.explain("more.double", x).calls[0].op)
        """
    )
    assert found.split("\n") == [
        "2.0 True True 4.0",
        "['double', 'double_', 'thrice', 'twice', 'twice_'] <operators 'more': thrice, twice>",
        "AttributeError: namespace 'more' has no operator 'thrice_'; it has 'thrice', 'twice'",
        "False False",
        "twice",
    ]


def test_operators_of_plugins_are_loaded(site):
    for name in ("smoothstep", "example.smoothstep"):
        out = site.python("-m", "dispatch_core", "explain", name, "cpu", "float32").stdout
        assert "kernel dispatch-example:smoothstep" in out
    code = "import dispatch_core as dc; print(dc.explain('smoothstep', dc.ones(2)).kernel)"
    assert "body of smoothstep" in site.python("-c", code).stdout


def test_what_is_installed_while_the_process_runs_is_found(site):
    found = site.run(
        f"""
        import pathlib, importlib
        print(error(dc.ones, 1, device="late")[:46])
        folder = pathlib.Path({str(site.folder)!r})
        info = folder / "dispatch_late-1.0.dist-info"
        info.mkdir()
        text = "Metadata-Version: 2.1\\nName: dispatch-late\\nVersion: 1.0\\n"
        (info / "METADATA").write_text(text)
        (info / "entry_points.txt").write_text("[dispatch_core]\\nlate = dispatch_late\\n")
        (folder / "dispatch_late.py").write_text('raise OSError("found")')
        importlib.invalidate_caches()
        print("OSError: found" in error(dc.ones, 1, device="late"))
        """
    )
    assert found.split("\n") == ["DeviceNotFoundError: unknown device 'late': in", "True"]


# -- devices that are not there, or broken ---------------------------------------------------------


def test_an_unknown_device_says_what_is_installed_and_what_to_install(site):
    site.add_device("dispatch-toy", "toy")
    message = site.run('print(error(dc.ones, 1, device="tow"))')
    assert message.startswith("DeviceNotFoundError: unknown device 'tow': installed are ")
    assert "'cpu'" in message
    assert "did you mean 'toy'?" in message
    assert "pip install" not in message


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("blah", ""),
        ("CPU", " (did you mean 'cpu'?)"),
        ("xpu", ""),
        ("gpu", ""),
        ("cuda", ". Install it: pip install dispatch-cuda"),
        ("OpenCL", " (did you mean 'opencl'?)"),
    ],
)
def test_no_package_is_invented_for_an_unknown_device(site, name, end):
    message = site.run(f"print(error(dc.ones, 1, device={name!r}))")
    installed = r"DeviceNotFoundError: unknown device '\w+': installed are '\w+'(, '\w+')*"
    assert re.sub(installed, "", message) == end


def test_a_device_of_which_there_is_none_here_says_so(site):
    source = """
    from dispatch_toy import *
    class None_(Toy):
        def count(self):
            return 0
        def why_unavailable(self):
            return "the cable is unplugged"
    @hookimpl
    def dispatch_core_backend():
        return None_()
    """
    site.add_device("dispatch-toy", "odd")
    site.add("dispatch-odd", [("dispatch_core", "odd")], source)
    site.environment["DISPATCH_CORE_BLOCK"] = "dispatch-toy"
    message = site.run(
        'print(error(dc.ones, 1, device="odd")); print(*[d.reason for d in dc.devices() if d.type == "odd"])'
    )
    assert message.split("\n") == [
        "DeviceUnavailableError: device 'odd' cannot be used here: the cable is unplugged",
        "the cable is unplugged",
    ]


def test_two_packages_with_one_device_are_an_error_that_names_both(site):
    site.add_device("dispatch-one", "toy")
    site.add_device("dispatch-two", "toy")
    message = site.run('print(error(dc.ones, 1, device="toy"))')
    assert "device 'toy' is provided by 'dispatch-one', 'dispatch-two'" in message
    site.environment["DISPATCH_CORE_BLOCK"] = "dispatch_one"
    assert site.run('print(dc.ones(1, device="toy").device)') == "toy"


def test_a_package_that_provides_the_cpu_too_takes_it_from_nobody(site):
    site.add("dispatch-broken", [("dispatch_core", "cpu")], RAISES)
    code = """
import dispatch_core as dc
print(dc.ones(2).tolist(), [info.provider for info in dc.devices() if info.type == "cpu"])
(found,) = [p for p in dc.plugins.installed() if p.name == "dispatch-broken"]
print(found.status(), "pip uninstall dispatch-broken" in found.reason())
dc.plugins.load("dispatch-broken")
"""
    (site.folder / "program.py").write_text(code)
    done = site.python(str(site.folder / "program.py"), check=False)
    assert done.stdout.split("\n")[:2] == ["[1.0, 1.0] ['dispatch-core']", "broken True"]
    assert "program.py:3: PluginWarning: device 'cpu' comes with dispatch-core" in done.stderr
    assert "leave it out with DISPATCH_CORE_BLOCK=dispatch-broken" in done.stderr
    assert done.stderr.count("PluginWarning") == 1
    assert "DeviceUnavailableError: device 'cpu' comes with" in done.stderr.splitlines()[-1]


# -- blocking --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["toy", "dispatch-toy", "Dispatch_Toy", "other, toy"])
def test_plugins_are_blocked_by_device_or_distribution(site, name):
    site.add_device("dispatch-toy", "toy")
    site.environment["DISPATCH_CORE_BLOCK"] = name
    found = site.run(
        """
        print(error(dc.ones, 1, device="toy"))
        (toy,) = [p for p in dc.plugins.installed() if p.name == "dispatch-toy"]
        print(toy.status(toy.entries[0]), "dispatch_toy" in sys.modules)
        """
    ).split("\n")
    assert found[0].startswith("DeviceUnavailableError: device 'toy' is blocked by the environment")
    assert found[1] == "blocked False"


def test_blocked_kernels_are_left_alone_without_a_word(site):
    site.add("dispatch-fast", [("dispatch_core.kernels", "cpu.fast")], RAISES)
    site.environment["DISPATCH_CORE_BLOCK"] = "cpu.fast"
    assert site.run("print(dc.exp(dc.zeros(1)).item())") == "1.0"


# -- kernels and layers that do not fit ------------------------------------------------------------


def test_a_broken_kernel_provider_is_left_out_with_a_warning(site):
    site.add("dispatch-fast", [("dispatch_core.kernels", "cpu.fast")], RAISES)
    code = "import dispatch_core as dc\nprint(dc.exp(dc.zeros(1)).item())"
    (site.folder / "program.py").write_text(code)
    done = site.python(str(site.folder / "program.py"))
    assert done.stdout.strip() == "1.0"
    assert "program.py:2: PluginWarning: kernels 'fast' for device 'cpu' are" in done.stderr
    assert "no such chip" in done.stderr


def test_two_providers_of_one_kernel_are_an_error_that_names_both(site):
    for name in ("one", "two"):
        site.add(f"dispatch-{name}", [("dispatch_core.kernels", f"cpu.{name}")], FAST)
    code = 'import dispatch_core as dc; dc.ones(1); dc.plugins.load("dispatch-two")'
    done = site.python("-c", code, check=False)
    both = "both 'dispatch-one' and 'dispatch-two' register a kernel for 'exp' on 'cpu'"
    assert f"PluginWarning: kernels 'two' for device 'cpu' are left out: {''}" in done.stderr
    assert done.stderr.count(both) >= 2
    assert "PluginError" in done.stderr.splitlines()[-1]


def test_a_provider_that_fails_half_way_leaves_nothing(site):
    source = FAST + "    raise OSError('half way')\n"
    site.add("dispatch-fast", [("dispatch_core.kernels", "cpu.fast")], source)
    site.environment["PYTHONWARNINGS"] = "ignore"
    assert site.run("print(dc.exp(dc.zeros(1)).item())") == "1.0"


def test_layers_whose_order_is_a_cycle_name_both_packages(site):
    for name, before in (("one", "two"), ("two", "one")):
        site.add(
            f"dispatch-{name}",
            [("dispatch_core.layers", name)],
            LAYER.format(name=name, before=before),
        )
    found = site.run('dc.layer("one"); print(error(dc.layer, "two"))')
    assert "cycle" in found
    assert "'one' (dispatch-one)" in found
    assert "'two' (dispatch-two)" in found


def test_a_layer_that_is_promised_but_not_given(site):
    site.add(
        "dispatch-watch",
        [("dispatch_core.layers", "promised")],
        LAYER.format(name="other", before="device"),
    )
    message = site.run(
        'print(error(dc.layer, "promised")); print(error(dc.layer, "other")[:19])'
    ).split("\n")
    assert "promises layer 'promised', but dispatch_core_layers returned 'other'" in message[0]
    assert message[1] == "LayerNotFoundError:"
