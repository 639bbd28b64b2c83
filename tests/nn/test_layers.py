"""Every layer against PyTorch 2.13: repr, layout of the state, and what it computes.

golden.json has one record a line: a case and what PyTorch made of it. A case is how the layer is
made and what it is called with: "2,3" for floats of that shape, "5:2,3" for integers below 5,
"2.0:2,3" for zeros and ones, "signs:4" for 1 and -1, "unit:2,3" for floats in (0, 1), "log:5,2,4"
for log-probabilities, any Python literal after "="; "eval" calls it in evaluation mode. To add a
case, add {"case": [...]} and, where PyTorch is installed, run this file with argument `torch`.
"""

from __future__ import annotations

import ast
import importlib
import json
import math
import pickle
import sys
import warnings
from collections import OrderedDict
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import dispatch_core as dc

GOLDEN = Path(__file__).with_name("golden.json")
RECORDS = [json.loads(line.rstrip(",")) for line in GOLDEN.read_text().splitlines()[1:-1]]

every_layer = pytest.mark.parametrize(
    "record", RECORDS, ids=lambda record: " ".join(record["case"])
)
called_layers = pytest.mark.parametrize(
    "record",
    [record for record in RECORDS if "outputs" in record],
    ids=lambda record: " ".join(record["case"]),
)


def wave(framework: Any, shape: tuple[int, ...], step: float, start: float) -> Any:
    """Floats of the given shape along a sine: as good as random, and the same everywhere."""
    values = [math.sin(start + step * i) for i in range(math.prod(shape))]
    return framework.tensor(values, dtype=framework.float32).reshape(shape)


def make_input(framework: Any, text: str, position: int) -> Any:
    """The input that a case asks for at `position`."""
    start = 0.3 + 1.1 * position
    if text == "=packed":
        padded = wave(framework, (5, 3, 3), 0.7, start)
        pack = framework.nn.utils.rnn.pack_padded_sequence
        return pack(padded, [2, 5, 3], enforce_sorted=False)
    if text == "=maxima":
        return framework.tensor([[[[0, 3], [9, 14]]]])
    if text.startswith("="):
        value = ast.literal_eval(text[1:])
        return framework.tensor(value) if isinstance(value, list) else value
    kind, _, sizes = text.rpartition(":")
    shape = tuple(int(size) for size in sizes.split(","))
    if not kind:
        return wave(framework, shape, 0.7, start)
    if kind == "unit":
        return wave(framework, shape, 0.7, start) * 0.45 + 0.5
    if kind == "log":
        return wave(framework, shape, 0.7, start).log_softmax(-1)
    count = math.prod(shape)
    if kind == "signs":
        return framework.tensor([1.0 if i % 3 else -1.0 for i in range(count)]).reshape(shape)
    if "." in kind:
        return framework.tensor([float(i % 2) for i in range(count)]).reshape(shape)
    return framework.tensor([(i * 5 + 2) % int(kind) for i in range(count)]).reshape(shape)


def build(framework: Any, expression: str) -> Any:
    """The layer that `expression` makes, as it was made."""
    names: dict[str, Any] = {
        name: getattr(framework.nn, name) for name in framework.nn.modules.__all__
    }
    names.update(tensor=framework.tensor, OrderedDict=OrderedDict)
    return eval(expression, names)


def settle(framework: Any, layer: Any) -> None:
    """Give every parameter and buffer known values."""
    with framework.no_grad():
        for i, (name, tensor) in enumerate(layer.state_dict().items()):
            if not tensor.is_floating_point() or (name == "weight" and "Loss" in repr(layer)):
                continue
            values = wave(framework, tuple(tensor.shape), 0.9, 0.5 * i) * 0.5
            tensor.copy_(values.abs() + 0.5 if "var" in name else values)


def call(framework: Any, case: list[str], layer: Any) -> dict[str, Any]:
    """Settle the layer, call it as the case says, and say what came out and what has changed.

    The gradients are those of the outputs' products with a wave, for the inputs (of losses the
    first) and the parameters. That of CTC loss is PyTorch's only behind a log-softmax.
    """
    settle(framework, layer)
    texts = [text for text in case[1:] if text != "eval"]
    if "eval" in case:
        layer.eval()
    inputs = [make_input(framework, text, i) for i, text in enumerate(texts)]
    several = 1 if "Loss" in case[0] else len(inputs)
    floats = [x.requires_grad_() for x in inputs[:several] if _is_plain_float(framework, x)]
    given = [
        x.clone() if _is_plain_float(framework, x) else x for x in inputs
    ]  # some write to them
    outputs = list(_tensors(framework, layer(*given)))
    found = {"outputs": [summarise(tensor) for tensor in outputs]}
    roots = [t for t in outputs if t.requires_grad]
    if roots and "CTC" not in case[0]:
        sum((t * wave(framework, tuple(t.shape), 1.3, 0.2)).sum() for t in roots).backward()
        leaves = [*floats, *layer.parameters()]
        found["gradients"] = [None if t.grad is None else summarise(t.grad) for t in leaves]
    found["buffers"] = [summarise(tensor) for tensor in layer.buffers()]
    return found


def _is_plain_float(framework: Any, value: Any) -> bool:
    return isinstance(value, framework.Tensor) and value.dtype == framework.float32


def _tensors(framework: Any, value: Any) -> Any:
    if isinstance(value, framework.Tensor):
        yield value
    elif isinstance(value, tuple):
        for element in value:
            yield from _tensors(framework, element)


def summarise(tensor: Any) -> dict[str, Any]:
    """Shape, dtype, sum and some elements of a tensor (that of an infinite one among them)."""
    flat = tensor.detach().reshape(-1)
    values = [float(value) for value in flat.tolist()]
    return {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).rpartition(".")[2],
        "sum": round(math.fsum(values), 4),
        "values": [round(value, 5) for value in values[:: max(1, len(values) // 6)]],
    }


@every_layer
def test_repr(record: dict[str, Any]) -> None:
    assert repr(build(dc, record["case"][0])) == record["repr"]


@every_layer
def test_layout_of_parameters_and_state(record: dict[str, Any]) -> None:
    layer = build(dc, record["case"][0])
    layout = [[name, list(tensor.shape)] for name, tensor in layer.state_dict().items()]
    assert layout == record["state"]
    assert [name for name, _ in layer.named_parameters()] == record["parameters"]


@called_layers
def test_outputs(record: dict[str, Any]) -> None:
    check_outputs(record, build(dc, record["case"][0]))


@called_layers
def test_outputs_of_a_pickled_deep_copy(record: dict[str, Any]) -> None:
    layer = deepcopy(build(dc, record["case"][0]))
    check_outputs(record, pickle.loads(pickle.dumps(layer)))


def check_outputs(record: dict[str, Any], layer: Any) -> None:
    """Outputs, gradients of inputs and parameters, and the buffers after the call."""
    found = call(dc, record["case"], layer)
    for part in ("outputs", "gradients", "buffers"):
        assert len(found.get(part, [])) == len(record.get(part, [])), part
        for at, (made, expected) in enumerate(
            zip(found.get(part, []), record.get(part, []), strict=True)
        ):
            about = f"{part}[{at}]"
            assert (made is None) == (expected is None), about
            if made is None:
                continue
            assert made["shape"] == expected["shape"], about
            assert made["dtype"] == expected["dtype"], about
            assert made["values"] == pytest.approx(expected["values"], rel=1e-4, abs=1e-4), about
            assert made["sum"] == pytest.approx(expected["sum"], rel=1e-3, abs=1e-3), about


def write_golden(framework: Any) -> None:
    """Fill golden.json with what `framework` makes of its cases."""
    records = []
    for record in RECORDS:
        case = record["case"]
        layer = build(framework, case[0])
        state = [[name, list(tensor.shape)] for name, tensor in layer.state_dict().items()]
        parameters = [name for name, _ in layer.named_parameters()]
        filled = {"case": case, "repr": repr(layer), "state": state, "parameters": parameters}
        if len(case) > 1:
            filled |= call(framework, case, layer)
        records.append(json.dumps(filled))
    GOLDEN.write_text("[\n" + ",\n".join(records) + "\n]\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_golden(importlib.import_module(sys.argv[1]))
