"""Recurrent models learn what they are for."""

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_core.utils.data import DataLoader
from dispatch_text import PadCollator, generate, models, pad


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_classifier_learns_the_order_of_tokens(cell):
    dc.manual_seed(0)
    random = np.random.default_rng(0)
    data = []
    for _ in range(240):  # is there a 1 before the 2?
        row = [int(n) for n in random.integers(3, 9, random.integers(4, 9))]
        first, second = sorted(random.choice(len(row), 2, replace=False))
        label = int(random.integers(2))
        row[first], row[second] = (1, 2) if label else (2, 1)
        data.append({"input_ids": row, "labels": label})
    config = models.RecurrentClassifierConfig(
        vocab_size=9, embedding_size=12, hidden_size=12, cell=cell
    )
    model = models.RecurrentClassifier(config)
    optimizer = dc.optim.Adam(model.parameters(), lr=0.02)
    loader = DataLoader(data[:200], batch_size=20, shuffle=True, collate_fn=PadCollator())
    for _ in range(6):
        for batch in loader:
            optimizer.zero_grad()
            model(**batch).loss.backward()
            optimizer.step()
    batch = PadCollator()(data[200:])
    labels = batch.pop("labels")
    found = model.eval()(**batch).logits.argmax(-1)
    assert (found == labels).to(dc.float32).mean().item() >= 0.9


def test_padding_changes_nothing():
    dc.manual_seed(0)
    config = models.RecurrentClassifierConfig(
        vocab_size=9, embedding_size=4, hidden_size=5, num_layers=2
    )
    model = models.RecurrentClassifier(config).eval()
    ids, mask = pad([[1, 2, 3, 4], [5, 6]])
    both = model(ids, mask).logits.detach().numpy()
    alone = model(dc.tensor([[5, 6]])).logits.detach().numpy()
    np.testing.assert_allclose(both[1:], alone, atol=1e-6)
    with pytest.raises(ValueError, match="pad on the right"):
        model(ids, mask.flip(1))
    with pytest.raises(ValueError, match="text 1 of the batch has no tokens"):
        model(ids, mask * dc.tensor([[1], [0]]))


@pytest.fixture(scope="module")
def reverser():
    """A translator that has learned to say three tokens backwards."""
    dc.manual_seed(0)
    config = models.RecurrentSeq2SeqConfig(vocab_size=10, embedding_size=16, hidden_size=24)
    model = models.RecurrentSeq2Seq(config)
    optimizer = dc.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        ids = dc.randint(4, 10, (32, 3))
        labels = dc.cat([ids.flip(1), dc.full((32, 1), 3)], 1)
        optimizer.zero_grad()
        model(ids, labels=labels).loss.backward()
        optimizer.step()
    return model.eval()


@pytest.mark.parametrize("beams", [1, 3])
def test_a_translator_learns_to_reverse(reverser, beams):
    ids = dc.tensor([[4, 5, 6], [9, 7, 8], [5, 5, 4]])
    found = generate(reverser, ids, max_new_tokens=5, num_beams=beams).tolist()
    assert found == [[2, *row[::-1], 3] for row in ids.tolist()]


def test_a_translator_is_written_and_read(reverser, tmp_path):
    reverser.save_directory(tmp_path)
    again = models.RecurrentSeq2Seq.from_directory(tmp_path)
    ids = dc.tensor([[4, 5, 6]])
    given = {"decoder_input_ids": dc.tensor([[2, 6]])}
    assert again(ids, **given).logits.tolist() == reverser(ids, **given).logits.tolist()
    with pytest.raises(ValueError, match="give labels or decoder_input_ids"):
        again(ids)


def test_padding_is_not_read(reverser):
    ids, mask = pad([[4, 5, 6], [9, 7, 8, 4, 4]])
    given = {"decoder_input_ids": dc.tensor([[2, 6], [2, 4]])}
    both = reverser(ids, mask, **given).logits[:1].detach().numpy()
    alone = reverser(ids[:1, :3], decoder_input_ids=given["decoder_input_ids"][:1]).logits
    np.testing.assert_allclose(both, alone.detach().numpy(), atol=1e-5)


def test_cells_that_are_none():
    with pytest.raises(ValueError, match="cell must be one of lstm, gru, got 'rnn'"):
        models.RecurrentClassifierConfig(vocab_size=3, cell="rnn")
    with pytest.raises(ValueError, match="the translator's cells are GRUs"):
        models.RecurrentSeq2SeqConfig(vocab_size=3, cell="lstm")
