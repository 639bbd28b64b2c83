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


def provide() -> None:
    """See to it that a device works, where that is possible."""
    if found():
        return
    install = command()
    if install is not None:
        print(f"installing {PACKAGE}", flush=True)
        for arguments in (["update", "-q"], ["install", "-q", "-y", PACKAGE]):
            # Output that nobody asked for is shown only where it explains a failure.
            done = subprocess.run(
                [*install, *arguments],
                capture_output=True,
                text=True,
                check=False,
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            )
            if done.returncode:
                print(done.stderr.strip() or done.stdout.strip())
    if install is None or not found():
        print("no OpenCL device works here: the tests of backends/opencl will be skipped")


if __name__ == "__main__":
    if sys.argv[1:] == ["provide"]:
        provide()
    else:
        sys.exit(not found())
