"""What dispatch-text registers, and what it imports."""

import subprocess
import sys

import pytest

import dispatch_core as dc
import dispatch_text


def test_the_catalogue_names_what_there_is():
    domain = dc.plugins.domain("text")
    for kind, named in domain.parts.items():
        for name in named:
            found = domain.get(kind, name)
            assert found.__name__ == name
    public = {
        name
        for name in dispatch_text.models.__all__
        if not name.endswith("Config") and name != "PretrainedModel"
    }
    assert set(domain.parts["models"]) == public
    data = {n for n in dispatch_text.datasets.__all__ if n not in ("TextDataset", "Question")}
    assert set(domain.parts["datasets"]) == data
    assert set(dispatch_text.metrics.__all__) - {"Edits", "RougeScore", "edits"} == set(
        domain.parts["metrics"]
    )


def test_the_catalogue_imports_none_of_it():
    code = (
        "import sys, dispatch_core as dc; dc.plugins.domain('text');"
        "print(sorted(m for m in sys.modules if m.startswith(('dispatch_text', 'tokenizers'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['dispatch_text', 'dispatch_text.plugin']"


def test_the_libraries_of_extras_wait_for_their_use():
    code = "import sys, dispatch_text; print({'tokenizers', 'sentencepiece'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_operators_have_their_namespace():
    x = dc.arange(8.0).reshape(1, 2, 4)
    angles = dc.tensor([[0.0, 0.0, 0.0, 0.0], [1.5707963, 1.5707963, 1.5707963, 1.5707963]])
    turned = dc.ops.text.rotary(x, angles.cos(), angles.sin())
    expected = [[0.0, 1.0, 2.0, 3.0], [-6.0, -7.0, 4.0, 5.0]]
    assert dc.testing.assert_close(turned[0], dc.tensor(expected), atol=1e-5, rtol=0) is None


def test_rotary_says_what_does_not_fit():
    for shapes in ([(2, 3)] * 3, [(2, 4), (2, 2), (2, 2)], [(2, 4), (2, 4), (4,)]):
        with pytest.raises(RuntimeError, match="even last dimension"):
            dc.ops.text.rotary(*map(dc.zeros, shapes))


def test_public_names():
    assert set(dispatch_text.__all__) <= set(dir(dispatch_text))
    for name in dispatch_text.__all__:
        assert getattr(dispatch_text, name).__name__.rpartition(".")[2] == name
    with pytest.raises(AttributeError, match="module 'dispatch_text' has no attribute 'wombat'"):
        getattr(dispatch_text, "wombat")  # noqa: B009  the plain form is a useless expression
