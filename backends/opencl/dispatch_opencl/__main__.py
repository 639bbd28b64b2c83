"""`python -m dispatch_opencl`: the devices that work, or why none does; `provide` installs a driver.

`provide` installs PoCL, an OpenCL for the CPU, from Debian's packages where no device works and it may
(as root, or by sudo without a password). It never fails: what cannot be had is said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGE = "pocl-opencl-icd"
PATIENCE = 300
"""Seconds that a command may take: a machine without a network is not waited for."""


def found() -> bool:
    """Print the devices, or what is wrong; whether there are any."""
    # Another process: a driver that is installed in this one's life would not be seen by it.
    code = (
        "from dispatch_opencl.devices import devices, why_none\n"
        "for d in devices(): print(f'opencl:{d.index}  {d.describe()}')\n"
        "if not devices(): raise SystemExit(why_none())"
    )
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def command() -> list[str] | None:
    """How packages are installed here; None where that is not possible."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    sudo = ["sudo", "-n", "apt-get"]
    if (
        shutil.which("sudo")
        and not subprocess.run([*sudo, "--version"], capture_output=True, check=False).returncode
    ):
        return sudo
    return None


def _run(command: list[str]) -> str:
    """Run a command; empty, or what it said when it failed."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return f"{' '.join(command)} did not end within {PATIENCE} s"
    if not done.returncode:
        return ""
    return done.stderr.strip() or done.stdout.strip() or f"{' '.join(command)} failed"


def provide() -> None:
    """See to it that a device works, where that is possible."""
    if found():
        return
    install = command()
    if install is not None:
        print(f"installing {PACKAGE}", flush=True)
        for arguments in (["update", "-q"], ["install", "-q", "-y", PACKAGE]):
            problem = _run([*install, *arguments])
            if problem:
                print(problem)
                break
    if install is None or not found():
        print("no OpenCL device works here: the tests of backends/opencl will be skipped")


if __name__ == "__main__":
    if sys.argv[1:] == ["provide"]:
        provide()
    else:
        sys.exit(not found())
