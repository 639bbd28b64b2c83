"""Plugin loading: a lazy, isolated loader around pluggy, which would import everything at once.

discovery.py    entry points as records, scanned at the first need; blocking by environment variable
modules.py      importing one plugin's module, checking its API version, calling its hooks
lifecycle.py    load, unload, register; what a plugin brought and how it goes again
devices.py      the backend of a device at its first use; kernel providers; `dc.devices()`
layers.py       a layer at its first use; `dc.layer(name)`
operators.py    namespaces of operators at their first use: `dc.ops.example`
"""

from __future__ import annotations

from dispatch_core import _op, _state
from dispatch_core._loader.devices import find, open_thread
from dispatch_core._loader.operators import namespace
from dispatch_core.backend import registry

registry.SLOTS.find = find
_op.SLOTS.namespace = namespace
_state.on_open(open_thread)
