"""Domain libraries at their first use: what each offers, by kind and name."""

from __future__ import annotations

from typing import Any

from dispatch_core._domain import Domain
from dispatch_core._errors import PluginError
from dispatch_core._loader import discovery
from dispatch_core._loader.discovery import INSTALLED, LOADING, Entry, Plugin, names
from dispatch_core._loader.modules import call_hook, quarantine


def domain(name: str) -> Domain:
    """What the domain library `name` offers; imports the module of its hook and nothing more.

    Raises PluginError with the reason when nothing installed provides it, or it cannot be used.
    """
    with LOADING:
        found = INSTALLED.entries(discovery.DOMAINS, name)
        if not found:
            known = {e.name for _, e in INSTALLED.entries(discovery.DOMAINS)}
            raise PluginError(f"no domain library is called '{name}'; installed are {names(known)}")
        usable = [(p, e) for p, e in found if not (p.blocked or discovery.is_blocked(e))]
        if len(usable) > 1:
            raise PluginError(
                f"domain '{name}' is provided by {names(p.name for p, _ in usable)}; "
                f"uninstall all but one"
            )
        plugin, entry = (usable or found)[0]
        if not usable or plugin.unloaded:
            raise PluginError(f"{entry.what}: {plugin.reason(entry)}")
        return domain_from(plugin, entry)


def domain_from(plugin: Plugin, entry: Entry) -> Domain:
    """What an entry's hook returns; PluginError with the reason when it is no such domain."""
    found: Any = call_hook(plugin, entry, "dispatch_core_domain", domain=entry.name)
    if not isinstance(found, Domain) or found.name != entry.name:
        came = f"domain '{found.name}'" if isinstance(found, Domain) else type(found).__name__
        error = PluginError(
            f"its hook dispatch_core_domain returned {came}, expected a Domain called '{entry.name}'"
        )
        raise quarantine(plugin, entry, error) from error
    plugin.active.add(entry)
    return found


def domains() -> tuple[Domain, ...]:
    """The domain libraries that can be used, by name."""
    found = []
    for name in sorted({e.name for _, e in INSTALLED.entries(discovery.DOMAINS)}):
        try:
            found.append(domain(name))
        except PluginError:  # `python -m dispatch_core plugins` and `doctor` say why
            continue
    return tuple(found)
