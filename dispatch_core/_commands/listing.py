"""Lists of what is plugged in: plugins, devices, layers, domains."""

from __future__ import annotations

from dispatch_core._commands.table import table
from dispatch_core._errors import DispatchCoreError
from dispatch_core._layer import LAYERS
from dispatch_core._loader import discovery
from dispatch_core._loader.devices import devices
from dispatch_core._loader.discovery import INSTALLED
from dispatch_core._loader.domains import domain, domains
from dispatch_core._loader.layers import LATE, find_layer
from dispatch_core._loader.modules import import_in_time
from dispatch_core._loader.operators import namespace
from dispatch_core._op import OPERATORS, Declared, operators_in
from dispatch_core._version import __version__


def overview() -> str:
    """Plugins, devices, layers and the number of operators, one line each; imports no plugin's layers."""
    for name in LATE:
        find_layer(name)
    installed = [
        f"{plugin.name} {plugin.version}" for _, plugin in sorted(INSTALLED.plugins.items())
    ]
    known = {layer.name for layer in LAYERS.layers}
    more = sorted({e.name for _, e in INSTALLED.entries(discovery.LAYERS)} - known)
    found = [
        info.type if info.available else f"{info.type} (not usable: {info.reason})"
        for info in devices()
    ]
    primitive = sum(d.op.traits.primitive for d in OPERATORS.values())
    spaces = sorted({e.name for _, e in INSTALLED.entries(discovery.OPERATORS)})
    rows = [
        ("dispatch_core", __version__),
        ("plugins", ", ".join(installed)),
        ("devices", ", ".join(found)),
        ("layers", ", ".join(layer.name for layer in LAYERS.layers)),
        ("", f"when switched on: {', '.join(more)}" if more else ""),
        ("operators", f"{len(OPERATORS)}, {primitive} of them primitives"),
        ("", f"in namespaces of plugins: {', '.join(spaces)}" if spaces else ""),
    ]
    rows += [
        (f"{each.name} (domain)", ", ".join(f"{len(p)} {k}" for k, p in each.parts.items()))
        for each in domains()
    ]
    return "\n".join(f"{name:14s} {text}" for name, text in rows if text)


def plugins() -> str:
    """Every entry point of every plugin, without importing any."""
    rows = [
        (
            plugin.name,
            plugin.version,
            entry.what,
            entry.module,
            plugin.status(entry),
            plugin.reason(entry),
        )
        for _, plugin in sorted(INSTALLED.plugins.items())
        for entry in plugin.entries
    ]
    if not rows:
        return "no plugin is installed, not even the cpu: dispatch-core lacks its metadata"
    return table(("distribution", "version", "provides", "module", "status", "reason"), rows)


def device_list() -> str:
    """Every device type, with the reason where one cannot be used."""
    rows = [
        (
            info.type,
            str(info.count),
            info.provider,
            "yes" if info.available else "no",
            info.description if info.available else info.reason,
        )
        for info in devices()
    ]
    return table(("device", "count", "from", "usable", "what it is, or why it is not usable"), rows)


def layers(*, load: bool = True) -> str:
    """The layers, outermost first; those of plugins are loaded unless `load` is off."""
    failed = []
    for name in LATE:
        find_layer(name)
    if load:
        for plugin, entry in INSTALLED.entries(discovery.LAYERS):
            import_in_time(plugin, entry)
            try:
                find_layer(entry.name)
            except DispatchCoreError as error:
                failed.append((entry.name, plugin.name, "", "", f"not usable: {error}"))
    rows = [
        (
            layer.name,
            layer.provider,
            ", ".join(layer.before),
            ", ".join(layer.after),
            (type(layer).__doc__ or "").partition("\n")[0],
        )
        for layer in LAYERS.layers
    ]
    return table(("layer", "from", "stands above", "stands below", "what it does"), rows + failed)


def domain_list(name: str | None) -> str:
    """What the domain libraries, or one of them, offer: every part by kind and name."""
    chosen = domains() if name is None else [domain(name)]
    if not chosen:
        return "no domain library is installed"
    parts = []
    for each in chosen:
        spaces = [declared.op.name for declared in _operators(each.name)]
        kinds = {**each.parts, **({f"operators (dc.ops.{each.name})": spaces} if spaces else {})}
        rows = [(kind, ", ".join(sorted(named))) for kind, named in kinds.items()]
        parts.append(f"{each.name}: {each.summary}\n\n{table(('kind', 'names'), rows)}")
    return "\n\n".join(parts)


def _operators(domain_name: str) -> list[Declared]:
    """The operators of a domain's namespace, which has the domain's name."""
    return list(operators_in(domain_name)) if namespace(domain_name) else []
