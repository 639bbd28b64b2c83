"""Writes golden/models.json: keys, counts, outputs and texts of the reference implementation.

To be run where transformers and torch are installed; nothing else needs them:

    python domains/text/tests/golden/make.py
"""

import json
import sys
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from cases import CASES, FULL_SIZE, WRITE, WRITERS  # noqa: E402
from weights import parameter  # noqa: E402


def build(name, values):
    made = getattr(transformers, name)
    config = made.config_class(**values)
    config._attn_implementation = "eager"
    return made(config).eval()


def fill(model, config):
    untied = config.get("tie_word_embeddings") is False
    if (
        untied
    ):  # transformers 5 ties T5's head whatever the config says; the models of T5 1.1 have one
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with torch.no_grad():
        for key, value in model.named_parameters():
            value.copy_(torch.from_numpy(parameter(key, tuple(value.shape))))
    if not untied:
        model.tie_weights()
    return model


def listed(value):
    return (
        [[round(v, 7) for v in row] for row in value.flatten(0, -2).tolist()]
        if value.ndim > 1
        else value.tolist()
    )


def outputs(model, arguments):
    given = {k: torch.tensor(v) for k, v in arguments.items()}
    with torch.no_grad():
        found = model(**given)
    names = (
        "loss",
        "logits",
        "start_logits",
        "end_logits",
        "last_hidden_state",
        "pooler_output",
        "encoder_last_hidden_state",
    )
    return {n: listed(found[n]) for n in names if n in found and found[n] is not None}


def texts(model, prompts):
    given = {k: torch.tensor(v) for k, v in prompts.items()}
    found = [model.generate(**given, do_sample=False, **o).tolist() for o in WRITE]
    start = 1 if model.config.is_encoder_decoder else given["input_ids"].shape[1]
    ends = model.config.eos_token_id
    return [[padded(row, start, ends) for row in rows] for rows in found]


def padded(row, start, end):
    """transformers fills the rows of a beam search with the end where padding has id 0."""
    at = row.index(end, start) + 1 if end in row[start:] else len(row)
    return row[:at] + [0] * (len(row) - at)


def main():
    golden = {"made_with": f"transformers {transformers.__version__}, torch {torch.__version__}"}
    golden["models"] = {}
    for name, (made, config, arguments) in CASES.items():
        model = fill(build(made, config), config)
        golden["models"][name] = {
            "keys": {k: list(v.shape) for k, v in model.state_dict().items()},
            "parameters": sum(p.numel() for p in model.parameters()),
            "outputs": outputs(model, arguments),
        }
        if name in WRITERS:
            golden["models"][name]["texts"] = texts(model, WRITERS[name])
    golden["full_size"] = {}
    for made, config in FULL_SIZE.items():
        with torch.device("meta"):
            model = build(made, config)
        golden["full_size"][made] = {
            "parameters": sum(p.numel() for p in model.parameters()),
            "keys": len(model.state_dict()),
        }
    text = json.dumps(golden, separators=(",", ":"))
    (HERE / "models.json").write_text(text.replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main()
