"""Models beside the reference implementation: equal keys, counts, outputs and texts.

`golden/models.json` was written by `golden/make.py`; weights follow from the keys (`weights.py`).
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_text import generate, models

HERE = Path(__file__).resolve().parent
GOLDEN = json.loads((HERE / "golden" / "models.json").read_text())


def _load(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = _load(HERE / "golden" / "cases.py")
parameter = _load(HERE / "weights.py").parameter
each_model = pytest.mark.parametrize("name", list(CASES.CASES))
each_writer = pytest.mark.parametrize("name", list(CASES.WRITERS))


def build(made, values):
    cls = getattr(models, made)
    return cls(cls.config_class.from_dict(values)).eval()


def filled(name):
    made, values, _ = CASES.CASES[name]
    model = build(made, values)
    with dc.no_grad():
        for key, value in model.named_parameters():
            value.copy_(dc.from_numpy(parameter(key, tuple(value.shape))))
    return model


def tensors(arguments):
    return {k: dc.tensor(v) for k, v in arguments.items()}


def rows(value):
    return np.asarray(
        value.detach().numpy() if value.ndim < 2 else value.detach().flatten(0, -2).numpy()
    )


@each_model
def test_keys_shapes_and_number_of_parameters(name):
    model = filled(name)
    expected = GOLDEN["models"][name]
    assert {k: list(v.shape) for k, v in model.state_dict().items()} == expected["keys"]
    assert sum(p.numel() for p in model.parameters()) == expected["parameters"]


@each_model
def test_outputs(name):
    given = tensors(CASES.CASES[name][2])
    result = filled(name)(**given)
    for field, expected in GOLDEN["models"][name]["outputs"].items():
        ours = {"last_hidden_state": "logits", "encoder_last_hidden_state": field}.get(field, field)
        found = rows(getattr(result, field if hasattr(result, field) else ours))
        mask = given.get("attention_mask")
        keep = ...
        if mask is not None and found.ndim == 2 and found.shape[0] == mask.numel():
            keep = mask.numpy().reshape(-1) != 0  # what stands at padding is nobody's
        np.testing.assert_allclose(
            found[keep], np.asarray(expected, np.float32)[keep], atol=2e-5, rtol=2e-5
        )


@each_writer
@pytest.mark.parametrize("option", range(len(CASES.WRITE)), ids=lambda i: ",".join(CASES.WRITE[i]))
def test_texts(name, option):
    prompts = tensors(CASES.WRITERS[name])
    found = generate(filled(name), **prompts, **CASES.WRITE[option])
    assert found.tolist() == GOLDEN["models"][name]["texts"][option]


@each_writer
@pytest.mark.parametrize("option", [0, 2])
def test_texts_without_the_cache(name, option):
    prompts = tensors(CASES.WRITERS[name])
    found = generate(filled(name), **prompts, **CASES.WRITE[option], use_cache=False)
    assert found.tolist() == GOLDEN["models"][name]["texts"][option]


@pytest.mark.parametrize("made", list(CASES.FULL_SIZE))
def test_number_of_parameters_at_full_size(made):
    with dc.device("meta"):
        model = build(made, CASES.FULL_SIZE[made])
    expected = GOLDEN["full_size"][made]
    assert sum(p.numel() for p in model.parameters()) == expected["parameters"]
    assert len(model.state_dict()) == expected["keys"]
