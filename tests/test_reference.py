"""The reference of operators, made from their declarations."""

import re

import pytest

from dispatch_core._op import OPERATORS, is_core
from dispatch_core.testing import reference

WITHOUT_EXAMPLE = {
    "Tensor.geometric_",
    "Tensor.new_empty",
    "Tensor.new_empty_strided",
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "randint",
    "randint_like",
    "random",
    "signal.windows.general_cosine",
}
"""Their values are whatever memory holds, or their arguments nobody can guess."""


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    pages = reference.write(folder)
    assert pages[0] == folder / "overview.md"
    return [
        entry
        for page in pages[1:]
        if page.stem not in ("functions", "tensor")
        for entry in re.split(r"\n(?=## )", page.read_text())
        if entry.startswith("## ")
    ]


def test_every_public_operator_has_an_entry(entries):
    core = [d for d in OPERATORS.values() if is_core(d.front)]
    declared = [d for d in core if reference.public_names(d)]
    titles = [entry.partition("\n")[0][3:] for entry in entries]
    assert sorted(titles) == sorted(reference.public_names(d)[0] for d in declared)
    assert len(titles) > 500


def test_entries_have_signature_text_and_facts(entries):
    for entry in entries:
        title, signature, text, *rest = entry.split("\n\n")
        assert signature.startswith(f"```python\n{title[3:]}(")
        assert len(text) > 5, title
        assert any(part.startswith("- ") for part in rest), title


def test_an_executed_example_stands_in_all_but_few(entries):
    titles = {entry.partition("\n")[0][3:] for entry in entries}
    shown = {entry.partition("\n")[0][3:] for entry in entries if "\n>>> " in entry}
    assert titles - shown == WITHOUT_EXAMPLE


def test_an_entry_tells_what_its_declaration_says(entries):
    (entry,) = (e for e in entries if e.startswith("## add\n"))
    assert "add(input, other, *, alpha=1, out=None)" in entry
    assert "Also `Tensor.add`, `Tensor.add_`, `+`." in entry
    assert "Takes all dtypes; operands are promoted." in entry
    assert "Differentiable by `input`, `other`" in entry
    (entry,) = (e for e in entries if e.startswith("## nonzero\n"))
    assert "Has no derivative." in entry


def test_what_an_operator_does_was_found_out_by_calling_it(entries):
    (entry,) = (e for e in entries if e.startswith("## mean\n"))
    assert "Shapes, for instance: `(3, 4)` gives `()`" in entry
    assert "IndexError for a `dim` that there is not" in entry
    (entry,) = (e for e in entries if e.startswith("## sum\n"))
    assert "`bool` gives `int64`" in entry
    (entry,) = (e for e in entries if e.startswith("## sub\n"))
    assert "RuntimeError for bool and shapes that do not go together" in entry
    told = {kind: sum(f"\n- {kind}" in e for e in entries) for kind in ("Shapes", "Raises")}
    assert told["Shapes"] > 0.85 * len(entries)
    assert told["Raises"] > 0.85 * len(entries)


def test_functions_and_attributes_have_entries_with_text(tmp_path):
    pages = {page.stem: page.read_text() for page in reference.write(tmp_path)}
    whole = "".join(pages.values())
    for name in ("atleast_1d", "scalar_tensor", "nn.functional.multi_head_attention_forward"):
        assert f"\n## {name}\n" in pages["functions"]
    for name in ("T", "mH", "item", "resize_", "__getitem__", "bool", "is_cuda", "__rsub__"):
        assert f"\n## Tensor.{name}\n" in pages["tensor"]
    for page in ("functions", "tensor"):
        for entry in re.split(r"\n(?=## )", pages[page])[1:]:
            title, _, text = entry.partition("\n\n")
            assert len(text.rpartition("```")[2].strip()) > 5, title
    assert "Methods and attributes of a tensor" in pages["overview"]
    assert whole.count("\n## ") > 800
