"""Writes a new package from a template: a backend, a domain or a layer that works as it stands."""

from __future__ import annotations

import keyword
import os
import re
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dispatch_core._layer import LAYERS
from dispatch_core._loader import discovery
from dispatch_core._loader.discovery import INSTALLED

TEMPLATES = Path(__file__).with_name("templates")
LONGEST = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Kind:
    """One kind of package."""

    name: str
    """The template's folder, and the command's last word."""
    stands_for: str
    """The name in the template that the new one takes the place of."""
    group: str
    """The group of entry points in which the name must be new."""


BACKEND = Kind("backend", "mydevice", discovery.DEVICES)
DOMAIN = Kind("domain", "mydomain", discovery.OPERATORS)
LAYER = Kind("layer", "mylayer", discovery.LAYERS)
KINDS = {kind.name: kind for kind in (BACKEND, DOMAIN, LAYER)}


def write(kind: Kind, name: str, into: str) -> str:
    """Write the package `dispatch-NAME` into a folder; what to do with it, as text.

    Raises ValueError for a name that cannot be used, and where there is something in its place
    already: nothing is ever overwritten. FileNotFoundError where the folder does not exist.
    """
    check_name(kind, name)
    folder = Path(into)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder '{folder}' to write into; make it first")
    target = folder / _distribution(name)
    if os.path.lexists(target):
        raise ValueError(
            f"'{target}' exists already and is left as it is; choose another name, or another place with "
            "--into"
        )
    # Beside its place and then renamed: half a package is never seen.
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
        made = Path(scratch, "package")
        _copy(TEMPLATES / kind.name, made, kind, name)
        made.rename(target)
    files = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())
    return "\n".join(
        [
            f"wrote {target}:",
            *(f"  {file}" for file in files),
            "",
            "next:",
            f"  pip install --editable '{target}[test]'",
            f"  python -m pytest {target}",
            f"  {target / 'README.md'} says what to change, and in which order",
        ]
    )


def check_name(kind: Kind, name: str) -> None:
    """Raise ValueError with the reason where a package cannot have this name."""
    if not name.isascii() or not _NAME.fullmatch(name) or len(name) > LONGEST:
        dotted = (
            " The device of a parent (opencl.intel) is a class in its package: docs/devices.md."
        )
        raise ValueError(
            f"'{name}' cannot be the name of a {kind.name}: use small letters, digits and single underscores, "
            f"beginning with a letter, {LONGEST} at most, as in 'npu' or 'my_npu2'."
            + (dotted if "." in name and kind is BACKEND else "")
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ValueError(f"'{name}' is a word of Python's and cannot be the name of a {kind.name}")
    owners = [plugin.name for plugin, _ in INSTALLED.entries(kind.group, name)]
    if kind is LAYER and name in {layer.name for layer in LAYERS.layers}:
        owners.append(discovery.CORE)
    if owners:
        raise ValueError(
            f"the {kind.name} '{name}' exists: {owners[0]} provides it; choose another name"
        )
    if find_spec(_package(name)) is not None:
        raise ValueError(
            f"a package '{_package(name)}' can be imported already, and one of the two would hide the "
            "other; choose another name"
        )


def _distribution(name: str) -> str:
    return f"dispatch-{name.replace('_', '-')}"


def _package(name: str) -> str:
    return f"dispatch_{name}"


def _copy(source: Path, target: Path, kind: Kind, name: str) -> None:
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        if path.is_file() and "__pycache__" not in parts:
            made = target.joinpath(*(renamed(part, kind, name) for part in parts))
            made.parent.mkdir(parents=True, exist_ok=True)
            text = renamed(path.read_text(encoding="utf-8"), kind, name)
            made.write_text(text, encoding="utf-8", newline="\n")


def renamed(text: str, kind: Kind, name: str) -> str:
    """A text with the new name in place of the template's, as each place writes it."""
    old = kind.stands_for
    text = text.replace(f"dispatch-{old}", _distribution(name))
    text = text.replace(old.capitalize(), "".join(part.capitalize() for part in name.split("_")))
    return text.replace(old, name)
