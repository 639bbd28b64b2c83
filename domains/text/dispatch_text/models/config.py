"""The config.json of Hugging Face models: typed fields with their names, checked when read."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, get_args, get_type_hints

from dispatch_core.extend import FileFormatError
from dispatch_text._files import PathLike, read_json

FILE = "config.json"


@dataclass(kw_only=True)
class Config:
    """Sizes and choices of a model; `extra` keeps what a file says beside."""

    model_type: ClassVar[str] = ""
    positive: ClassVar[tuple[str, ...]] = ()
    """Fields that must be above 0."""

    num_labels: int = 2
    initializer_range: float = 0.02
    eos_token_id: int | list[int] | None = None
    bos_token_id: int | None = None
    pad_token_id: int | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            value = getattr(self, name)
            if name in ("model_type", "positive"):
                continue
            if not _is_a(value, kind):
                raise ValueError(f"{name} must be {_words(kind)}, got {value!r}")
        for name in self.positive:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

        pad, size = self.pad_token_id, getattr(self, "vocab_size", None)
        if pad is not None and size is not None and not -size <= pad < size:
            raise ValueError(f"pad_token_id={pad} is outside of a vocabulary of {size}")

    def divides(self, size: str, parts: str) -> None:
        """ValueError unless the field `size` is a multiple of the field `parts`."""
        if getattr(self, size) % getattr(self, parts):
            raise ValueError(
                f"{size}={getattr(self, size)} must be a multiple of {parts}={getattr(self, parts)}"
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Of the fields of a config.json; ValueError for one that makes no sense."""
        named = {f.name for f in dataclasses.fields(cls)} - {"extra"}
        own = {k: v for k, v in values.items() if k in named}
        labels = values.get("id2label")
        if isinstance(labels, dict) and labels:
            own["num_labels"] = len(labels)
        return cls(**own, extra={k: v for k, v in values.items() if k not in named})

    @classmethod
    def from_file(cls, path: PathLike) -> Self:
        """Of a config.json or the folder it is in.

        Raises FileNotFoundError, or FileFormatError that names the file and what is wrong.
        """
        file = config_file(path)
        values = read_json(file)
        stated = values.get("model_type")
        if stated is not None and cls.model_type and stated != cls.model_type:
            raise FileFormatError(
                f"{file}: a model of type '{stated}', which {cls.__name__} does not describe"
            )
        try:
            return cls.from_dict(values)
        except (ValueError, NotImplementedError) as error:
            raise FileFormatError(f"{file}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """The fields as a config.json has them."""
        named = dataclasses.asdict(self)
        extra = named.pop("extra")
        return {**extra, **named, "model_type": self.model_type}

    def save(self, folder: PathLike) -> None:
        """Write `config.json` into a folder."""
        text = json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"
        Path(folder, FILE).write_text(text, encoding="utf-8")


def config_file(path: PathLike) -> Path:
    """The config.json of a folder; a file itself."""
    given = Path(path)
    return given / FILE if given.is_dir() else given


def _is_a(value: Any, kind: Any) -> bool:
    if isinstance(kind, UnionType):
        return any(_is_a(value, each) for each in get_args(kind))
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, getattr(kind, "__origin__", kind))


def _words(kind: Any) -> str:
    parts = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return " or ".join("null" if p is NoneType else getattr(p, "__name__", str(p)) for p in parts)
