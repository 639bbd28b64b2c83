"""What a domain library offers, by kind and name, each part imported when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispatch_core._errors import PluginError


@dataclass(frozen=True, slots=True)
class Domain:
    """The parts of a domain library: what its hook returns without importing any of them.

    `parts` is a kind ("models", "datasets", "transforms", ...) -> a name -> where it is, as
    "package.module:attribute".
    """

    name: str
    summary: str
    parts: Mapping[str, Mapping[str, str]]

    def __post_init__(self) -> None:
        for kind, named in self.parts.items():
            for name, place in named.items():
                module, _, attribute = place.partition(":")
                if not module or not attribute:
                    raise PluginError(
                        f"{kind} '{name}' of domain '{self.name}' is said to be at '{place}'; "
                        'expected "package.module:attribute"'
                    )

    def get(self, kind: str, name: str) -> Any:
        """The part called `name`, its module imported.

        Raises PluginError when there is no such kind or name, or the module does not have it.
        """
        place = self._named(f"domain '{self.name}'", "kind", self.parts, kind)
        module, _, attribute = self._named(
            f"domain '{self.name}', {kind},", "name", place, name
        ).partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"{kind} '{name}' of domain '{self.name}' cannot be had from {module}: {error}"
            ) from error

    @staticmethod
    def _named(where: str, what: str, among: Mapping[str, Any], name: str) -> Any:
        if name in among:
            return among[name]
        close = difflib.get_close_matches(name, among, 3) or sorted(among)
        raise PluginError(f"{where} has no {what} '{name}'; it has {', '.join(close)}")
