"""Saving and loading what a module owns: `state_dict`, `load_state_dict` and their hooks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from dispatch_core.nn._core import Hook, HookTable, RemovableHandle, Tensor, add_hook, no_grad
from dispatch_core.nn.modules._members import Members
from dispatch_core.nn.parameter import Parameter, is_lazy

_EXTRA_STATE = "_extra_state"


class IncompatibleKeys(
    NamedTuple("IncompatibleKeys", [("missing_keys", list[str]), ("unexpected_keys", list[str])])
):
    """What `load_state_dict` returns: the keys it lacked and the keys it had no use for."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self[0]}, unexpected_keys={self[1]})"

    __str__ = __repr__


class _WithModule:
    """A hook that gets the module it was registered on as its first argument.

    It is saved and copied together with the module, so a copy's hook sees the copy.
    """

    def __init__(self, hook: Hook, module: Any) -> None:
        self.hook = hook
        self.module = module

    def __call__(self, *args: Any) -> Any:
        return self.hook(self.module, *args)


class _Loading:
    """The report of one `load_state_dict`: shared by all modules of the tree."""

    def __init__(self, metadata: Mapping[str, dict[str, Any]] | None, strict: bool) -> None:
        self.metadata = metadata
        self.strict = strict
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def load(self, module: Any, state_dict: dict[str, Any], prefix: str, assign: bool) -> None:
        """Load `module` and then its children, each from its own part of `state_dict`."""
        local = dict((self.metadata or {}).get(prefix[:-1], {}))
        if assign:
            local["assign_to_params_buffers"] = True
        module._load_from_state_dict(
            state_dict, prefix, local, True, self.missing, self.unexpected, self.errors
        )
        for name, child in module._modules.items():
            if child is not None:
                path = f"{prefix}{name}."
                part = {k: v for k, v in state_dict.items() if k.startswith(path)}
                self.load(child, part, path, assign)
        keys = IncompatibleKeys(self.missing, self.unexpected)
        for hook in module._load_state_dict_post_hooks.values():
            if hook(module, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected "
                    "to return new values, if incompatible_keys need to be modified, it should be "
                    "done inplace."
                )

    def finish(self, name: str) -> IncompatibleKeys:
        """Raise what was wrong, or return the keys that did not match."""
        errors = list(self.errors)
        if self.strict:
            for kind, keys in (("Unexpected", self.unexpected), ("Missing", self.missing)):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{kind} key(s) in state_dict: {listed}. ")
        if errors:
            listed = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {name}:\n\t{listed}")
        return IncompatibleKeys(self.missing, self.unexpected)


class Saved(Members):
    """The part of a Module that writes and reads its state."""

    _version = 1

    _state_dict_hooks: HookTable
    _state_dict_pre_hooks: HookTable
    _load_state_dict_pre_hooks: HookTable
    _load_state_dict_post_hooks: HookTable

    def _init_state_hooks(self) -> None:
        for name in (
            "_state_dict_hooks",
            "_state_dict_pre_hooks",
            "_load_state_dict_pre_hooks",
            "_load_state_dict_post_hooks",
        ):
            self.__dict__.setdefault(name, OrderedDict())

    # Saving

    def get_extra_state(self) -> Any:
        """What a subclass wants saved besides its tensors; overridden, it is in `state_dict`."""
        raise RuntimeError(
            f"{type(self).__name__} has no extra state; override get_extra_state() and "
            "set_extra_state() together to save more than parameters and buffers"
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` returned."""
        raise RuntimeError(
            f"{type(self).__name__} cannot take an extra state; override set_extra_state() "
            "together with get_extra_state()"
        )

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        """Write own parameters, persistent buffers and extra state, not those of submodules."""
        for name, tensor in self._own_tensors():
            if tensor is not None:
                destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not Saved.get_extra_state:
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """A dict from dotted path to tensor of all parameters and persistent buffers.

        The tensors share memory with the module's; they are detached unless `keep_vars`. The
        dict's attribute `_metadata` holds a version for every module.
        """
        if args:  # the older positional order: destination, prefix, keep_vars
            given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            destination = given.get("destination", destination)
            prefix = given.get("prefix", prefix)
            keep_vars = given.get("keep_vars", keep_vars)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, metadata)
            if getattr(hook, "_from_public_api", False):
                if replaced is not None:
                    raise RuntimeError("state_dict post-hook must return None")
            elif replaced is not None:
                destination = replaced
        result: dict[str, Any] = destination
        return result

    def register_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict`."""
        hook._from_public_api = True
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Any) -> RemovableHandle:
        """As `register_state_dict_post_hook`, but what the hook returns replaces the dict."""
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was "
                "previously registered via register_state_dict_post_hook"
            )
        return add_hook(self._state_dict_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` reads the module."""
        return add_hook(self._state_dict_pre_hooks, hook)

    # Loading

    def _register_load_state_dict_pre_hook(
        self, hook: Hook, with_module: bool = False
    ) -> RemovableHandle:
        """Call `hook([module,] state_dict, prefix, ...)` before the module reads `state_dict`."""
        bound = _WithModule(hook, self) if with_module else hook
        return add_hook(self._load_state_dict_pre_hooks, bound)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook` before this module reads its part of a state dict.

        Its arguments are `(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)`.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after loading; it may change the lists."""
        return add_hook(self._load_state_dict_post_hooks, hook)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Read own parameters, buffers and extra state; overridden to accept older versions."""
        report = (missing_keys, unexpected_keys, error_msgs)
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, *report)
        assign = local_metadata.get("assign_to_params_buffers", False)
        own = {name: tensor for name, tensor in self._own_tensors() if tensor is not None}
        for name, tensor in own.items():
            key = prefix + name
            if key in state_dict:
                message = self._load_tensor(name, key, tensor, state_dict[key], assign)
                if message is not None:
                    error_msgs.append(message)
            elif strict:
                missing_keys.append(key)
        extra_key = prefix + _EXTRA_STATE
        if type(self).set_extra_state is not Saved.set_extra_state:
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra_key:
                    first, *rest = key[len(prefix) :].split(".", 1)
                    if first not in (self._modules if rest else own):
                        unexpected_keys.append(key)

    def _load_tensor(
        self, name: str, key: str, tensor: Tensor, value: Any, assign: bool
    ) -> str | None:
        """Copy `value` into `tensor`, or put it in its place; return what is wrong, if anything."""
        if not isinstance(value, Tensor):
            return (
                f'While copying the parameter named "{key}", expected a Tensor from checkpoint but '
                f"received {type(value)}"
            )
        if is_lazy(tensor) and is_lazy(value):
            return None
        if tensor.dim() == 0 and value.dim() == 1 and value.shape[0] == 1:
            value = value[0]  # scalars were saved with one dimension in very old checkpoints
        if value.shape != tensor.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {value.shape} from "
                f"checkpoint, the shape in current model is {tensor.shape}."
            )
        try:
            with no_grad():
                if not assign:
                    tensor.copy_(value)
                    return None
                if isinstance(tensor, Parameter) and not isinstance(value, Parameter):
                    value = Parameter(value, requires_grad=tensor.requires_grad)
                elif isinstance(tensor, Parameter):
                    value.requires_grad_(tensor.requires_grad)
                setattr(self, name, value)
        except Exception as error:  # noqa: BLE001  # reported with all the others, as one RuntimeError
            return (
                f'While copying the parameter named "{key}", whose dimensions in the model are '
                f"{tensor.shape} and whose dimensions in the checkpoint are {value.shape}, an "
                f"exception occurred : {error.args}."
            )
        return None

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the tensors of `state_dict` into this module and its submodules.

        With `assign` the tensors themselves become the parameters and buffers, and keep their
        dtype and device. TypeError for anything but a mapping; one RuntimeError names every size
        mismatch and, if `strict`, every missing and unexpected key.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        loading = _Loading(getattr(state_dict, "_metadata", None), strict)
        loading.load(self, OrderedDict(state_dict), "", assign)
        return loading.finish(type(self).__name__)
