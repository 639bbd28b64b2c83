"""Which model a folder holds: read off the `model_type` and `architectures` of its config.json."""

from __future__ import annotations

from typing import Any

from dispatch_core.extend import FileFormatError
from dispatch_text._files import PathLike, read_json
from dispatch_text.models import bert, distilbert, gpt2, llama, roberta, t5
from dispatch_text.models.config import config_file
from dispatch_text.models.pretrained import PretrainedModel

BARE: dict[str, type[PretrainedModel[Any]]] = {
    "bert": bert.BertModel,
    "roberta": roberta.RobertaModel,
    "distilbert": distilbert.DistilBertModel,
    "gpt2": gpt2.GPT2Model,
    "llama": llama.LlamaModel,
    "t5": t5.T5Model,
}
"""The model without a head of each type."""

ARCHITECTURES: dict[str, type[PretrainedModel[Any]]] = {
    name: found
    for module in (bert, roberta, distilbert, gpt2, llama, t5)
    for name, found in vars(module).items()
    if isinstance(found, type)
    and issubclass(found, PretrainedModel)
    and found.__module__ == module.__name__
    and (name.endswith("Model") or "For" in name)
}
"""Every model by the name that config.json has for it."""


def load_model(path: PathLike, *, bare: bool = False, **options: Any) -> PretrainedModel[Any]:
    """The model that a folder's config.json names, or with `bare` the one without a head.

    `options` are those of `from_directory`. Raises FileFormatError where config.json names none that
    is known.
    """
    file = config_file(path)
    values = read_json(file)
    kind = values.get("model_type")
    if kind not in BARE:
        raise FileFormatError(
            f"{file}: model_type is {kind!r}; known are {', '.join(sorted(BARE))}"
        )
    named = values.get("architectures") or []
    found = BARE[kind]
    if not bare and isinstance(named, list):
        found = next((ARCHITECTURES[n] for n in named if n in ARCHITECTURES), found)
    return found.from_directory(path, **options)
