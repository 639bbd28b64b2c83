"""Many devices in one process, and plugins beside them that are broken, hang, or are of another version."""

import textwrap

HANGS = "import time\ntime.sleep(3600)\n"
RAISES = 'raise RuntimeError("half of it is missing")'
OTHER_VERSION = "DISPATCH_CORE_API = 99"
OLD_IMPORT = "from dispatch_core.extend import SomethingOfOldTimes\nDISPATCH_CORE_API = 1"
BAD_GROUPS = ("", ".kernels", ".layers", ".operators")


def crowd(site):
    for i in range(20):
        site.add_device(f"dispatch-toy{i}", f"toy{i}")
    for name, source in (
        ("hanging", HANGS),
        ("broken", RAISES),
        ("newer", OTHER_VERSION),
        ("older", OLD_IMPORT),
    ):
        entries = [
            (
                f"dispatch_core{group}",
                f"cpu.{name}" if group == ".kernels" else f"{name}{group[1:]}",
            )
            for group in BAD_GROUPS
            if (name, group) != ("hanging", ".kernels")
        ]
        site.add(f"dispatch-{name}", entries, source)
    site.environment["DISPATCH_CORE_IMPORT_TIMEOUT"] = "1.5"


def test_twenty_devices_beside_bad_plugins(site):
    crowd(site)
    code = textwrap.dedent("""
    import warnings
    import dispatch_core as dc
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dc.ones(1)
    told = sorted(str(w.message).partition("'")[2].partition("'")[0] for w in caught)
    print("kernels that are left out:", told)
    names = [f"toy{i}" for i in range(20)]
    tensors = []
    for name in names:
        w = dc.tensor([1.0, 2.0], device=name, requires_grad=True)
        (w * w).sum().backward()
        assert w.grad.tolist() == [2, 4]
        assert w.grad.device.type == name
        tensors.append(w)
    total = sum(w.detach().cpu() for w in tensors)
    print(total.tolist())
    moved = tensors[0].detach()
    for name in names[1:]:
        moved = moved.to(name)
    print(moved.device, moved.tolist())
    try:
        tensors[3] + tensors[4]
    except RuntimeError as error:
        print("input on toy3, other on toy4" in str(error))
    for i in (7, 11):
        dc.plugins.unload(f"dispatch-toy{i}")
    for w in tensors:
        try:
            w.detach() + 1
        except RuntimeError as error:
            print(type(error).__name__, str(error).partition(" with")[0])
    dc.plugins.load("dispatch-toy7")
    print((tensors[7].detach() + 1).tolist())
    """)
    lines = site.run(code).split("\n")
    assert lines == [
        "kernels that are left out: ['broken', 'newer', 'older']",
        "[20.0, 40.0]",
        "toy19 [1.0, 2.0]",
        "True",
        "DeviceUnavailableError device 'toy7' was unloaded",
        "DeviceUnavailableError device 'toy11' was unloaded",
        "[2.0, 3.0]",
    ]


def test_lists_go_on_although_a_plugin_hangs(site):
    crowd(site)
    site.environment["PYTHONWARNINGS"] = "ignore"
    code = textwrap.dedent("""
    import time
    dc.ones(1)
    found = {info.type: info for info in dc.devices()}
    print(sum(found[f"toy{i}"].available for i in range(20)))
    for name in ("hanging", "broken", "newer", "older"):
        print(name, found[name].available, found[name].reason.partition("is not used: ")[2][:46])
    start = time.perf_counter()
    print(dc.accelerator.current_accelerator().type, time.perf_counter() - start < 1)
    print(error(dc.ones, 1, device="hanging")[:48])
    print(error(lambda: dc.no_such_function)[:14])
    """)
    lines = site.run(code).split("\n")
    assert lines[0] == "20"
    assert lines[1:5] == [
        "hanging False TimeoutError: importing it did not end within ",
        "broken False RuntimeError: half of it is missing. Repair it",
        "newer False it needs plugin API 99, and this dispatch_core",
        "older False ImportError: cannot import name 'SomethingOfOl",
    ]
    assert lines[5].split()[1] == "True"
    assert lines[6] == "DeviceUnavailableError: device 'hanging' cannot "
    assert lines[7] == "AttributeError"


def test_the_command_line_lists_them_all(site):
    crowd(site)
    site.environment["PYTHONWARNINGS"] = "ignore"
    out = site.python("-m", "dispatch_core", "devices").stdout
    assert all(f"\ntoy{i} " in out for i in range(20))
    assert "did not end within 1.5 s" in " ".join(out.split())
    out = site.python("-m", "dispatch_core", "layers").stdout
    assert "autograd" in out
    assert "hanginglayers" in out


def test_who_names_a_device_waits_for_it(site):
    slow = "import time\ntime.sleep(0.6)\n" + "from dispatch_toy import *"
    site.add_device("dispatch-toy", "slow")
    site.add("dispatch-slow", [("dispatch_core", "slow")], slow)
    site.environment |= {
        "DISPATCH_CORE_BLOCK": "dispatch-toy",
        "DISPATCH_CORE_IMPORT_TIMEOUT": "0.1",
    }
    assert site.run('print(dc.ones(1, device="slow").device)') == "slow"
    found = site.run(
        """
        import time
        print([i.available for i in dc.devices() if i.type == "slow"])
        time.sleep(2)
        dc.plugins.load("dispatch-slow")
        print(dc.ones(1, device="slow").device)
        """
    )
    assert found.split("\n") == ["[False]", "slow"]
