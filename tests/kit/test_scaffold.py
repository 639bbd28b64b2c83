"""`new-backend`, `new-domain`, `new-layer`: names, files, and that what is written works as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dispatch_core.__main__ import main
from dispatch_core._commands import scaffold

ROOT = Path(__file__).resolve().parents[2]
KINDS = sorted(scaffold.KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "use small letters"),
        ("CPU", "use small letters"),
        ("1a", "use small letters"),
        ("a b", "use small letters"),
        ("a-b", "use small letters"),
        ("../up", "use small letters"),
        ("/tmp/up", "use small letters"),
        ("a__b", "use small letters"),
        ("a_", "use small letters"),
        ("_a", "use small letters"),
        ("a\nb", "use small letters"),
        ("gerät", "use small letters"),
        ("a" * 41, "40 at most"),
        ("class", "is a word of Python's"),
        ("match", "is a word of Python's"),
        ("core", "a package 'dispatch_core' can be imported already"),
    ],
)
def test_names_that_cannot_be(kind, name, message, tmp_path, capsys):
    assert main((f"new-{kind}", name, "--into", str(tmp_path))) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("backend", "cpu", "the backend 'cpu' exists: dispatch-core provides it"),
        ("backend", "example", "the backend 'example' exists: dispatch-example provides it"),
        (
            "backend",
            "opencl.intel",
            "The device of a parent (opencl.intel) is a class in its package",
        ),
        ("domain", "example", "the domain 'example' exists: dispatch-example provides it"),
        ("layer", "autograd", "the layer 'autograd' exists: dispatch-core provides it"),
        ("layer", "flops", "the layer 'flops' exists: dispatch-example provides it"),
    ],
)
def test_names_that_are_taken(kind, name, message, tmp_path, capsys):
    assert main((f"new-{kind}", name, "--into", str(tmp_path))) == 2
    assert message in capsys.readouterr().err


def test_nothing_is_overwritten(tmp_path, capsys):
    place = tmp_path / "dispatch-npu"
    for make in (place.mkdir, place.touch, lambda: place.symlink_to("nowhere")):
        make()
        assert main(("new-backend", "npu", "--into", str(tmp_path))) == 2
        assert "exists already and is left as it is" in capsys.readouterr().err
        assert [p.name for p in tmp_path.iterdir()] == ["dispatch-npu"]
        place.rmdir() if place.is_dir() else place.unlink()


def test_the_folder_must_exist(tmp_path, capsys):
    assert main(("new-layer", "npu", "--into", str(tmp_path / "nowhere"))) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_of_the_template_is_left_and_the_new_one_is_right(kind, package):
    made = package(kind, "my_npu2")
    texts = {p: p.read_text() for p in made.folder.rglob("*") if p.is_file()}
    words = "|".join(k.stands_for for k in scaffold.KINDS.values())
    for path, text in texts.items():
        assert not re.search(words, f"{path.name}\n{text}", re.IGNORECASE), path
    assert 'name = "dispatch-my-npu2"' in texts[made.folder / "pyproject.toml"]
    assert (made.folder / "dispatch_my_npu2" / "__init__.py").exists()
    if kind != "domain":
        assert any("class MyNpu2" in text for text in texts.values())


@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_this_repositorys_lint(kind, package):
    made = package(kind, "npu")
    config = ["--config", str(ROOT / "pyproject.toml")]
    tests = [
        "--extend-per-file-ignores",
        ",".join(f"**/tests/**:{rule}" for rule in ("S101", "D", "INP001")),
    ]
    for command in (["format", "--check"], ["check", *tests]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, "."],
            capture_output=True,
            text=True,
            cwd=made.folder,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_backend_works_as_it_stands(package):
    made = package("backend", "npu")
    chosen = "test_npu or (values and (add or exp or softmax or matmul))"
    out = made.python("-m", "pytest", "-q", "-m", "not slow", "-k", chosen)
    assert "passed" in out
    assert "failed" not in out
    explained = made.python("-m", "dispatch_core", "explain", "matmul", "npu", "float32")
    assert "kernel numpy:matmul on npu" in explained
    assert "npu " in made.python("-m", "dispatch_core", "devices")


@pytest.mark.slow
def test_a_backend_teaches_a_model(package):
    made = package("backend", "npu")
    code = """
import runpy, sys
sys.argv = ["digits.py", "--device", "npu", "--epochs", "1"]
try:
    runpy.run_path(DIGITS, run_name="__main__")
except SystemExit:
    pass
"""
    out = made.python("-c", f"DIGITS = {str(ROOT / 'docs/examples/digits.py')!r}\n{code}")
    correct = int(re.search(r"held out   (\d+) of 450 correct", out)[1])
    assert correct > 400
    assert "450 of 450 predictions are the same" in out


@pytest.mark.slow
def test_a_kernel_takes_the_place_of_numpys(package):
    made = package("backend", "npu")
    file = made.folder / "dispatch_npu" / "kernels" / "elementwise.py"
    text = file.read_text()
    added = '''
def exp(input: NpuArray) -> NpuArray:
    """e to the power of each element."""
    return NpuArray.of(np.exp(input.numpy()))


KERNELS = {
    "exp": (exp, None),
'''
    text = text.replace("\nKERNELS = {\n", added).replace(
        "from dispatch_core", "import numpy as np\nfrom dispatch_core", 1
    )
    file.write_text(text)
    assert "kernel npu:exp on npu" in made.python(
        "-m", "dispatch_core", "explain", "exp", "npu", "float32"
    )
    out = made.python("-m", "pytest", "-q", "-m", "not slow", "-k", "test_conformance and [exp]")
    assert "passed" in out


def test_known_gaps_of_a_package_are_read(package):
    made = package("backend", "npu")
    gaps = made.folder / "dispatch_npu" / "known_gaps.txt"
    driver = made.folder / "dispatch_npu" / "driver.py"
    driver.write_text(driver.read_text().replace("np.negative(", "np.positive("))
    gaps.write_text("neg.values: this chip cannot subtract\n")
    arguments = ("-m", "dispatch_core", "conformance", "npu", "-k", "test_values[neg]")
    assert "1 xfailed" in made.python(*arguments, "--card", str(made.folder))
    card = (made.folder / "conformance-npu.md").read_text()
    assert "| `neg.values` | this chip cannot subtract |" in card
    assert "1 gap, of 1 operators" in card


@pytest.mark.parametrize("kind", ["domain", "layer"])
def test_the_others_work_as_they_stand(kind, package):
    made = package(kind, "npu")
    out = made.python("-m", "pytest", "-q")
    assert "passed" in out
    assert "failed" not in out
