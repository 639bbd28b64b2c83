"""How many operators agree with PyTorch: `python -m tests.oracle.card [operators] [--check NAME]`.

Lists the first difference of each operator in each check, then the figures.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.oracle.checks import CHECKS
from tests.oracle.differences import reason
from tests.oracle.operators import OPERATORS


def main() -> int:
    """Print the card; 1 where an operator differs in what is not listed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operators", nargs="*", help="only those whose path has this")
    parser.add_argument("--check", action="append", choices=CHECKS, help="only these")
    options = parser.parse_args()
    paths = [p for p in OPERATORS if any(part in p for part in options.operators or [""])]
    if not paths:
        parser.error(f"no operator has {' or '.join(options.operators)} in its path")
    checks = options.check or list(CHECKS)
    agreeing: Counter[str] = Counter()
    meant: Counter[str] = Counter()
    whole = 0
    for path in paths:
        differing = False
        for check in checks:
            said = difference(path, check)
            why = reason(path, check)
            agreeing[check] += said is None
            meant[check] += said is not None and why is not None
            if said is not None and why is None:
                differing = True
                print(f"{path} {check}: {said}", flush=True)
        whole += not differing
    for check in checks:
        listed = f", {meant[check]} differ as listed" if meant[check] else ""
        print(f"{check:10} {agreeing[check]:4} of {len(paths)} agree{listed}")
    print(f"everything {whole:4} of {len(paths)} agree, but for what differences.txt lists")
    return int(whole < len(paths))


def difference(path: str, check: str) -> str | None:
    """The first difference of an operator in a check."""
    try:
        CHECKS[check](OPERATORS[path])
    except Exception as error:  # noqa: BLE001  whatever goes wrong is a difference
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        return f"{kind}{error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
