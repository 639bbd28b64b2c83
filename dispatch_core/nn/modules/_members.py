"""What a module owns: registering parameters, buffers and submodules, finding and listing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from dispatch_core.nn._core import Tensor
from dispatch_core.nn.modules._hooks import GLOBAL, run_registration_hooks
from dispatch_core.nn.parameter import Buffer, Parameter

if TYPE_CHECKING:
    from dispatch_core.nn.modules.module import Module


def type_name(value: Any) -> str:
    """The type of `value` as error messages name it."""
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


class Members:
    """The part of a Module that holds its parameters, buffers and submodules by name."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    def _init_members(self) -> None:
        state = self.__dict__
        state["training"] = True
        state["_parameters"] = {}
        state["_buffers"] = {}
        state["_non_persistent_buffers_set"] = set()
        state["_modules"] = {}

    # Registering

    def _check_new(self, kind: str, table: str, name: Any) -> None:
        """Raise unless `name` can become a key of `table`."""
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type_name(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in self.__dict__[table] and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add `param` under `name`; None declares a parameter that is absent.

        TypeError for anything but a Parameter or None, KeyError for a name that is taken, empty or
        has a dot, ValueError for the result of a recorded operator.
        """
        self._check_new("parameter", "_parameters", name)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{type_name(param)}' object to parameter '{name}' "
                    "(nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must "
                    "be created explicitly. To express it as a function of another Tensor, compute "
                    "the value in the forward() method."
                )
            param = run_registration_hooks(GLOBAL.parameter_registration, self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is moved and saved with the module but is not learnt.

        One that is not `persistent` stays out of the `state_dict`. TypeError for anything but a
        Tensor or None, KeyError for a name that is taken, empty or has a dot.
        """
        self._check_new("buffer", "_buffers", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type_name(tensor)}' object to buffer '{name}' "
                "(Tensor or None required)"
            )
        self._buffers[name] = run_registration_hooks(GLOBAL.buffer_registration, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under `name`; the same as `add_module`."""
        self.add_module(name, module)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under `name`; None declares one that is absent.

        TypeError for anything but a Module or None, KeyError for a name that is taken, empty or
        has a dot.
        """
        if module is not None and not isinstance(module, Members):
            raise TypeError(f"{type_name(module)} is not a Module subclass")
        self._check_new("module", "_modules", name)
        self._modules[name] = run_registration_hooks(GLOBAL.module_registration, self, name, module)

    # Attribute access

    def _discard(self, name: str, keep: str) -> None:
        """Forget `name` everywhere but in the table `keep`."""
        state = self.__dict__
        state.pop(name, None)
        for table in ("_parameters", "_buffers", "_modules"):
            if table != keep and table in state:
                state[table].pop(name, None)
        if keep != "_buffers" and "_non_persistent_buffers_set" in state:
            state["_non_persistent_buffers_set"].discard(name)

    def __getattr__(self, name: str) -> Any:
        # Only called when ordinary lookup has failed. The tables are read through __dict__ because
        # they do not exist before __init__, and looking them up would come back here.
        state = self.__dict__
        table = state.get("_parameters")
        if table is not None and name in table:
            return table[name]
        table = state.get("_buffers")
        if table is not None and name in table:
            return table[name]
        table = state.get("_modules")
        if table is not None and name in table:
            return table[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        # A name that is taken stays in its table, except that a Parameter goes before everything.
        state = self.__dict__
        is_tensor = isinstance(
            value, Tensor
        )  # asked first: of most values it is all there is to ask
        if (is_tensor and isinstance(value, Parameter)) or name in state.get("_parameters", ()):
            self._set_parameter(name, value)
        elif isinstance(value, Members) or name in state.get("_modules", ()):
            self._set_module(name, value)
        elif (is_tensor and isinstance(value, Buffer)) or name in state.get("_buffers", ()):
            self._set_buffer(name, value)
        else:
            object.__setattr__(self, name, value)

    def _set_parameter(self, name: str, value: Any) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameters before Module.__init__() call")
        if value is not None and not isinstance(value, Parameter):
            raise TypeError(
                f"cannot assign '{type_name(value)}' as parameter '{name}' "
                "(nn.Parameter or None expected)"
            )
        if value is not None:
            self._discard(name, keep="_parameters")
        self.register_parameter(name, value)

    def _set_module(self, name: str, value: Any) -> None:
        if "_modules" not in self.__dict__:
            raise AttributeError("cannot assign module before Module.__init__() call")
        if value is not None and not isinstance(value, Members):
            raise TypeError(
                f"cannot assign '{type_name(value)}' as child module '{name}' "
                "(nn.Module or None expected)"
            )
        if value is not None:
            self._discard(name, keep="_modules")
        self._modules[name] = run_registration_hooks(GLOBAL.module_registration, self, name, value)

    def _set_buffer(self, name: str, value: Any) -> None:
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"cannot assign '{type_name(value)}' as buffer '{name}' "
                "(nn.Buffer, Tensor or None expected)"
            )
        if isinstance(value, Buffer):
            self._discard(name, keep="_buffers")
            self.register_buffer(name, value, value.persistent)
        else:
            hooks = GLOBAL.buffer_registration
            self._buffers[name] = run_registration_hooks(hooks, self, name, value)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {
            *dir(type(self)),
            *self.__dict__,
            *self._parameters,
            *self._modules,
            *self._buffers,
        }
        return sorted(name for name in names if not name[:1].isdigit())

    # Finding by path

    def _walk(self, path: list[str]) -> Any:
        module: Any = self
        for name in path:
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Members):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def _find(self, target: str) -> tuple[Any, str, Any]:
        """The module that owns the tensor `target`, the tensor's own name, and the tensor."""
        *path, name = target.split(".")
        module = self._walk(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return module, name, getattr(module, name)

    def get_submodule(self, target: str) -> Module:
        """The submodule at the dotted path `target`, this module for ""; AttributeError if none."""
        module: Module = self._walk(target.split(".") if target else [])
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at the dotted path `target`.

        ValueError for an empty path or anything but a Module; AttributeError when a part of the
        path does not exist, or, with `strict`, when there is nothing at `target` to replace.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Members):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        *path, name = target.split(".")
        parent = self._walk(path)
        if strict or hasattr(parent, name):
            parent._walk([name])
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at the dotted path `target`; AttributeError if there is none."""
        _, name, value = self._find(target)
        if not isinstance(value, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return value

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the dotted path `target`; AttributeError if there is none."""
        module, name, value = self._find(target)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        tensor: Tensor = value
        return tensor

    # Listing

    def _named_members(
        self,
        get_members: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules: Iterable[tuple[str, Any]] = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for path, module in modules:
            for name, member in get_members(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its dotted path, own ones first."""
        yield from self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter, each once: what an optimizer takes."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Every buffer with its dotted path, own ones first."""
        yield from self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Every immediate submodule with its name, each once."""
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """Every immediate submodule, each once."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self,
        memo: set[Any] | None = None,
        prefix: str = "",
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """The module itself and every submodule with its dotted path, outermost first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self) -> Iterator[Any]:
        """The module itself and every submodule, each once."""
        for _, module in self.named_modules():
            yield module

    def _own_tensors(self) -> Iterator[tuple[str, Tensor | None]]:
        """Own parameters and persistent buffers, absent ones too."""
        skip = self._non_persistent_buffers_set
        yield from chain(
            self._parameters.items(), ((k, b) for k, b in self._buffers.items() if k not in skip)
        )
