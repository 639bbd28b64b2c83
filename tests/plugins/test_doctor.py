"""`python -m dispatch_core doctor` names what fails, hangs or contradicts itself."""

import pytest

import dispatch_core as dc

HEAD = """
from dispatch_core.extend import DeviceUnavailableError, hookimpl
DISPATCH_CORE_API = 1
"""


REAL = [plugin.name for plugin in dc.plugins.installed() if plugin.name != "dispatch-core"]


def doctor(site, *, good, timeout=60, everything=False):
    """What it says of made-up plugins; of all others that are installed only if asked to."""
    if not everything:
        blocked = [site.environment.get("DISPATCH_CORE_BLOCK", ""), *REAL]
        site.environment["DISPATCH_CORE_BLOCK"] = ",".join(filter(None, blocked))
    done = site.python("-m", "dispatch_core", "doctor", "--timeout", str(timeout), check=False)
    assert done.returncode == (0 if good else 1), done.stdout + done.stderr
    return " ".join(done.stdout.split())


def test_a_healthy_installation(site):
    site.add_device("dispatch-good", "good")
    text = doctor(site, good=True, everything=True)
    assert "dispatch-good 1.0: device 'good'" in text
    assert "no problem found" in text


def test_a_plugin_that_hangs_or_crashes_or_fails_is_named(site):
    site.add("dispatch-slow", [("dispatch_core", "slow")], "import time; time.sleep(600)")
    site.add("dispatch-crash", [("dispatch_core", "crash")], "import os; os.abort()")
    site.add("dispatch-wrong", [("dispatch_core", "wrong")], "1 / 0")
    site.add("dispatch-old", [("dispatch_core", "old")], "DISPATCH_CORE_API = 0")
    text = doctor(site, good=False, timeout=15)  # others must be in time on a busy machine too
    assert "dispatch-slow 1.0: device 'slow' hangs: importing it did not end within 15 s" in text
    assert "dispatch-crash 1.0: device 'crash' crashes the process (signal 6)" in text
    assert "ZeroDivisionError" in text
    assert "plugin API 0" in text
    assert "4 problem(s) found" in text


def test_a_blocked_plugin_is_not_imported(site):
    site.add("dispatch-slow", [("dispatch_core", "slow")], "import time; time.sleep(60)")
    site.environment["DISPATCH_CORE_BLOCK"] = "slow"
    assert "blocked by DISPATCH_CORE_BLOCK" in doctor(site, good=True)


def test_contradictions_between_packages_and_names_that_block_nothing(site):
    site.add_device("dispatch-one", "toy")
    site.add_device("dispatch-two", "toy")
    site.environment["DISPATCH_CORE_BLOCK"] = "toi"
    text = doctor(site, good=False)
    assert "is provided twice, by 'dispatch-one', 'dispatch-two'" in text
    assert "DISPATCH_CORE_BLOCK=toi names nothing that is installed" in text
    assert "2 problem(s) found" in text


def test_of_two_providers_of_the_cpu_the_newcomer_is_to_go(site):
    site.add_device("dispatch-broken", "cpu")
    text = doctor(site, good=False)
    assert "is provided twice, by 'dispatch-broken', 'dispatch-core'" in text
    assert "uninstall 'dispatch-broken'" in text


@pytest.mark.parametrize(
    ("group", "name", "source", "reason"),
    [
        ("dispatch_core", "odd", "", "it implements no hook dispatch_core_backend"),
        (
            "dispatch_core",
            "odd",
            "@hookimpl\ndef dispatch_core_backend(): return None",
            "returned NoneType, expected a Backend",
        ),
        ("dispatch_core", "odd", "@hookimpl\ndef dispatch_core_backend(gpu): ...", "gpu"),
        ("dispatch_core.kernels", "cpu.odd", "", "it implements no hook dispatch_core_kernels"),
        (
            "dispatch_core.kernels",
            "cpu.odd",
            "@hookimpl\ndef dispatch_core_kernels(device, table): 1 / 0",
            "ZeroDivisionError",
        ),
        (
            "dispatch_core.layers",
            "odd",
            "@hookimpl\ndef dispatch_core_layers(): return []",
            "promises layer 'odd'",
        ),
        ("dispatch_core.operators", "odd", "", 'declares no operator with namespace="odd"'),
    ],
)
def test_hooks_are_called_too(site, group, name, source, reason):
    site.add("dispatch-odd", [(group, name)], HEAD + source)
    text = doctor(site, good=False)
    assert reason in text
    assert "1 problem(s) found" in text


def test_a_device_that_this_machine_lacks_is_no_problem_of_the_installation(site):
    source = (
        "@hookimpl\ndef dispatch_core_backend(): raise DeviceUnavailableError('driver 5 is needed')"
    )
    site.add("dispatch-odd", [("dispatch_core", "odd")], HEAD + source)
    assert "cannot be used on this machine: driver 5 is needed" in doctor(site, good=True)
    site.add("dispatch-far", [("dispatch_core.kernels", "nowhere.far")], HEAD)
    assert "its device 'nowhere' is not usable here" in doctor(site, good=True)
