"""What several checks need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.oracle.comparison import Difference


@contextmanager
def about(call: object) -> Iterator[None]:
    """Say in a Difference which call it was."""
    try:
        yield
    except Difference as difference:
        raise Difference(f"{str(call)[:160]}: {difference}") from None
