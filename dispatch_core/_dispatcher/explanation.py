"""`Explanation`: the layers and the kernel a call runs, each rejected candidate and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dispatch_core._dispatcher.resolve import Step


@dataclass(frozen=True, slots=True)
class LayerVisit:
    """One layer that was asked, and what it does in the call."""

    name: str
    provider: str
    active: bool
    does: str

    def __str__(self) -> str:
        foreign = "" if self.provider == "dispatch_core" else f" ({self.provider})"
        return f"{self.name}{foreign}: {self.does}"


@dataclass(slots=True, eq=False)
class ExplainedCall:
    """One operator call."""

    op: str
    arguments: str
    visits: list[LayerVisit] = field(default_factory=list)
    kernel: str | None = None
    """What computes it: `provider:function on device`; None when nothing does."""
    steps: list[Step] = field(default_factory=list)
    """The numbered search for the kernel."""
    error: str = ""
    """What the call would raise."""
    calls: list[ExplainedCall] = field(default_factory=list)
    """The calls that it makes itself: of its body, or of layers that cast and move arguments."""

    @property
    def layers(self) -> list[str]:
        """The names of the layers that take part, outermost first."""
        return [visit.name for visit in self.visits if visit.active]

    def lines(self, depth: int = 0, *, idle: bool = False) -> Iterator[str]:
        """The lines of `str(explanation)`; with `idle`, also the layers that take no part."""
        pad = "    " * depth
        yield f"{pad}{self.op}({self.arguments})"
        for visit in self.visits:
            if visit.active:
                yield f"{pad}  layer  {visit}"
            elif idle:
                yield f"{pad}  idle   {visit}"
        for step in self.steps:
            yield f"{pad}  {'search' if step is self.steps[0] else '      '} {step}"
        if self.kernel is not None:
            yield f"{pad}  runs   {self.kernel}"
        if self.error:
            yield from (f"{pad}  raises {line}" for line in self.error.splitlines()[:1])
        for call in self.calls:
            yield from call.lines(depth + 1)


class Explanation:
    """What `explain` found: `calls`; `layers`, `kernel`, `steps` and `error` of the first."""

    def __init__(self, calls: Sequence[ExplainedCall], note: str = "") -> None:
        self.calls = list(calls)
        self.note = note
        """Why the rest of the callable could not be followed; empty when it could."""

    @property
    def layers(self) -> list[str]:
        """The names of the layers that take part in the first call, outermost first."""
        return self.calls[0].layers if self.calls else []

    @property
    def kernel(self) -> str | None:
        """What computes the first call."""
        return self.calls[0].kernel if self.calls else None

    @property
    def steps(self) -> list[Step]:
        """The numbered search for the first call's kernel."""
        return self.calls[0].steps if self.calls else []

    @property
    def error(self) -> str:
        """What the first call would raise; empty when it would run."""
        return self.calls[0].error if self.calls else ""

    def __str__(self) -> str:
        lines = [line for call in self.calls for line in call.lines(idle=len(self.calls) == 1)]
        if not self.calls:
            lines.append("no operator is called")
        if self.note:
            lines.append(self.note)
        return "\n".join(lines)

    __repr__ = __str__
