"""Vectors of sentences, with a small model; the real one is in test_minilm.py."""

import json
import shutil

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_text import SentenceEncoder, models, similarity
from dispatch_text.sentence import pool


@pytest.fixture
def folder(tokenizer_folder):
    """A folder as sentence-transformers writes it, with a small BERT."""
    dc.manual_seed(0)
    config = models.BertConfig(
        vocab_size=23,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=16,
    )
    models.BertModel(config).save_directory(tokenizer_folder)
    names = ("Transformer", "Pooling", "Normalize")
    modules = [
        {"idx": at, "path": f"{at}_{name}", "type": f"sentence_transformers.models.{name}"}
        for at, name in enumerate(names)
    ]
    _write(tokenizer_folder / "modules.json", modules)
    pooling = tokenizer_folder / "1_Pooling"
    pooling.mkdir()
    _write(
        pooling / "config.json", {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True}
    )
    _write(tokenizer_folder / "sentence_bert_config.json", {"max_seq_length": 5})
    return tokenizer_folder


def _write(file, content):
    file.write_text(json.dumps(content))


TEXTS = ["the cat sat on the mat .", "a dog", "the garden", "ran !"]


def test_vectors_do_not_depend_on_the_batch(folder):
    encoder = SentenceEncoder.from_directory(folder)
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (4, 8)
    np.testing.assert_allclose(vectors.norm(dim=1).numpy(), np.ones(4), atol=1e-6)
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(encoder.encode(text).numpy(), vector.numpy(), atol=1e-6)
    np.testing.assert_allclose(
        encoder.encode(TEXTS, batch_size=1).numpy(), vectors.numpy(), atol=1e-6
    )
    assert not vectors.requires_grad
    cosines = similarity(vectors, 3 * vectors[:2])
    np.testing.assert_allclose(cosines.numpy(), (vectors @ vectors[:2].T).numpy(), atol=1e-6)


def test_long_texts_are_cut(folder):
    encoder = SentenceEncoder.from_directory(folder)
    assert encoder.max_length == 5
    cut = encoder.encode("the cat sat")
    np.testing.assert_allclose(
        encoder.encode("the cat sat on the mat").numpy(), cut.numpy(), atol=1e-6
    )


def test_pooling():
    hidden = dc.tensor([[[1.0, 5.0], [3.0, 1.0], [9.0, 9.0]]])
    mask = dc.tensor([[1, 1, 0]])
    assert pool(hidden, mask, "mean").tolist() == [[2.0, 3.0]]
    assert pool(hidden, mask, "max").tolist() == [[3.0, 5.0]]
    assert pool(hidden, mask, "first").tolist() == [[1.0, 5.0]]
    with pytest.raises(ValueError, match="pooling must be 'mean', 'first' or 'max', got 'sum'"):
        pool(hidden, mask, "sum")


def test_what_the_files_say_is_done(folder):
    _write(folder / "1_Pooling" / "config.json", {"pooling_mode_cls_token": True})
    _write(folder / "modules.json", json.loads((folder / "modules.json").read_text())[:2])
    encoder = SentenceEncoder.from_directory(folder)
    assert (encoder.pooling, encoder.normalize) == ("first", False)
    ids = encoder.tokenizer(["a dog"])["input_ids"]
    expected = encoder.model(ids).last_hidden_state[0, 0].detach().numpy()
    np.testing.assert_allclose(encoder.encode("a dog").numpy(), expected, atol=1e-6)
    (folder / "modules.json").unlink()
    shutil.rmtree(folder / "1_Pooling")
    encoder = SentenceEncoder.from_directory(folder)
    assert (encoder.pooling, encoder.normalize) == ("mean", True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("modules.json", {}, "expected a list of JSON, got dict"),
        ("modules.json", [3], "each module must be an object with a 'type'"),
        ("modules.json", [{"type": "x.Dense"}], "modules of type 'Dense' are not supported"),
        ("1_Pooling/config.json", {}, "pooling by nothing; exactly one"),
        (
            "1_Pooling/config.json",
            {"pooling_mode_lasttoken": True},
            "pooling by pooling_mode_lasttoken",
        ),
        ("sentence_bert_config.json", {"max_seq_length": "x"}, "max_seq_length is 'x'"),
    ],
)
def test_files_that_say_nonsense_are_named(folder, name, content, said):
    _write(folder / name, content)
    with pytest.raises(RuntimeError, match=rf"{name}: {said}"):
        SentenceEncoder.from_directory(folder)


def test_nothing_to_encode(folder):
    encoder = SentenceEncoder.from_directory(folder)
    with pytest.raises(ValueError, match="the list of sentences is empty"):
        encoder.encode([])
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        encoder.encode(["a"], batch_size=0)
    assert encoder.encode("").shape == (8,)  # [CLS] [SEP]
