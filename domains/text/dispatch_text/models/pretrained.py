"""Models that read and write Hugging Face folders: config.json and safetensors, keys as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import dispatch_core as dc
from dispatch_core import nn
from dispatch_core.extend import FileFormatError, Tensor
from dispatch_text._files import PathLike, read_json
from dispatch_text.models.config import Config

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
C = TypeVar("C", bound=Config)


class PretrainedModel(nn.Module, Generic[C]):
    """A model made of a config, whose parameters have the key names of Hugging Face's.

    A model with a head holds the bare model as the attribute `base_prefix`; `from_directory` reads
    files of either for either.
    """

    config_class: ClassVar[type[Config]]
    base_prefix: ClassVar[str] = ""
    """The attribute that holds the bare model, where this is one with a head, and what the files of
    models with heads put before its keys."""
    tied: ClassVar[Mapping[str, str]] = {}
    """Keys of parameters that are the same as another: key -> the other's. Where a file has both, and
    they differ, they stay two."""
    former_keys: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"LayerNorm\.gamma$", "LayerNorm.weight"),
        (r"LayerNorm\.beta$", "LayerNorm.bias"),
    )
    """What older files call otherwise: pattern, replacement."""
    ignored_keys: ClassVar[tuple[str, ...]] = (r"position_ids$", r"rotary_emb\.inv_freq$")
    """Patterns of keys in older files that are no parameters."""

    def __init__(self, config: C) -> None:
        super().__init__()
        if not isinstance(config, self.config_class):
            raise TypeError(
                f"{type(self).__name__} is made of a {self.config_class.__name__}, got "
                f"{type(config).__name__}"
            )
        self.config: C = config
        self._separate: set[str] = set()

    # -- making ------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Draw parameters as the original does, and tie those that are one; ends constructors."""
        drawn = {
            id(m)
            for part in self.children()
            if isinstance(part, PretrainedModel)
            for m in part.modules()
        }
        # Parts before the whole, which may know better how its parts are drawn.
        for module in reversed(list(self.modules())):
            if id(module) not in drawn:
                self.init_weights(module)
        self.tie_weights()

    def init_weights(self, module: nn.Module) -> None:
        """Draw the parameters that stand in one module directly."""
        std = self.config.initializer_range
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, 0.0, std)
            if module.padding_idx is not None:
                with dc.no_grad():
                    module.weight[module.padding_idx].zero_()

    def ties(self) -> Mapping[str, str]:
        """Keys of parameters that are another, for this config."""
        return self.tied

    def _tied(self) -> dict[str, str]:
        return {k: other for k, other in self.ties().items() if k not in self._separate}

    def tie_weights(self) -> None:
        """Make tied parameters one, but for those that a file had two of."""
        for key, other in self._tied().items():
            owner, _, name = key.rpartition(".")
            setattr(self.get_submodule(owner), name, self.get_parameter(other))

    @property
    def base(self) -> nn.Module:
        """The bare model: the part below a head, or this."""
        found: nn.Module = getattr(self, self.base_prefix, self) if self.base_prefix else self
        return found

    # -- files -------------------------------------------------------------------------------------

    @classmethod
    def from_directory(
        cls, path: PathLike, *, strict: bool = True, device: Any = None, dtype: Any = None
    ) -> Self:
        """The model of a folder with config.json and model.safetensors (one, or several by an index).

        `pytorch_model.bin` is read where there is no safetensors file, without running code. What
        the files have for other heads is left alone. Parameters that they lack are an error, or
        with `strict=False` drawn anew, as one does before training a new head. `dtype` None keeps
        the dtype of the file. The model is in evaluation mode.

        Raises:
            FileNotFoundError: a file is missing.
            FileFormatError: a file is damaged, a parameter is missing, not the model's or of another
                shape; the message names the file.

        """
        folder = Path(path)
        config = cls.config_class.from_file(folder)
        with dc.device("meta"):  # parameters come from the file, so none are drawn
            model = cls(config)  # type: ignore[arg-type]
        model._take(folder, strict, dtype)
        return model.to(device).eval() if device is not None else model.eval()

    def _take(self, folder: Path, strict: bool, dtype: Any) -> None:
        own = self.state_dict()
        state: dict[str, Tensor] = {}
        for file, found in _weights(folder).items():
            for key, value in found.items():
                target = self._own_key(key, own)
                if target is None:
                    self._refuse_foreign(file, key)
                    continue
                if tuple(value.shape) != tuple(own[target].shape):
                    raise FileFormatError(
                        f"{file}: '{key}' has shape {tuple(value.shape)}, and {type(self).__name__} "
                        f"of this config.json expects {tuple(own[target].shape)}"
                    )
                floats = dtype is not None and value.is_floating_point()
                state[target] = value.to(dtype) if floats else value
        for key, other in self.ties().items():
            if key not in state:
                continue
            if other in state and not dc.equal(state[key], state[other]):
                self._separate.add(key)
            else:
                state[other] = state.pop(key)
        missing = [k for k in own if k not in state and k not in self._tied()]
        if missing and strict:
            shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            raise FileFormatError(
                f"{folder}: {len(missing)} of {len(own)} parameters of {type(self).__name__} are "
                f"missing: {shown}; strict=False draws them anew"
            )
        self.load_state_dict(state, strict=False, assign=True)
        self._draw(missing, dtype)
        self.tie_weights()

    def _own_key(self, key: str, own: Mapping[str, Tensor]) -> str | None:
        """What this model calls a parameter of a file; None where it has none such."""
        for pattern, new in self.former_keys:
            key = re.sub(pattern, new, key)
        prefix = self.base_prefix + "."
        for candidate in (key, key.removeprefix(prefix), prefix + key):
            if candidate in own:
                return candidate
        return None

    def _refuse_foreign(self, file: Path, key: str) -> None:
        """FileFormatError for a parameter of the bare model that this one lacks; heads may be others."""
        if any(re.search(pattern, key) for pattern in self.ignored_keys):
            return
        first, _, rest = key.removeprefix(self.base_prefix + ".").partition(".")
        if first in dict(self.base.named_children()) and rest:
            raise FileFormatError(
                f"{file}: '{key}' is no parameter of the {type(self).__name__} that config.json "
                "describes; do both files belong together?"
            )

    def _draw(self, missing: list[str], dtype: Any) -> None:
        """Give data to parameters that no file had."""
        for owner in sorted({key.rpartition(".")[0] for key in missing}):
            module = self.get_submodule(owner)
            module.to_empty(device="cpu", recurse=False)
            if dtype is not None:
                module.to(dtype)
            _reset(module)
            self.init_weights(module)

    def save_directory(self, path: PathLike) -> None:
        """Write config.json and model.safetensors, which Hugging Face's libraries read."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        self.config.save(folder)
        state = {k: v.detach().cpu() for k, v in self.state_dict().items() if k not in self._tied()}
        dc.save(state, folder / WEIGHTS[0])


def _reset(module: nn.Module) -> None:
    """What a module's own constructor would have drawn."""
    reset = getattr(module, "reset_parameters", None)
    if reset is not None:
        reset()
        return
    with dc.no_grad():
        for name, parameter in module.named_parameters(recurse=False):
            parameter.fill_(1.0 if name == "weight" and parameter.ndim == 1 else 0.0)


def _weights(folder: Path) -> dict[Path, dict[str, Tensor]]:
    """The parameters in each file of a folder."""
    for name in WEIGHTS:
        file, index = folder / name, folder / f"{name}.index.json"
        if file.exists():
            return {file: _parameters(file)}
        if index.exists():
            return {part: _parameters(part) for part in _parts(index)}
    raise FileNotFoundError(f"{folder}: neither {' nor '.join(WEIGHTS)} is there")


def _parts(index: Path) -> list[Path]:
    names = read_json(index).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(n, str) for n in names.values()):
        raise FileFormatError(f"{index}: 'weight_map' must say in which file each parameter is")
    found = sorted(set(names.values()))
    for name in found:
        if Path(name).name != name:
            raise FileFormatError(f"{index}: '{name}' is no file name in the same folder")
    return [index.parent / name for name in found]


def _parameters(file: Path) -> dict[str, Tensor]:
    found = dc.load(file, map_location="cpu")
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise FileFormatError(f"{file}: expected parameters by name")
    return found
