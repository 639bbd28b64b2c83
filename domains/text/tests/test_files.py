"""Folders of models: what is written can be read, by us and by others; what is damaged is named."""

import json

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_text import load_model, models

BERT = {
    "vocab_size": 13,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 10,
}
IDS = [[3, 4, 5], [6, 7, 0]]


@pytest.fixture
def words(tmp_path):
    """A folder with a BertForMaskedLM, and the model."""
    dc.manual_seed(1)
    model = models.BertForMaskedLM(models.BertConfig(**BERT)).eval()
    folder = tmp_path / "bert"
    model.save_directory(folder)
    return folder, model


def state(folder):
    return dc.load(folder / "model.safetensors")


def write(folder, tensors):
    dc.save(tensors, folder / "model.safetensors")


def test_what_is_written_is_read(words):
    folder, model = words
    again = models.BertForMaskedLM.from_directory(folder)
    ids = dc.tensor(IDS)
    assert not again.training
    assert again(ids).logits.tolist() == model(ids).logits.tolist()
    assert again.cls.predictions.decoder.weight is again.bert.embeddings.word_embeddings.weight
    assert "cls.predictions.decoder.weight" not in state(folder)
    assert all(p.requires_grad and p.device.type == "cpu" for p in again.parameters())
    config = json.loads((folder / "config.json").read_text())
    assert (config["model_type"], config["hidden_size"]) == ("bert", 8)


def test_other_libraries_read_it(words):
    folder, model = words
    numpy = pytest.importorskip("safetensors.numpy")
    found = numpy.load_file(folder / "model.safetensors")
    own = dict(model.state_dict())
    assert set(own) - set(found) == set(model.ties())
    assert all(np.array_equal(found[key], own[key].numpy()) for key in found)


def test_the_bare_model_of_a_file_with_a_head_and_back(words, tmp_path):
    folder, model = words
    with pytest.raises(RuntimeError, match=r"2 of 39 parameters of BertModel are missing: pooler"):
        models.BertModel.from_directory(folder)
    bare = models.BertModel.from_directory(folder, strict=False)
    ids = dc.tensor(IDS)
    assert bare(ids)[0].tolist() == model.bert(ids)[0].tolist()
    bare.save_directory(tmp_path / "bare")
    with_head = models.BertForSequenceClassification.from_directory(tmp_path / "bare", strict=False)
    assert with_head.bert(ids)[1].tolist() == bare(ids)[1].tolist()
    assert with_head.classifier.bias.tolist() == [0.0, 0.0]
    assert 0 < with_head.classifier.weight.abs().max().item() < 0.2
    with pytest.raises(RuntimeError, match=r"are missing: classifier\.weight, classifier\.bias"):
        models.BertForSequenceClassification.from_directory(tmp_path / "bare")


def test_dtypes_and_devices(words):
    folder, _ = words
    half = models.BertForMaskedLM.from_directory(folder, dtype=dc.bfloat16)
    assert {p.dtype for p in half.parameters()} == {dc.bfloat16}
    drawn = models.BertModel.from_directory(folder, dtype=dc.float64, strict=False)
    assert {p.dtype for p in drawn.parameters()} == {dc.float64}
    assert (
        next(models.BertForMaskedLM.from_directory(folder, device="meta").parameters()).device.type
        == "meta"
    )


def test_several_files_by_an_index(words):
    folder, model = words
    tensors = state(folder)
    names = sorted(tensors)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, keys in parts.items():
        dc.save({k: tensors[k] for k in keys}, folder / file)
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {k: f for f, keys in parts.items() for k in keys}}))
    ids = dc.tensor(IDS)
    again = models.BertForMaskedLM.from_directory(folder)
    assert again(ids).logits.tolist() == model(ids).logits.tolist()
    (folder / "b.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"b\.safetensors"):
        models.BertForMaskedLM.from_directory(folder)
    index.write_text(json.dumps({"weight_map": {"x": "../a.safetensors"}}))
    with pytest.raises(RuntimeError, match=r"index\.json: '\.\./a\.safetensors' is no file name"):
        models.BertForMaskedLM.from_directory(folder)
    index.write_text("{}")
    with pytest.raises(RuntimeError, match=r"index\.json: 'weight_map' must say"):
        models.BertForMaskedLM.from_directory(folder)


def test_the_first_files_of_gpt2(tmp_path):
    """No prefix, and masks among the parameters."""
    config = models.GPT2Config(vocab_size=9, n_embd=8, n_head=2, n_layer=1, n_positions=8)
    model = models.GPT2LMHeadModel(config).eval()
    model.save_directory(tmp_path)
    tensors = {k.removeprefix("transformer."): v for k, v in state(tmp_path).items()}
    tensors["h.0.attn.bias"] = dc.ones(1, 1, 8, 8).tril()
    tensors["h.0.attn.masked_bias"] = dc.tensor(-1e4)
    write(tmp_path, tensors)
    ids = dc.tensor([[1, 2, 3]])
    again = models.GPT2LMHeadModel.from_directory(tmp_path)
    assert again(ids).logits.tolist() == model(ids).logits.tolist()
    assert again.lm_head.weight is again.transformer.wte.weight


def test_parameters_that_a_file_has_two_of_are_not_tied(words, tmp_path):
    folder, model = words
    key, other = "cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"
    tensors = state(folder)
    write(folder, tensors | {key: tensors[other].clone()})
    again = models.BertForMaskedLM.from_directory(folder)
    assert again.get_parameter(key) is again.get_parameter(other)
    write(folder, tensors | {key: tensors[other] + 1})
    again = models.BertForMaskedLM.from_directory(folder)
    assert again.get_parameter(key).tolist() == (tensors[other] + 1).tolist()
    assert again.get_parameter(other).tolist() == tensors[other].tolist()
    again.save_directory(tmp_path / "again")
    assert key in state(tmp_path / "again")


def test_only_the_tied_name_is_there(words):
    folder, model = words
    key, other = "cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"
    tensors = dict(state(folder))
    tensors[key] = tensors.pop(other)
    write(folder, tensors)
    again = models.BertForMaskedLM.from_directory(folder)
    assert again(dc.tensor(IDS)).logits.tolist() == model(dc.tensor(IDS)).logits.tolist()


def test_files_of_pytorch(words):
    folder, model = words
    dc.save(state(folder), folder / "pytorch_model.bin", format="pytorch")
    (folder / "model.safetensors").unlink()
    again = models.BertForMaskedLM.from_directory(folder)
    assert again(dc.tensor(IDS)).logits.tolist() == model(dc.tensor(IDS)).logits.tolist()


def test_old_names(words):
    folder, model = words
    tensors = {
        k.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): v
        for k, v in state(folder).items()
    }
    tensors["bert.embeddings.position_ids"] = dc.arange(10)[None]
    tensors["cls.seq_relationship.weight"] = dc.zeros(2, 8)
    write(folder, tensors)
    again = models.BertForMaskedLM.from_directory(folder)
    assert again(dc.tensor(IDS)).logits.tolist() == model(dc.tensor(IDS)).logits.tolist()


def test_a_truncated_file_is_named(words):
    folder, _ = words
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    for length in (0, 4, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(RuntimeError, match=r"model\.safetensors"):
            models.BertForMaskedLM.from_directory(folder)


def _changed(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden_size": "8"}, r"config\.json: hidden_size must be int, got '8'"),
        (
            {"hidden_size": 9},
            r"config\.json: hidden_size=9 must be a multiple of num_attention_heads=2",
        ),
        ({"num_attention_heads": 0}, r"config\.json: num_attention_heads must be at least 1"),
        ({"hidden_act": "wave"}, r"config\.json: unknown activation 'wave'; known are gelu"),
        ({"pad_token_id": 99}, r"config\.json: pad_token_id=99 is outside of a vocabulary of 13"),
        (
            {"model_type": "gpt2"},
            r"config\.json: a model of type 'gpt2', which BertConfig does not",
        ),
        (
            {"vocab_size": 14},
            r"safetensors: '.*word_embeddings\.weight' has shape \(13, 8\).*\(14, 8\)",
        ),
        (
            {"num_hidden_layers": 1},
            r"safetensors: 'bert\.encoder\.layer\.1.*' is no parameter of the BertFor",
        ),
        ({"num_hidden_layers": 3}, r"bert: 16 of 60 parameters of BertForMaskedLM are missing"),
    ],
)
def test_files_that_do_not_belong_together(words, changes, said):
    folder, _ = words
    _changed(folder, **changes)
    with pytest.raises(RuntimeError, match=said):
        models.BertForMaskedLM.from_directory(folder)


def test_missing_files(words, tmp_path):
    folder, _ = words
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        models.BertModel.from_directory(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"neither model\.safetensors nor pytorch_model\.bin"
    ):
        models.BertForMaskedLM.from_directory(folder)


def test_a_folder_says_which_model_it_holds(words):
    folder, _ = words
    _changed(folder, architectures=["BertForMaskedLM"])
    assert type(load_model(folder)) is models.BertForMaskedLM
    assert type(load_model(folder, bare=True, strict=False)) is models.BertModel
    _changed(folder, model_type="wombat")
    with pytest.raises(RuntimeError, match=r"config\.json: model_type is 'wombat'; known are bert"):
        load_model(folder)


def test_labels_of_a_config():
    config = models.BertConfig.from_dict(
        {**BERT, "id2label": {"0": "a", "1": "b", "2": "c"}, "note": 3}
    )
    assert config.num_labels == 3
    assert config.to_dict()["note"] == 3
    with pytest.raises(TypeError, match="GPT2Model is made of a GPT2Config, got BertConfig"):
        models.GPT2Model(config)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"num_key_value_heads": 3},
            "num_attention_heads=4 must be a multiple of num_key_value_heads=3",
        ),
        ({"head_dim": 3}, "head_dim=3 even"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope_type 'yarn' is not supported"),
        ({"rope_scaling": {"type": "linear"}}, "rope scaling of type 'linear' needs 'factor'"),
    ],
)
def test_configs_of_llama_that_make_no_sense(changes, said):
    values = {"vocab_size": 9, "hidden_size": 16, "num_attention_heads": 4} | changes
    with pytest.raises((ValueError, NotImplementedError), match=said):
        models.LlamaConfig(**values)


@pytest.mark.parametrize(
    ("ids", "error", "said"),
    [
        ([[13]], IndexError, "outside of the vocabulary of 13"),
        ([[-1]], IndexError, "outside of the vocabulary of 13"),
        ([[]], ValueError, "input_ids"),
        ([1, 2], ValueError, r"shape \(batch, length\), got .*\(2,\)"),
        ([[0.5]], ValueError, "must be int64"),
        ([[1] * 11], ValueError, "11 tokens are more than the 10 positions"),
    ],
)
def test_ids_that_are_no_text(ids, error, said):
    model = models.BertModel(models.BertConfig(**BERT))
    with pytest.raises(error, match=said):
        model(dc.tensor(ids))


def test_masks_that_do_not_fit():
    model = models.GPT2Model(
        models.GPT2Config(vocab_size=9, n_embd=8, n_head=2, n_layer=1, n_positions=8)
    )
    with pytest.raises(ValueError, match="covers 3 positions, and there are 0 cached and 2 new"):
        model(dc.tensor([[1, 2]]), dc.ones(1, 3))
    with pytest.raises(ValueError, match=r"must have shape \(batch, length\), got \(3,\)"):
        model(dc.tensor([[1, 2]]), dc.ones(3))


@pytest.mark.parametrize(
    "made", ["BertForMaskedLM", "GPT2LMHeadModel", "LlamaForCausalLM", "T5ForConditionalGeneration"]
)
def test_training_changes_every_parameter(made):
    dc.manual_seed(0)
    sizes = {
        "BertForMaskedLM": BERT,
        "GPT2LMHeadModel": {
            "vocab_size": 13,
            "n_embd": 8,
            "n_head": 2,
            "n_layer": 2,
            "n_positions": 8,
        },
        "LlamaForCausalLM": {
            "vocab_size": 13,
            "hidden_size": 8,
            "intermediate_size": 12,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
        },
        "T5ForConditionalGeneration": {
            "vocab_size": 13,
            "d_model": 8,
            "d_kv": 4,
            "d_ff": 12,
            "num_layers": 1,
            "num_heads": 2,
        },
    }
    cls = getattr(models, made)
    model = cls(cls.config_class(**sizes[made])).train()
    ids = dc.tensor([[3, 4, 5, 6], [6, 7, 8, 9]])
    optimizer = dc.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(12):
        loss = model(ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    assert losses[-1] < 0.9 * losses[0]
    untouched = [
        n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum().item()
    ]
    # Kinds of text that were not given, and key biases, which softmax cancels.
    assert [n for n in untouched if "key.bias" not in n] == []
