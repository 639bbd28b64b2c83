"""How many devices are simulated, how much memory each has, and what a race does."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

RACES = ("error", "warn", "ignore")
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


@dataclass(frozen=True)
class Settings:
    """What is simulated."""

    devices: int = 2
    """How many devices there are."""
    memory: int = 2**30
    """The bytes that each of them has."""
    races: str = "error"
    """What happens when a stream uses what another has not finished: "error", "warn" or "ignore"."""

    def __post_init__(self) -> None:
        for name, least in (("devices", 1), ("memory", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"{name} must be a whole number from {least} on, got {value!r}")
        if self.races not in RACES:
            raise ValueError(f"races must be one of {', '.join(RACES)}, got {self.races!r}")


class _Now:
    settings: Settings | None = None


def settings() -> Settings:
    """What is simulated now; at first what the environment says.

    DISPATCH_SIM_DEVICES is a number, DISPATCH_SIM_MEMORY one of bytes (`512M`, `2G`),
    DISPATCH_SIM_RACES a word. Raises ValueError for what is none of these.
    """
    if _Now.settings is None:
        given = os.environ.get
        _Now.settings = Settings(
            _number("DISPATCH_SIM_DEVICES", given("DISPATCH_SIM_DEVICES", "2")),
            _number("DISPATCH_SIM_MEMORY", given("DISPATCH_SIM_MEMORY", "1G")),
            given("DISPATCH_SIM_RACES", "error"),
        )
    return _Now.settings


def configure(
    *, devices: int | None = None, memory: int | None = None, races: str | None = None
) -> Settings:
    """Change what is simulated from now on; returns what it was before.

    Tensors on devices that are no longer there keep their data. Raises ValueError for a number of
    devices below one, a negative memory, an unknown word.
    """
    before = settings()
    asked = {"devices": devices, "memory": memory, "races": races}
    _Now.settings = replace(before, **{k: v for k, v in asked.items() if v is not None})
    return before


def _number(name: str, text: str) -> int:
    digits = text.strip().lower().removesuffix("ib").removesuffix("b")
    unit = digits[-1:] if digits[-1:] in _UNITS and not digits[-1:].isdigit() else ""
    digits = digits.removesuffix(unit).strip()
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{name} must be a number such as 4, 512M or 2G, got {text!r}")
    return int(digits) * _UNITS[unit]
