"""The hooks that plugins implement (pluggy); called when something is loaded, never in an operator call.

A plugin is a module named by an entry point of group `dispatch_core`. It sets `DISPATCH_CORE_API` to the
version of this contract that it was written for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from dispatch_core._layer import Layer
    from dispatch_core.backend.api import Backend
    from dispatch_core.backend.kernels import KernelTable

PROJECT = "dispatch_core"
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class HookSpecs:
    """What a plugin may provide; each hook is optional."""

    @hookspec
    def dispatch_core_backend(self) -> Backend:  # type: ignore[empty-body]
        """Return the backend of the device that the plugin's entry point is named after."""

    @hookspec
    def dispatch_core_kernels(self, device: str, table: KernelTable) -> None:
        """Add kernels to the table of a device that another package owns, when it is first used."""

    @hookspec
    def dispatch_core_layers(self) -> Sequence[Layer]:  # type: ignore[empty-body]
        """Return the layers that the plugin adds to the dispatcher."""

    @hookspec
    def dispatch_core_operators(self) -> Sequence[str]:  # type: ignore[empty-body]
        """Return the names of the operators that importing the plugin has declared."""

    @hookspec
    def dispatch_core_unload(self) -> None:
        """Release what the plugin holds; called once when it is unloaded."""
