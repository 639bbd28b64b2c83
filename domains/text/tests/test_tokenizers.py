"""Own tokenizers, and those of the two libraries."""

import json
import pickle

import pytest

import dispatch_text as dt
from dispatch_text.tokenizers import VocabTokenizer


def test_white_space():
    tokenizer = dt.WhitespaceTokenizer(lower=True).fit(["The cat sat", "the cat"])
    assert tokenizer.tokenize("The  CAT\tran\n") == ["the", "cat", "ran"]
    assert tokenizer.encode("the cat ran") == [5, 4, 1]
    assert tokenizer.decode([5, 4, 1, 0]) == "the cat <unk>"
    assert tokenizer.decode([5, 0], skip_special_tokens=False) == "the <pad>"
    assert len(tokenizer) == 7


def test_begin_and_end():
    tokenizer = dt.WhitespaceTokenizer(begin=True, end=True).fit(["a b"])
    assert tokenizer.encode("a b") == [2, 4, 5, 3]
    assert tokenizer.encode("a", "b") == [2, 4, 3, 5, 3]
    assert tokenizer.encode("a b", add_special_tokens=False) == [4, 5]
    assert tokenizer.decode([2, 4, 5, 3]) == "a b"
    with pytest.raises(ValueError, match="lacks '</s>'"):
        dt.WhitespaceTokenizer(dt.Vocab(["a"]), end=True)


def test_regular_expressions():
    tokenizer = dt.RegexTokenizer(lower=True)
    assert tokenizer.tokenize("Don't stop: it costs 3.50!") == [
        *("don't", "stop", ":", "it", "costs", "3", ".", "50", "!"),
    ]
    assert tokenizer.tokenize("cafe\u0301") == ["caf\u00e9"]
    assert dt.RegexTokenizer(pattern=r"[a-z]*").tokenize("ab 1c") == ["ab", "c"]
    with pytest.raises(ValueError, match=r"'\(' is no regular expression"):
        dt.RegexTokenizer(pattern="(")


def test_characters_and_bytes():
    characters = dt.CharTokenizer().fit(["héé"])
    assert characters.encode("éh") == [4, 5]
    assert characters.decode([4, 5]) == "éh"
    tokenizer = dt.ByteTokenizer(end=True)
    assert tokenizer.encode("hé") == [107, 198, 172, 1]
    assert tokenizer.tokenize("é") == ["<0xC3>", "<0xA9>"]
    assert tokenizer.decode([107, 198, 172, 1, 0]) == "hé"
    assert tokenizer.decode([198]) == "\ufffd"
    assert tokenizer.decode([107, 1, 0, 2], skip_special_tokens=False) == "h</s><pad><unk>"
    assert len(tokenizer) == 259
    with pytest.raises(RuntimeError, match="id 259 is outside of 0 to 258"):
        tokenizer.decode([259])


def test_without_a_vocabulary():
    tokenizer = dt.WhitespaceTokenizer()
    assert tokenizer.tokenize("a b") == ["a", "b"]
    with pytest.raises(RuntimeError, match="WhitespaceTokenizer has no vocabulary"):
        tokenizer.encode("a")
    with pytest.raises(NotImplementedError, match="must define split"):
        VocabTokenizer().tokenize("a")


def test_batches_are_padded_and_cut():
    tokenizer = dt.WhitespaceTokenizer().fit(["a b c"])
    batch = tokenizer(["a b c", "b"])
    assert batch["input_ids"].tolist() == [[4, 5, 6], [5, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    left = tokenizer(["a b c", "b"], max_length=2, padding_side="left", pad_to_multiple_of=4)
    assert left["input_ids"].tolist() == [[0, 0, 4, 5], [0, 0, 0, 5]]
    pairs = tokenizer(["a b", "c"], ["c", "a b"])
    assert pairs["input_ids"].tolist() == [[4, 5, 6], [6, 4, 5]]
    assert pairs["token_type_ids"].tolist() == [[0, 0, 1], [0, 1, 1]]
    assert tokenizer("a")["input_ids"].shape == (1, 1)
    assert tokenizer.decode_batch(batch["input_ids"]) == ["a b c", "b"]
    assert tokenizer("a", device="meta")["input_ids"].device.type == "meta"


@pytest.mark.parametrize(
    ("texts", "options", "error", "said"),
    [
        ([], {}, ValueError, "the list of texts is empty"),
        (["a", " "], {}, ValueError, "text 1 gives no tokens: ' '"),
        (["a", 3], {}, TypeError, "text 1 is a int"),
        (["a"], {"pairs": ["b", "c"]}, ValueError, "1 texts do not pair with 2"),
        (["a"], {"max_length": 0}, ValueError, "max_length must be at least 1"),
        (["a"], {"padding_side": "top"}, ValueError, "padding_side must be 'left' or 'right'"),
    ],
)
def test_what_makes_no_batch(texts, options, error, said):
    with pytest.raises(error, match=said):
        dt.WhitespaceTokenizer().fit(["a b c"])(texts, **options)


def test_a_row_of_ids_is_wanted():
    tokenizer = dt.WhitespaceTokenizer().fit(["a"])
    with pytest.raises(ValueError, match=r"got shape \(1, 1\); see decode_batch"):
        tokenizer.decode(tokenizer("a")["input_ids"])


# -- Hugging Face ----------------------------------------------------------------------------------


def test_a_tokenizer_json(tokenizer_folder):
    tokenizer = dt.HuggingFaceTokenizer(tokenizer_folder)
    assert tokenizer.tokenize("Unwanted running!") == ["un", "##want", "##ed", "run", "##ning", "!"]
    assert tokenizer.encode("the cat sat on the mat , running") == [
        2,
        5,
        7,
        9,
        11,
        5,
        13,
        20,
        18,
        19,
        3,
    ]
    assert tokenizer.encode("the", "cat") == [2, 5, 3, 7, 3]
    assert tokenizer.decode([2, 5, 18, 19, 3]) == "the running"
    assert len(tokenizer) == 23
    assert tokenizer.pad_id == 0
    assert (tokenizer.id_of("cls_token"), tokenizer.id_of("cat"), tokenizer.id_of("x")) == (
        2,
        7,
        None,
    )
    assert tokenizer.encode_batch(["the", ""]) == [[2, 5, 3], [2, 3]]


def test_its_padding_and_cutting_are_off_and_ours_keep_the_end(tokenizer_folder):
    tokenizer = dt.HuggingFaceTokenizer(tokenizer_folder / "tokenizer.json")
    batch = tokenizer(["the cat sat on the mat", "a"], max_length=4)
    assert batch["input_ids"].tolist() == [[2, 5, 7, 3], [2, 6, 3, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert tokenizer(["the cat sat on the mat"])["input_ids"].shape == (1, 8)
    pair = tokenizer(["the"], ["cat"])
    assert pair["token_type_ids"].tolist() == [[0, 0, 0, 1, 1]]


def test_no_room_for_the_special_tokens(tokenizer_folder):
    tokenizer = dt.HuggingFaceTokenizer(tokenizer_folder)
    with pytest.raises(ValueError, match="max_length=1 has no room for the 2 special tokens"):
        tokenizer(["the cat"], max_length=1)
    with pytest.raises(ValueError, match="no room for the 3 special tokens"):
        tokenizer(["the cat"], ["sat"], max_length=2)
    assert tokenizer(["the cat"], max_length=2)["input_ids"].tolist() == [[2, 3]]
    assert tokenizer(["the cat"], max_length=1, add_special_tokens=False)["input_ids"].tolist() == [
        [5]
    ]


def test_tokenizers_travel_to_other_processes(tokenizer_folder, pieces):
    for tokenizer in (
        dt.HuggingFaceTokenizer(tokenizer_folder),
        dt.SentencePieceTokenizer(pieces, end=True),
        dt.RegexTokenizer(lower=True).fit(["the cat"]),
        dt.ByteTokenizer(end=True),
    ):
        again = pickle.loads(pickle.dumps(tokenizer))
        assert again.encode("the cat") == tokenizer.encode("the cat")
        assert again(["a cat", "the"])["input_ids"].shape[0] == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "expected an object of JSON, got list"),
        ("{}", "no tokenizer"),
        ('{"model": {"type": "Nonsense"}}', "no tokenizer"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_corrupt_tokenizer_json_is_named(tokenizer_folder, text, said):
    file = tokenizer_folder / "tokenizer.json"
    file.write_text(text)
    with pytest.raises(RuntimeError, match=rf"tokenizer\.json: .*{said}|tokenizer\.json: {said}"):
        dt.HuggingFaceTokenizer(tokenizer_folder)


def test_a_truncated_tokenizer_json_is_named(tokenizer_folder):
    file = tokenizer_folder / "tokenizer.json"
    whole = file.read_bytes()
    for length in range(0, len(whole), 97):
        file.write_bytes(whole[:length])
        with pytest.raises(RuntimeError, match=r"tokenizer\.json: "):
            dt.HuggingFaceTokenizer(tokenizer_folder)


def test_special_tokens_that_the_vocabulary_lacks(tokenizer_folder):
    (tokenizer_folder / "special_tokens_map.json").write_text(json.dumps({"pad_token": "<p>"}))
    with pytest.raises(RuntimeError, match=r"special_tokens_map\.json: pad_token '<p>'"):
        dt.HuggingFaceTokenizer(tokenizer_folder)


def test_a_missing_tokenizer_json(tmp_path):
    pytest.importorskip("tokenizers", reason="the extra 'tokenizers' is not installed")
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json"):
        dt.HuggingFaceTokenizer(tmp_path)


def test_the_library_is_an_extra(tokenizer_folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(ImportError, match=r"pip install 'dispatch-text\[tokenizers\]'"):
        dt.HuggingFaceTokenizer(tokenizer_folder)


# -- SentencePiece ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    library = pytest.importorskip(
        "sentencepiece", reason="the extra 'sentencepiece' is not installed"
    )
    folder = tmp_path_factory.mktemp("pieces")
    text = folder / "text.txt"
    text.write_text("the cat sat on the mat\na dog ran in the garden\n" * 20)
    library.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(folder / "spiece"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        pad_id=3,
    )
    return folder / "spiece.model"


def test_sentence_pieces(pieces):
    tokenizer = dt.SentencePieceTokenizer(pieces, begin=True, end=True)
    assert len(tokenizer) == tokenizer.backend.GetPieceSize() > 10
    assert "".join(tokenizer.tokenize("the cat")) == "\u2581the\u2581cat"
    ids = tokenizer.encode("the cat")
    assert (ids[0], ids[-1], tokenizer.pad_id) == (1, 2, 3)
    assert tokenizer.decode(ids) == "the cat"
    assert tokenizer.encode_batch(["the cat", "a dog"]) == [ids, tokenizer.encode("a dog")]
    assert tokenizer.encode("a", "dog") == [
        1,
        *tokenizer.encode("a")[1:],
        *tokenizer.encode("dog")[1:],
    ]
    batch = tokenizer(["the cat sat", "a"])
    assert batch["input_ids"].shape == batch["attention_mask"].shape
    with pytest.raises(RuntimeError, match="id 400 is outside of 0 to"):
        tokenizer.decode([400])


@pytest.mark.parametrize("keep", [0, 1, 100, -5])
def test_a_damaged_sentence_piece_model_is_named(pieces, tmp_path, keep):
    file = tmp_path / "broken.model"
    file.write_bytes(pieces.read_bytes()[:keep])
    with pytest.raises(RuntimeError, match=r"broken\.model: no SentencePiece model"):
        dt.SentencePieceTokenizer(file)
