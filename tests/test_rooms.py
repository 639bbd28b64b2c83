"""Who may import whom across distributions, for every backend, domain and plugin in the tree."""

import ast
import itertools
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("backends", "domains", "plugins")
TEMPLATES = ROOT / "dispatch_core" / "_commands" / "templates"


def _packages() -> list[tuple[str, Path]]:
    """(kind, folder of an import package) for each one below backends/, domains/, plugins/, templates/."""
    found = [(kind, init) for kind in KINDS for init in (ROOT / kind).glob("*/*/__init__.py")]
    # What the kit writes keeps the rules, too.
    found += [("templates", init) for init in TEMPLATES.glob("*/*/__init__.py")]
    return sorted(
        (kind, init.parent) for kind, init in found if init.parent.name.startswith("dispatch_")
    )


PACKAGES = _packages()
FOREIGN = {folder.name for _, folder in PACKAGES}
each_package = pytest.mark.parametrize(
    ("kind", "folder"), PACKAGES, ids=[folder.name for _, folder in PACKAGES]
)


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def _offences(folder: Path, forbidden) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in sorted(folder.rglob("*.py"))
        for line, name in _imports(file)
        if forbidden(name)
    ]


@each_package
def test_distributions_never_import_each_other(kind, folder):
    others = FOREIGN - {folder.name}
    assert not _offences(folder, lambda name: name.split(".")[0] in others)


@each_package
def test_backends_and_plugins_enter_by_extend_alone(kind, folder):
    if kind == "domains":
        pytest.skip("domains may use the public names too")

    def forbidden(name: str) -> bool:
        parts = name.split(".")
        return parts[0] == "dispatch_core" and parts[1:2] != ["extend"] and name != "dispatch_core"

    assert not _offences(folder, forbidden)


@each_package
def test_nobody_imports_private_modules_of_the_core(kind, folder):
    def forbidden(name: str) -> bool:
        parts = name.split(".")
        return parts[0] == "dispatch_core" and any(
            part.startswith("_") and not part.startswith("__") for part in parts[1:]
        )

    assert not _offences(folder, forbidden)


def test_core_imports_three_libraries_and_itself():
    allowed = {"dispatch_core", "numpy", "ml_dtypes", "pluggy", *sys.stdlib_module_names}
    # The conformance kit is for test environments, where pytest and hypothesis are at hand.
    files = [
        file
        for file in sorted((ROOT / "dispatch_core").rglob("*.py"))
        if "testing" not in file.relative_to(ROOT).parts and TEMPLATES not in file.parents
    ]
    strangers = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in files
        for line, name in _imports(file)
        if name.split(".")[0] not in allowed
    ]
    assert not strangers


def test_every_folder_of_a_distribution_is_complete():
    missing = [
        str((folder / needed).relative_to(ROOT))
        for kind in KINDS
        for folder in sorted((ROOT / kind).glob("*/"))
        # The root distribution carries backends/cpu.
        if (folder / "pyproject.toml").exists()
        for needed in ("README.md", "tests")
        if not (folder / needed).exists()
    ]
    assert not missing


def test_pins_lie_within_the_bounds_and_name_no_host():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all("==" in pin for pin in pins)
    assert "://" not in text
    pinned = {pin.split("==")[0].lower().replace("_", "-") for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = itertools.chain(project["dependencies"], *project["optional-dependencies"].values())
    names = {need.split(">")[0].split("=")[0].lower().replace("_", "-") for need in wanted}
    assert not names - pinned
