"""`python -m dispatch_core doctor` names what fails, hangs or contradicts itself."""

MODULE = "DISPATCH_CORE_API = 1"


def doctor(site, *, good):
    done = site.python("-m", "dispatch_core", "doctor", "--timeout", "5", check=False)
    assert done.returncode == (0 if good else 1), done.stdout + done.stderr
    return " ".join(done.stdout.split())


def test_a_healthy_installation(site):
    site.add("dispatch-good", [("dispatch_core", "good")], MODULE)
    text = doctor(site, good=True)
    assert "dispatch-good 1.0: device 'good'" in text
    assert "no problem found" in text


def test_a_plugin_that_hangs_or_crashes_or_fails_is_named(site):
    site.add("dispatch-slow", [("dispatch_core", "slow")], "import time; time.sleep(60)")
    site.add("dispatch-crash", [("dispatch_core", "crash")], "import os; os.abort()")
    site.add("dispatch-wrong", [("dispatch_core", "wrong")], "1 / 0")
    site.add("dispatch-old", [("dispatch_core", "old")], "DISPATCH_CORE_API = 0")
    text = doctor(site, good=False)
    assert "dispatch-slow 1.0: device 'slow' hangs: importing it did not end within 5 s" in text
    assert "dispatch-crash 1.0: device 'crash' crashes the process (signal 6)" in text
    assert "ZeroDivisionError" in text
    assert "plugin API 0" in text
    assert "4 problem(s) found" in text


def test_a_blocked_plugin_is_not_imported(site):
    site.add("dispatch-slow", [("dispatch_core", "slow")], "import time; time.sleep(60)")
    site.environment["DISPATCH_CORE_BLOCK"] = "slow"
    assert "blocked by DISPATCH_CORE_BLOCK" in doctor(site, good=True)


def test_contradictions_between_packages_and_names_that_block_nothing(site):
    site.add("dispatch-one", [("dispatch_core", "toy")], MODULE)
    site.add("dispatch-two", [("dispatch_core", "toy")], MODULE)
    site.environment["DISPATCH_CORE_BLOCK"] = "toi"
    text = doctor(site, good=False)
    assert "is provided twice, by 'dispatch-one', 'dispatch-two'" in text
    assert "DISPATCH_CORE_BLOCK=toi names nothing that is installed" in text
