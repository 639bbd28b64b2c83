"""Writing: what is drawn, streams, the cache, options; texts are compared in test_reference_outputs."""

import numpy as np
import pytest

import dispatch_core as dc
from dispatch_text import ByteTokenizer, KeyValueCache, generate, models, stream, stream_text
from dispatch_text.generation import Sampling, TextStream
from dispatch_text.ops import keep_top_k, keep_top_p


@pytest.fixture(scope="module")
def model():
    dc.manual_seed(4)
    config = models.LlamaConfig(
        vocab_size=259,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
        eos_token_id=None,
    )
    return models.LlamaForCausalLM(config).eval()


PROMPT = [[5, 9, 3], [7, 4, 4]]


def test_logits_outside_are_cut():
    logits = dc.tensor([[1.0, 3.0, 2.0, 3.0], [0.0, 0.0, 9.0, 1.0]])
    inf = float("inf")
    assert keep_top_k(logits, 2).tolist() == [[-inf, 3.0, -inf, 3.0], [-inf, -inf, 9.0, 1.0]]
    assert keep_top_k(logits, 9).tolist() == logits.tolist()
    chances = dc.tensor([0.5, 0.3, 0.15, 0.05]).log()
    assert (keep_top_p(chances, 0.79) > -inf).tolist() == [True, True, False, False]
    assert (keep_top_p(chances, 0.81) > -inf).tolist() == [True, True, True, False]
    assert (keep_top_p(chances, 0.01) > -inf).tolist() == [True, False, False, False]
    for function, value in ((keep_top_k, 0), (keep_top_p, 0.0), (keep_top_p, 1.5)):
        with pytest.raises(ValueError, match="must be"):
            function(logits, value)


def test_draws_follow_the_distribution():
    chosen = Sampling(do_sample=True, temperature=2.0, generator=dc.Generator().manual_seed(0))
    logits = dc.tensor([[0.0, 2.0, 4.0]]).expand(4000, 3)
    found = np.bincount(chosen.choose(logits).numpy(), minlength=3) / 4000
    expected = np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum()
    np.testing.assert_allclose(found, expected, atol=0.03)
    cut = Sampling(do_sample=True, top_k=2, top_p=0.5, generator=dc.Generator().manual_seed(0))
    assert set(cut.choose(logits).tolist()) == {2}


def test_a_seed_repeats_a_text(model):
    prompt = dc.tensor(PROMPT)
    texts = [
        generate(
            model,
            prompt,
            max_new_tokens=12,
            do_sample=True,
            top_k=50,
            top_p=0.95,
            generator=dc.Generator().manual_seed(seed),
        ).tolist()
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]
    assert [row[:3] for row in texts[0]] == PROMPT


def test_a_cache_changes_nothing_but_the_work(model):
    prompt = dc.tensor(PROMPT)
    options = {"max_new_tokens": 40}
    assert (
        generate(model, prompt, **options).tolist()
        == generate(model, prompt, use_cache=False, **options).tolist()
    )
    cache = KeyValueCache()
    whole = model(prompt).logits
    parts = [model(prompt[:, at : at + 1], past_key_values=cache).logits for at in range(3)]
    np.testing.assert_allclose(dc.cat(parts, 1).detach().numpy(), whole.detach().numpy(), atol=1e-5)
    assert cache.length == 3
    cache.crop(1)
    again = model(prompt[:, 1:], past_key_values=cache).logits
    np.testing.assert_allclose(again.detach().numpy(), whole[:, 1:].detach().numpy(), atol=1e-5)
    with pytest.raises(ValueError, match="the cache is of 2 sequences, and 1 came"):
        model(prompt[:1], past_key_values=cache)


def test_a_cache_without_gradients_grows_in_place(model):
    cache = KeyValueCache()
    with dc.no_grad():
        for at in range(20):
            key = dc.full((1, 2, 1, 4), float(at))
            keys, values = cache.update(0, key, -key)
    assert (
        keys[0, 0, :, 0].tolist() == (-values)[0, 0, :, 0].tolist() == [float(i) for i in range(20)]
    )
    cache.reorder(dc.tensor([0, 0]))
    with dc.no_grad():
        assert cache.update(0, dc.zeros(2, 2, 1, 4), dc.zeros(2, 2, 1, 4))[0].shape == (2, 2, 21, 4)


def test_padding_on_the_left_changes_nothing(model):
    alone = generate(model, dc.tensor([[7, 4]]), max_new_tokens=6)[0, 2:].tolist()
    ids, mask = dc.tensor([[5, 9, 3, 8], [0, 0, 7, 4]]), dc.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
    assert generate(model, ids, mask, max_new_tokens=6)[1, 4:].tolist() == alone
    with pytest.raises(ValueError, match="pad on the left"):
        generate(model, ids, mask.flip(1), max_new_tokens=6)


def test_an_end_ends(model):
    prompt = dc.tensor(PROMPT)
    free = generate(model, prompt, max_new_tokens=8)
    first, second = (row[3:] for row in free.tolist())
    end = first[2]
    found = generate(model, prompt, max_new_tokens=8, eos_token_id=[end, 300], pad_token_id=77)
    rows = [row[3:] for row in found.tolist()]
    stop = first.index(end) + 1
    assert rows[0][:stop] == first[:stop]
    assert set(rows[0][stop:]) <= {77}
    other = second.index(end) + 1 if end in second else 8
    assert rows[1][:other] == second[:other]
    longer = generate(model, prompt[:1], max_new_tokens=8, eos_token_id=end, min_new_tokens=8)
    assert end not in longer[0, 3:].tolist()[:8]


def test_more_beams_find_what_is_at_least_as_probable(model):
    def probability(ids):
        scores = model(ids).logits.log_softmax(-1)[:, 2:-1]
        return float(scores.gather(2, ids[:, 3:, None]).sum())

    prompt = dc.tensor(PROMPT[:1])
    with dc.no_grad():
        found = [
            probability(generate(model, prompt, max_new_tokens=6, num_beams=beams))
            for beams in (1, 8, 64)
        ]
    assert found[0] <= found[1] + 1e-4
    assert found[1] <= found[2] + 1e-4
    assert found[0] < found[2]


def test_a_repetition_is_punished(model):
    prompt = dc.tensor(PROMPT[:1])
    text = generate(model, prompt, max_new_tokens=30, repetition_penalty=1e6)[0].tolist()
    assert len(set(text)) == len(text)


def test_a_stream_gives_what_generate_gives(model):
    prompt = dc.tensor(PROMPT)
    pieces = list(stream(model, prompt, max_new_tokens=5))
    assert [tuple(p.shape) for p in pieces] == [(2, 1)] * 5
    assert (
        dc.cat([prompt, *pieces], 1).tolist() == generate(model, prompt, max_new_tokens=5).tolist()
    )
    for _ in stream(model, prompt, max_new_tokens=3):
        assert dc.is_grad_enabled()


def test_streamed_text_holds_broken_characters_back(model):
    tokenizer = ByteTokenizer()
    writing = TextStream(tokenizer)
    pieces = [writing.push(i) for i in tokenizer.encode("aé東!")]
    assert pieces == ["a", "", "é", "", "", "東", "!"]
    assert writing.push(tokenizer.encode("é")[0]) == ""
    assert writing.end() == "\ufffd"
    text = "".join(stream_text(model, tokenizer, "abc", max_new_tokens=9))
    ids = generate(model, tokenizer("abc")["input_ids"], max_new_tokens=9)[0, 3:]
    assert text == tokenizer.decode(ids)
    assert (
        "".join(stream_text(model, tokenizer, "abc", max_new_tokens=9, eos_token_id=int(ids[0])))
        == ""
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"top_k": 0}, "top_k must be at least 1"),
        ({"top_p": 0.0}, "top_p must be above 0"),
        ({"repetition_penalty": 0.0}, "repetition_penalty must be above 0"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ({"num_beams": 0}, "num_beams must be at least 1"),
        ({"num_beams": 2, "do_sample": True}, "a beam search does not draw"),
        ({"num_beams": 2, "max_new_tokens": 0}, "max_new_tokens must be at least 1"),
    ],
)
def test_options_that_make_no_sense(model, options, said):
    with pytest.raises(ValueError, match=said):
        generate(model, dc.tensor(PROMPT), **options)


def test_too_few_positions():
    config = models.GPT2Config(
        vocab_size=9, n_positions=4, n_embd=8, n_layer=1, n_head=2, eos_token_id=None
    )
    with pytest.raises(ValueError, match="5 tokens are more than the 4 positions"):
        generate(models.GPT2LMHeadModel(config).eval(), dc.tensor([[1, 2]]), max_new_tokens=9)
