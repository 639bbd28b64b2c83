"""`python -m dispatch_core`: what is installed, what it can do, and what is wrong with it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from dispatch_core._commands import conformance, coverage, doctor, listing, scaffold
from dispatch_core._commands.scaffold import KINDS
from dispatch_core._errors import DispatchCoreError
from dispatch_core._version import __version__

_EXAMPLES = """\
examples:
  python -m dispatch_core devices
  python -m dispatch_core ops --device cpu --missing
  python -m dispatch_core new-backend npu
  python -m dispatch_core explain softmax cpu float32 --grad
  DISPATCH_CORE_BLOCK=dispatch-example python -m dispatch_core plugins
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m dispatch_core",
        description="Show what is installed, what it can do, and what is wrong with it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"dispatch_core {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, about: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=about, description=about)

    command("plugins", "Every plugin and what it provides; imports none of them.")
    command("devices", "Every device type; says why one cannot be used.")
    one = command("layers", "Every layer in the order in which they act, outermost first.")
    one.add_argument(
        "--no-load", action="store_true", help="leave plugins that are not in use alone"
    )
    one = command(
        "domains", "What domain libraries offer: models, data sets, transforms, operators."
    )
    one.add_argument("name", nargs="?", help="only this one, as text")
    one = command("ops", "How many operators each device computes in each dtype, and how.")
    one.add_argument("name", nargs="*", help="only these operators (implies --list)")
    one.add_argument("--device", help="only this device type")
    one.add_argument("--dtype", help="only this dtype, as float32")
    one.add_argument("--list", action="store_true", help="every operator, one mark a dtype")
    one.add_argument("--missing", action="store_true", help="only what a device cannot compute")
    one.add_argument("--primitives", action="store_true", help="what every device must bring")
    one = command("explain", "Which layers and which kernel a call would run, and why.")
    one.add_argument(
        "op", help="the operator's name: softmax, nn.functional.relu, example.smoothstep"
    )
    one.add_argument("device", help="the device type of its arguments, as cpu")
    one.add_argument("dtype", help="their dtype, as float32")
    one.add_argument("--grad", action="store_true", help="as if the arguments required gradients")
    one = command(
        "conformance", "Run the generated tests of all operators on a device (by pytest)."
    )
    one.add_argument("device", help="the device type, as cpu")
    one.add_argument("-k", metavar="EXPR", help="only tests that match, as pytest's -k")
    one.add_argument("--namespace", help="only the operators of a plugin's namespace, as example")
    one.add_argument("--full", action="store_true", help="the slow tests too")
    one.add_argument(
        "--card",
        metavar="FOLDER",
        default=".",
        help="where conformance-DEVICE.json and .md go (default: the current folder)",
    )
    one.add_argument("--no-card", action="store_true", help="write no card")
    for kind in KINDS.values():
        one = command(
            f"new-{kind.name}", f"Write a new package with a {kind.name} that works as it stands."
        )
        one.add_argument(
            "name", metavar="NAME", help="its name, as npu; the folder is dispatch-NAME"
        )
        one.add_argument("--into", metavar="FOLDER", default=".", help="where (default: here)")
    one = command("doctor", "Load every plugin in a process of its own; name what fails or hangs.")
    one.add_argument(
        "--timeout",
        type=float,
        default=20.0,
        metavar="S",
        help="seconds for one import (default 20)",
    )
    return top


def run(given: argparse.Namespace) -> tuple[str, bool]:
    """The text to print, and whether all is well."""
    if given.command is None:
        return f"{listing.overview()}\n\n{_subcommands()}", True
    if given.command == "plugins":
        return listing.plugins(), True
    if given.command == "devices":
        return listing.device_list(), True
    if given.command == "layers":
        return listing.layers(load=not given.no_load), True
    if given.command == "domains":
        return listing.domain_list(given.name), True
    if given.command == "doctor":
        return doctor.report(given.timeout)
    if given.command.startswith("new-"):
        kind = KINDS[given.command.removeprefix("new-")]
        return scaffold.write(kind, given.name, given.into), True
    if given.command == "explain":
        return coverage.explained(given.op, given.device, given.dtype, grad=given.grad), True
    if given.primitives:
        return coverage.primitives(), True
    if given.list or given.missing or given.name:
        text = coverage.listing(given.name, given.device, given.dtype, missing=given.missing)
        return text, True
    return coverage.summary(given.device, given.dtype), True


def _subcommands() -> str:
    about = parser()._subparsers._group_actions[0]._choices_actions  # type: ignore[union-attr]
    lines = [f"  python -m dispatch_core {each.dest:12s} {each.help}" for each in about]
    return "\n".join(["more:", *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was asked for; 0 if all is well, 1 for a problem found, 2 for a wrong command."""
    given = parser().parse_args(arguments)
    try:
        if given.command == "conformance":
            folder = None if given.no_card else given.card
            return conformance.run(
                given.device, given.k, given.namespace, full=given.full, folder=folder
            )
        text, good = run(given)
    except (DispatchCoreError, AttributeError, OSError, RuntimeError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    try:
        print(text, flush=True)
    except BrokenPipeError:  # whoever reads has seen enough, and Python would tell again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
