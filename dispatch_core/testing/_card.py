"""The coverage card of a device: operators and dtypes, gaps with reasons, tolerances; as JSON and Markdown."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from dispatch_core._commands.coverage import BODY, KERNEL, MISSING, REFUSED, how
from dispatch_core._device import device as Device
from dispatch_core._dtypes import ALL_DTYPES
from dispatch_core._op import OPERATORS, Declared, is_core, operators_in
from dispatch_core._version import __version__
from dispatch_core.backend.registry import backend_of
from dispatch_core.testing._checks.common import SLACK

MARKS = {KERNEL: "K", BODY: "b", MISSING: "!", REFUSED: "."}
OUTCOMES = ("passed", "failed", "gap", "closed", "skipped")

_OFF = (
    "What a result may be off by, relative to its value and to the largest result of a call (at least 1); "
    "other dtypes must agree exactly."
)
_LEGEND = (
    "K: a kernel of the device. b: the operator's definition in terms of others. !: missing. "
    ".: makes no sense in this dtype."
)

Results = Mapping[str, Mapping[str, str]]
"""Operator -> check -> outcome."""


def card(
    device: str, namespace: str | None, results: Results, gaps: Mapping[str, str], selection: str
) -> dict[str, Any]:
    """What a device covers, as values that JSON knows.

    Args:
        device: the device, as in `sim:1`.
        namespace: the operators of a plugin alone; None: the core's.
        results: what became of the tests that ran.
        gaps: the known ones, by operator or `operator.check`, with reasons.
        selection: which tests were asked for, in words.

    """
    backend = backend_of(Device(device).type)
    chosen = list(operators_in(namespace)) if namespace else _cores()
    operators = {}
    for declared in sorted(chosen, key=lambda d: d.op.name):
        name = declared.op.name
        reasons = {k: why for k, why in gaps.items() if k.partition(".")[0] == name}
        operators[name] = {
            "kind": declared.op.family.kind,
            "primitive": declared.op.traits.primitive,
            "dtypes": {each.name: how(declared.op, backend, each) for each in ALL_DTYPES},
            "checks": dict(results.get(name, {})),
            "gaps": reasons,
        }
    outcomes = Counter(o for checks in results.values() for o in checks.values())
    return {
        "device": device,
        "provider": backend.provider,
        "description": backend.describe(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "dispatch_core": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "selection": selection,
        "operators_tested": len(results),
        "checks": {outcome: outcomes[outcome] for outcome in OUTCOMES},
        "tolerances": {
            d.name: {"relative": relative, "absolute": absolute}
            for d, (relative, absolute) in SLACK.items()
        },
        "operators": operators,
    }


def _cores() -> list[Declared]:
    return [d for d in OPERATORS.values() if is_core(d.front)]


def markdown(found: Mapping[str, Any]) -> str:
    """The same as a document."""
    operators: Mapping[str, Any] = found["operators"]
    names = [d.name for d in ALL_DTYPES]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    checks = ", ".join(f"{n} {outcome}" for outcome, n in found["checks"].items() if n)
    lines = [
        f"# Coverage of device {found['device']}",
        "",
        f"{found['description']} (from {found['provider']}), {found['made']}, with {versions}.",
        "",
        f"Tests: {found['selection']}; {checks or 'none'}, of {found['operators_tested']} operators.",
        "",
        "## Operators by dtype",
        "",
        *_table(
            ("dtype", "by a kernel", "by their body", "missing", "make no sense"),
            [
                (
                    name,
                    *(_count(operators, name, kind) for kind in (KERNEL, BODY, MISSING, REFUSED)),
                )
                for name in names
            ],
        ),
        "",
        "## Gaps",
        "",
        *_gaps(operators),
        "",
        "## Tolerances",
        "",
        _OFF,
        "",
        *_table(
            ("dtype", "relative", "absolute"),
            [
                (n, f"{t['relative']:g}", f"{t['absolute']:g}")
                for n, t in found["tolerances"].items()
            ],
        ),
        "",
        "## Every operator",
        "",
        _LEGEND,
        "",
        *_table(
            ("operator", *(d.abbr for d in ALL_DTYPES), "checks"),
            [_row(name, each, names) for name, each in operators.items()],
        ),
    ]
    return "\n".join(lines) + "\n"


def _count(operators: Mapping[str, Any], dtype: str, kind: str) -> str:
    return str(sum(each["dtypes"][dtype] == kind for each in operators.values()))


def _gaps(operators: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, each in operators.items():
        rows += [(f"`{gap}`", why) for gap, why in each["gaps"].items()]
        failed = [check for check, outcome in each["checks"].items() if outcome == "failed"]
        if failed:
            rows.append((f"`{name}`", f"fails, and is not listed as a gap: {', '.join(failed)}"))
        missing = [dtype for dtype, by in each["dtypes"].items() if by == MISSING]
        if missing:
            rows.append(
                (f"`{name}`", f"has neither kernel nor definition for {', '.join(missing)}")
            )
    return _table(("what", "reason"), rows) if rows else ["None is known."]


def _row(name: str, each: Mapping[str, Any], dtypes: Sequence[str]) -> tuple[str, ...]:
    outcomes = Counter(each["checks"].values())
    checks = ", ".join(f"{n} {outcome}" for outcome, n in sorted(outcomes.items())) or "-"
    return (f"`{name}`", *(MARKS[each["dtypes"][d]] for d in dtypes), checks)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *body]
