"""The side-by-side runner: every case on PyTorch and on dispatch_core, in turn, in one process."""

import argparse
import importlib
import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmarks.cases import CALL_GROUPS, CALLS, CASES, MEAN_OF_CALLS_GOAL, Case
from benchmarks.environment import describe, start_clean
from benchmarks.timing import Side, imports_in_turn, in_turn

IMPORT_GOAL = 2.0
NAME_WIDTH = 46


@dataclass(frozen=True)
class Row:
    """What one case came to."""

    name: str
    group: str
    goal: float | None
    peer: Side
    subject: Side

    @property
    def ratio(self) -> float:
        """The subject's time in units of the peer's, of the minima."""
        return self.subject.min / self.peer.min


def main(arguments: argparse.Namespace) -> None:
    """Print where it runs, then the table, then the means."""
    peer = importlib.import_module(arguments.peer)
    subject = importlib.import_module(arguments.subject)
    for module in (peer, subject):
        if hasattr(module, "set_num_threads"):
            module.set_num_threads(arguments.threads)
    facts = describe(arguments.peer, arguments.subject)
    for name, fact in facts.items():
        print(f"{name:20} {fact}")
    print(
        f"\n{arguments.threads} thread(s) a side, repeats in turn ({arguments.repeats} of each), "
        "garbage collector off,\nmicroseconds; the ratio is of the minima, '!' marks one over its "
        "goal.\n"
    )
    print(_line("", f"{arguments.peer} min", "median", f"{arguments.subject} min", "median"))
    rows = _calls(peer, subject, arguments)
    if _wanted("import", arguments.only):
        rows.append(_import_time(arguments))
    means = _means(rows)
    if arguments.json:
        _write(arguments.json, facts, rows, means)


def _calls(peer: ModuleType, subject: ModuleType, arguments: argparse.Namespace) -> list[Row]:
    """Run the cases that are asked for; one that fails is named and left out."""
    rows: list[Row] = []
    group = ""
    for case in CASES:
        if not _wanted(f"{case.group}: {case.name}", arguments.only):
            continue
        if case.group != group:
            group = case.group
            print(f"{group}:")
        try:
            row = _measure(case, peer, subject, arguments)
        except Exception as error:  # noqa: BLE001 - one case that cannot run must not hide the rest
            print(f"  {case.name:{NAME_WIDTH - 2}} failed: {type(error).__name__}: {error}")
            continue
        rows.append(row)
        _show(row)
    return rows


def _measure(
    case: Case, peer: ModuleType, subject: ModuleType, arguments: argparse.Namespace
) -> Row:
    sides = in_turn(
        case.loop(peer),
        case.loop(subject),
        repeats=arguments.repeats,
        batch_seconds=arguments.batch_ms / 1000,
    )
    return Row(case.name, case.group, case.goal, *sides)


def _import_time(arguments: argparse.Namespace) -> Row:
    """`import` of the subject beside numpy's, which it contains."""
    sides = imports_in_turn("numpy", arguments.subject, repeats=arguments.repeats)
    row = Row(f"import {arguments.subject} beside import numpy", "import", IMPORT_GOAL, *sides)
    print("import:")
    _show(row)
    return row


def _means(rows: list[Row]) -> dict[str, float]:
    """Print and return the geometric means of the ratios of the calls.

    The goal is set for all calls together, so it stands only where none is missing.
    """
    calls = [row for row in rows if row.group.startswith("calls")]
    groups = {name: [row for row in calls if row.group == name] for name in CALL_GROUPS}
    groups["calls, with and without"] = calls
    means: dict[str, float] = {}
    for name, members in groups.items():
        if not members:
            continue
        if not means:
            print("geometric mean of the ratios:")
        of = len(CALLS) * (len(CALL_GROUPS) if members is calls else 1)
        goal = MEAN_OF_CALLS_GOAL if len(members) == of else None
        means[name] = statistics.geometric_mean(row.ratio for row in members)
        label = f"  {name} ({len(members)} of {of})"
        print(_line(label, "", "", "", "", goal, means[name]))
    return means


def _show(row: Row) -> None:
    times = (row.peer.min, row.peer.median, row.subject.min, row.subject.median)
    cells = [f"{seconds * 1e6:,.2f}" for seconds in times]
    print(_line("  " + row.name, *cells, goal=row.goal, ratio=row.ratio), flush=True)


def _line(
    name: str,
    peer: str,
    peer_median: str,
    subject: str,
    subject_median: str,
    goal: float | None = None,
    ratio: float | None = None,
) -> str:
    """One line of the table; without a ratio it is the heading."""
    cells = f"{name:{NAME_WIDTH}} {peer:>12} {peer_median:>12} {subject:>18} {subject_median:>12}"
    if ratio is None:
        return f"{cells} {'goal':>6} {'ratio':>7}"
    over = "!" if goal is not None and ratio > goal else ""
    return f"{cells} {'' if goal is None else format(goal, '.2f'):>6} {ratio:7.3f}{over}"


def _wanted(name: str, only: list[str]) -> bool:
    return not only or any(part in name for part in only)


def _write(path: Path, facts: dict[str, str], rows: list[Row], means: dict[str, float]) -> None:
    """All that was measured, for a program to read."""
    report = {
        "environment": facts,
        "geometric_mean": means,
        "cases": [
            {
                "name": row.name,
                "group": row.group,
                "goal": row.goal,
                "ratio": row.ratio,
                "peer": {"min": row.peer.min, "median": row.peer.median},
                "subject": {"min": row.subject.min, "median": row.subject.median},
                "peer_samples": row.peer.samples,
                "subject_samples": row.subject.samples,
            }
            for row in rows
        ],
    }
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="cases whose name has this"
    )
    parser.add_argument("--repeats", type=int, default=25, help="of each side (default 25)")
    parser.add_argument(
        "--batch-ms", type=float, default=2.0, help="length of a repeat, milliseconds (default 2)"
    )
    parser.add_argument("--threads", type=int, default=1, help="of both sides (default 1)")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--peer", default="torch", help="module to compare with (default torch)")
    parser.add_argument("--subject", default="dispatch_core", help="module that is measured")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = parse()
    start_clean("benchmarks.compare", options.threads)
    main(options)
