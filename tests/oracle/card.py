"""How many operators agree with PyTorch in everything: `python -m tests.oracle.card`."""

from __future__ import annotations

import argparse
from collections import Counter

from tests.oracle.checks import CHECKS
from tests.oracle.operators import OPERATORS


def main() -> None:
    """Print the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operators", nargs="*", help="only these; all without")
    parser.add_argument("--check", action="append", choices=CHECKS, help="only these checks")
    options = parser.parse_args()
    names = options.operators or list(OPERATORS)
    differing: Counter[str] = Counter()
    agreeing = 0
    for name in names:
        found = {}
        for check in options.check or CHECKS:
            try:
                CHECKS[check](OPERATORS[name])
            except Exception as error:  # noqa: BLE001
                found[check] = f"{'' if isinstance(error, AssertionError) else type(error).__name__ + ' '}{error}"
                differing[check] += 1
        agreeing += not found
        for check, said in found.items():
            print(f"{name} {check}: {said}", flush=True)
    print(f"{agreeing} of {len(names)} agree; differing by check: {dict(differing)}")


if __name__ == "__main__":
    main()
