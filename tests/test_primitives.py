"""The published list of primitives is the one that is declared."""

from pathlib import Path

from dispatch_core._commands.coverage import primitives
from dispatch_core._op import OPERATORS
from dispatch_core.extend import PRIMITIVES

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "primitives.md"


def test_the_document_shows_the_table_that_the_declarations_give():
    wanted = primitives(OPERATORS[name] for name in PRIMITIVES)
    shown = DOCUMENT.read_text(encoding="utf-8")
    assert wanted in shown, (
        "docs/primitives.md is out of date; replace its tables with the output of: "
        "python -m dispatch_core ops --primitives"
    )


def test_primitives_are_few_and_have_no_body_of_their_own():
    assert len(PRIMITIVES) <= 42 + 11  # compute and views; more would be a burden on every device
    assert all(OPERATORS[name].op.traits.primitive for name in PRIMITIVES)
