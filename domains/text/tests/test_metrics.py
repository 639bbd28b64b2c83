"""BLEU, ROUGE, error rates, perplexity; golden values are those of the usual libraries."""

import json
import math
from pathlib import Path

import pytest

import dispatch_core as dc
from dispatch_core.nn import functional as F
from dispatch_text import metrics, models

GOLDEN = json.loads((Path(__file__).parent / "golden" / "metrics.json").read_text())


def test_bleu_as_published():
    candidates = [["My", "full", "pytorch", "test"], ["Another", "Sentence"]]
    references = [
        [["My", "full", "pytorch", "test"], ["Completely", "Different"]],
        [["No", "Match"]],
    ]
    assert metrics.bleu_score(candidates, references) == pytest.approx(0.8408964276313782)


def test_bleu_of_a_corpus():
    candidates = [c.split() for c in GOLDEN["candidates"]]
    references = [[r.split() for r in rs] for rs in GOLDEN["references"]]
    assert metrics.bleu_score(candidates, references) == pytest.approx(GOLDEN["bleu"])


def test_bleu_without_a_match_smoothed_and_short():
    assert metrics.bleu_score([["a", "b"]], [[["c", "d"]]], max_n=1) == 0.0
    one = metrics.bleu_score([["a", "b", "c"]], [[["a", "c", "b"]]], max_n=2)
    smooth = metrics.bleu_score([["a", "b", "c"]], [[["a", "c", "b"]]], max_n=2, smoothing=1.0)
    assert (one, smooth) == (0.0, pytest.approx(math.sqrt(1 / 3)))
    short = metrics.bleu_score([["a"]], [[["a", "b"]]], max_n=1)
    assert short == pytest.approx(math.exp(-1))
    assert metrics.bleu_score([[]], [[["a"]]], max_n=1) == 0.0


@pytest.mark.parametrize(
    ("candidates", "references", "options", "said"),
    [
        ([], [], {}, "got 0 candidates"),
        ([["a"]], [], {}, "got 1 candidates and 0"),
        ([["a"]], [[]], {}, "candidate 0 has no reference"),
        ([["a"]], [[["a"]]], {"weights": [1.0]}, "max_n=4 needs as many weights, got 1"),
    ],
)
def test_corpora_that_do_not_fit(candidates, references, options, said):
    with pytest.raises(ValueError, match=said):
        metrics.bleu_score(candidates, references, **options)


@pytest.mark.parametrize("at", range(len(GOLDEN["rouge"])))
def test_rouge(at):
    expected = GOLDEN["rouge"][at]
    found = metrics.rouge_score(
        GOLDEN["long_candidates"][at], GOLDEN["long_references"][at], list(expected)
    )
    for kind, values in expected.items():
        assert list(found[kind]) == pytest.approx(values, abs=1e-8), kind


def test_rouge_of_nothing_and_of_unknown_kinds():
    assert metrics.rouge_score("", "a b")["rougeL"] == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="unknown kind 'rougeX'"):
        metrics.rouge_score("a", "a", ["rougeX"])


def test_error_rates():
    first = [r[0] for r in GOLDEN["references"]]
    assert metrics.word_error_rate(GOLDEN["candidates"], first) == pytest.approx(GOLDEN["wer"])
    assert metrics.char_error_rate(GOLDEN["candidates"], first) == pytest.approx(GOLDEN["cer"])
    assert metrics.word_error_rate("a b c", "a x c d") == 0.5
    assert metrics.word_error_rate("", "a b") == 1.0
    assert metrics.word_error_rate("a b c d", "e") == 4.0


def test_edits_by_kind():
    assert metrics.edits("kitten", "sitting") == (2, 1, 0)
    assert metrics.edits("abc", "") == (0, 0, 3)
    assert metrics.edits("", "abc") == (0, 3, 0)
    assert metrics.edit_distance([1, 2, 3], [1, 3]) == 1
    assert metrics.edits("", "").total == 0
    assert metrics.edit_distance("", "") == 0
    assert metrics.edit_distance("", "ab") == metrics.edit_distance("ab", "") == 2
    long = "ab" * 150
    assert metrics.edit_distance(long, long[1:] + "a") == 2


def test_error_rates_without_references():
    with pytest.raises(ValueError, match="the references have no words"):
        metrics.word_error_rate("a", "  ")
    with pytest.raises(ValueError, match="2 texts do not pair with 1"):
        metrics.word_error_rate(["a", "b"], ["a"])


def test_perplexity_of_logits():
    logits = dc.zeros(2, 3, 7)
    targets = dc.tensor([[1, 2, 3], [4, -100, -100]])
    found = metrics.Perplexity()
    with pytest.raises(ValueError, match="no token was counted"):
        found.compute()
    found.update(logits[:1], targets[:1])
    found.update(logits[1:], targets[1:])
    assert found.compute() == pytest.approx(7.0)
    sure = F.one_hot(dc.tensor([[1, 2]]), 7).to(dc.float32) * 50
    found.update(sure, dc.tensor([[1, 2]]))
    assert found.compute() == pytest.approx(7 ** (4 / 6))
    with pytest.raises(ValueError, match=r"targets have shape \(2,\)"):
        found.update(logits, dc.tensor([1, 2]))


def test_perplexity_of_a_model_in_windows():
    dc.manual_seed(0)
    config = models.GPT2Config(vocab_size=11, n_positions=16, n_embd=8, n_layer=1, n_head=2)
    model = models.GPT2LMHeadModel(config).eval()
    ids = dc.randint(0, 11, (14,))
    whole = metrics.perplexity(model, ids)
    assert whole == pytest.approx(
        math.exp(float(model(ids[None], labels=ids[None]).loss)), rel=1e-5
    )
    losses = []
    for at in range(1, 14):  # windows of 4 that move by 2: starts at 0, 2, 4, ...
        start = max(0, -(-(at - 3) // 2) * 2)
        logits = model(ids[None, start:at]).logits[0, -1]
        losses.append(float(F.cross_entropy(logits[None], ids[at : at + 1])))
    expected = math.exp(sum(losses) / len(losses))
    assert metrics.perplexity(model, ids, window=4, stride=2) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="stride from 1 to below it"):
        metrics.perplexity(model, ids, window=4, stride=4)
    with pytest.raises(ValueError, match="1 tokens have no next one"):
        metrics.perplexity(model, ids[:1])
