"""The hooks that plugins implement (pluggy); called at loading, never in an operator call.

A plugin is a module that an entry point names. The entry point's group and name say what the module
provides, so that nothing is imported before it is used:

    [project.entry-points.dispatch_core]              # name: a device type
    [project.entry-points."dispatch_core.kernels"]    # name: DEVICE.PROVIDER
    [project.entry-points."dispatch_core.layers"]     # name: a layer
    [project.entry-points."dispatch_core.operators"]  # name: a namespace; declared by importing
    [project.entry-points."dispatch_core.domains"]    # name: a domain library

The module sets `DISPATCH_CORE_API` to the version of this contract that it was written for, and
marks the hooks it implements with `hookimpl`. One module may serve several entry points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from dispatch_core._domain import Domain
    from dispatch_core._layer import Layer
    from dispatch_core.backend.api import Backend
    from dispatch_core.backend.kernels import KernelTable

PROJECT = "dispatch_core"
API_VERSION = 1
"""Goes up when a hook or `dispatch_core.extend` changes so that old plugins would break."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class HookSpecs:
    """What a plugin may provide; each hook is optional."""

    @hookspec
    def dispatch_core_backend(self, device: str) -> Backend:  # type: ignore[empty-body]
        """Return the backend of `device`, the entry point's name; called once, at its first use.

        Import the device's heavy library here, not at the module's top. Raise
        DeviceUnavailableError with the reason when the device cannot work on this machine.
        """

    @hookspec
    def dispatch_core_kernels(self, device: str, table: KernelTable) -> None:
        """Add kernels to the table of a device that another package owns, when it is first used.

        What is registered here is known to be this plugin's and goes when it is unloaded. Give a
        priority above 0 to be preferred to the device's own kernels.
        """

    @hookspec
    def dispatch_core_layers(self) -> Sequence[Layer]:  # type: ignore[empty-body]
        """Return the layers that the plugin adds, when one of them is first switched on."""

    @hookspec
    def dispatch_core_domain(self, domain: str) -> Domain:  # type: ignore[empty-body]
        """Return what the domain library `domain` offers, the entry point's name.

        Asked for by lists, so import none of the parts here: a Domain says where they are.
        """

    @hookspec
    def dispatch_core_unload(self) -> None:
        """Release what the plugin holds; called once, before its backend, kernels and layers go."""
