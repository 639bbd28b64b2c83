"""Vocabularies: tokens by index, indices by token, files of one token a line."""

from collections import OrderedDict

import pytest

from dispatch_text import Vocab, build_vocab_from_iterator, vocab


def test_tokens_are_numbered_by_frequency_then_alphabet():
    made = build_vocab_from_iterator([["b", "a", "c"], ["c", "b", "c"]], specials=["<unk>"])
    assert made.get_itos() == ["<unk>", "c", "b", "a"]
    assert made(["a", "c"]) == [3, 1]
    assert made.lookup_tokens([0, 2]) == ["<unk>", "b"]
    assert made.get_stoi() == {"<unk>": 0, "c": 1, "b": 2, "a": 3}
    assert len(made) == 4
    assert list(made) == made.get_itos()


def test_rare_tokens_and_a_bound():
    rows = [["a"] * 3 + ["b"] * 2 + ["c"]]
    assert build_vocab_from_iterator(rows, min_freq=2).get_itos() == ["a", "b"]
    bounded = build_vocab_from_iterator(rows, specials=["<p>", "a"], max_tokens=3)
    assert bounded.get_itos() == ["<p>", "a", "b"]
    with pytest.raises(ValueError, match="max_tokens=1 is less than the 2 specials"):
        build_vocab_from_iterator(rows, specials=["x", "y"], max_tokens=1)


def test_an_ordered_mapping_keeps_its_order():
    counts = OrderedDict([("z", 1), ("a", 5), ("m", 2)])
    assert vocab(counts, min_freq=2).get_itos() == ["a", "m"]
    assert vocab(counts, specials=("<s>",), special_first=False).get_itos() == [
        "z",
        "a",
        "m",
        "<s>",
    ]


def test_unknown_tokens():
    made = Vocab(["a", "b"])
    with pytest.raises(RuntimeError, match="token 'x' is not in the vocabulary of 2"):
        made["x"]
    made.set_default_index(1)
    assert made(["a", "x"]) == [0, 1]
    assert "x" not in made
    assert made.get_default_index() == 1
    with pytest.raises(RuntimeError, match="default index 2"):
        made.set_default_index(2)


def test_inserting_moves_what_is_behind():
    made = Vocab(["a", "b"])
    made.insert_token("n", 1)
    made.append_token("z")
    assert made.get_itos() == ["a", "n", "b", "z"]
    assert made(["b", "z"]) == [2, 3]
    with pytest.raises(RuntimeError, match="'n' is in the vocabulary already"):
        made.append_token("n")
    with pytest.raises(RuntimeError, match="outside of 0 to 4"):
        made.insert_token("q", 9)
    with pytest.raises(RuntimeError, match="index 4 is outside of a vocabulary of 4"):
        made.lookup_token(4)
    with pytest.raises(RuntimeError, match="index -1"):
        made.lookup_token(-1)
    with pytest.raises(TypeError, match="a token is a str, got int"):
        made.append_token(3)


def test_saved_and_read_again(tmp_path):
    made = Vocab(["[UNK]", "ü", " ", "##s"], default_index=0)
    made.save(tmp_path / "vocab.txt")
    assert (tmp_path / "vocab.txt").read_bytes() == "[UNK]\nü\n \n##s\n".encode()
    assert Vocab.load(tmp_path / "vocab.txt", unknown="[UNK]") == made


def test_files_that_are_no_vocabularies(tmp_path):
    file = tmp_path / "vocab.txt"
    file.write_text("a\nb\na\n")
    with pytest.raises(RuntimeError, match=r"vocab\.txt: line 3: token 'a' is there already"):
        Vocab.load(file)
    file.write_text("a\nb\n")
    with pytest.raises(RuntimeError, match=r"vocab\.txt: .*'\[UNK\]', is missing"):
        Vocab.load(file, unknown="[UNK]")
    file.write_bytes(b"a\n\xff\n")
    with pytest.raises(RuntimeError, match=r"vocab\.txt: byte 2 is not UTF-8"):
        Vocab.load(file)
    with pytest.raises(ValueError, match="has a newline"):
        Vocab(["a\nb"]).save(file)
