"""Data sets written here in their published formats, and files that are not."""

import json

import pytest

from dispatch_text.datasets import (
    AG_NEWS,
    IMDB,
    SST2,
    CoNLL,
    CoNLL2000Chunking,
    CoNLL2003,
    SQuAD,
    WikiText2,
    WikiText103,
    Windows,
)


def test_ag_news(tmp_path):
    rows = '"3","Oil ""up""","Prices rose, again\\again"\n"1","Vote","Two\nlines"\n'
    (tmp_path / "train.csv").write_text(rows)
    data = AG_NEWS(tmp_path)
    assert len(data) == 2
    assert data[0] == (3, 'Oil "up" Prices rose, again\\again')
    assert data[-1] == (1, "Vote Two\nlines")
    assert AG_NEWS.classes[data[0][0] - 1] == "Business"
    assert AG_NEWS(tmp_path / "train.csv", transform=lambda s: s[0])[1] == 1
    with pytest.raises(IndexError, match="sample 2 of 2"):
        data[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"1","a"\n', "line 1: 2 fields, expected class, title and description"),
        ('"1","a","b"\n"9","a","b"\n', "line 2: class '9'"),
        ('"1","a","b\n', "line 1: unexpected end of data"),
        ("", "no rows"),
    ],
)
def test_ag_news_that_is_none(tmp_path, text, said):
    (tmp_path / "test.csv").write_text(text)
    with pytest.raises(RuntimeError, match=rf"test\.csv: {said}"):
        AG_NEWS(tmp_path, "test")


def test_missing_files_and_splits(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"train\.csv nor ag_news_csv/train\.csv.*downloads nothing"
    ):
        AG_NEWS(tmp_path)
    with pytest.raises(ValueError, match="AG_NEWS has the splits train, test, got 'dev'"):
        AG_NEWS(tmp_path, "dev")


def test_imdb(tmp_path):
    for name, text in (
        ("neg/0_2.txt", "Dull."),
        ("pos/0_9.txt", "Fine.\r\nAnd läuft."),
        ("pos/1_8.txt", "Good."),
    ):
        file = tmp_path / "aclImdb" / "test" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    data = IMDB(tmp_path, "test")
    assert list(data) == [(1, "Dull."), (2, "Fine.\nAnd läuft."), (2, "Good.")]
    (tmp_path / "aclImdb/test/pos/1_8.txt").write_bytes(b"\xff")
    with pytest.raises(RuntimeError, match=r"1_8\.txt: byte 0 is not UTF-8"):
        data[2]
    (tmp_path / "aclImdb/test/neg/0_2.txt").unlink()
    with pytest.raises(FileNotFoundError, match="neg: no review"):
        IMDB(tmp_path, "test")


def test_sst2(tmp_path):
    (tmp_path / "dev.tsv").write_text('sentence\tlabel\na charm \t1\nso "bad\t0\n')
    (tmp_path / "test.tsv").write_text("index\tsentence\n0\tuneasy mishmash .\n")
    assert list(SST2(tmp_path, "dev")) == [("a charm", 1), ('so "bad', 0)]
    assert list(SST2(tmp_path, "test")) == [("uneasy mishmash .",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label\tsentence\n", "first line must name the columns sentence and label"),
        ("sentence\tlabel\nx\n", "line 2: 1 columns, expected 2"),
        ("sentence\tlabel\nx\t2\n", "line 2: label '2', expected 0 or 1"),
        ("sentence\tlabel\n", "no rows"),
        ("", "first line must name"),
    ],
)
def test_sst2_that_is_none(tmp_path, text, said):
    (tmp_path / "train.tsv").write_text(text)
    with pytest.raises(RuntimeError, match=rf"train\.tsv: .*{said}|train\.tsv: {said}"):
        SST2(tmp_path)


def _squad(context="The cat sat.", start=4, **changed):
    answer = {"text": "cat", "answer_start": start}
    question = {"id": "q1", "question": "Who sat?", "answers": [answer]} | changed
    return {"data": [{"title": "t", "paragraphs": [{"context": context, "qas": [question]}]}]}


def test_squad(tmp_path):
    (tmp_path / "train-v1.1.json").write_text(json.dumps(_squad()))
    (tmp_path / "dev-v2.0.json").write_text(json.dumps(_squad(answers=[], is_impossible=True)))
    (found,) = SQuAD(tmp_path)
    assert found == ("The cat sat.", "Who sat?", ["cat"], [4])
    assert found.context[found.answer_starts[0] :].startswith(found.answers[0])
    assert SQuAD(tmp_path, "dev", version="2.0")[0].answers == []
    with pytest.raises(ValueError, match="version must be"):
        SQuAD(tmp_path, version="3")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_squad(start=5), "question 'q1': the answer 'cat' does not stand at 5"),
        (_squad(start=-8), "does not stand at -8"),
        (_squad(answers=None), "question 'q1': 'answers' must be a list, got NoneType"),
        ({"data": [3]}, "an article: 'paragraphs' must be a list"),
        ({}, "the file: 'data' must be a list"),
        ({"data": []}, "no questions"),
        ([], "expected an object of JSON"),
    ],
)
def test_squad_that_is_none(tmp_path, content, said):
    (tmp_path / "train-v1.1.json").write_text(json.dumps(content))
    with pytest.raises(
        RuntimeError, match=rf"train-v1\.1\.json: .*{said}|train-v1\.1\.json: {said}"
    ):
        SQuAD(tmp_path)


def test_conll(tmp_path):
    (tmp_path / "train.txt").write_text("He PRP B-NP\nran VBD B-VP\n\n\nStop VB B-VP\n")
    data = CoNLL2000Chunking(tmp_path)
    assert list(data) == [
        (["He", "ran"], ["PRP", "VBD"], ["B-NP", "B-VP"]),
        (["Stop"], ["VB"], ["B-VP"]),
    ]
    (tmp_path / "eng.testa").write_text("-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\n")
    assert CoNLL2003(tmp_path, "valid")[0] == (["EU"], ["NNP"], ["B-NP"], ["B-ORG"])
    file = tmp_path / "any.conllu"
    file.write_text("# text = a b\n1\ta b\tX\n2\tc\tY\n")
    assert CoNLL(file)[0] == (["1", "2"], ["a b", "c"], ["X", "Y"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a b c\nd e\n", "line 2: 2 columns, expected 3"),
        ("a\n", "line 1: 1 columns"),
        ("\n\n", "no sentences"),
    ],
)
def test_conll_that_is_none(tmp_path, text, said):
    (tmp_path / "test.txt").write_text(text)
    with pytest.raises(RuntimeError, match=rf"test\.txt: {said}"):
        CoNLL2000Chunking(tmp_path, "test")


def test_wikitext(tmp_path):
    folder = tmp_path / "wikitext-2"
    folder.mkdir()
    (folder / "wiki.valid.tokens").write_text(" \n = Title = \n \n Some <unk> text . \n")
    assert list(WikiText2(tmp_path, "valid")) == ["= Title =", "Some <unk> text ."]
    with pytest.raises(FileNotFoundError, match=r"wikitext-103/wiki\.valid\.tokens"):
        WikiText103(tmp_path, "valid")
    (folder / "wiki.test.tokens").write_text(" \n")
    with pytest.raises(RuntimeError, match=r"wiki\.test\.tokens: no text"):
        WikiText2(tmp_path, "test")


def test_windows():
    data = Windows(range(10), 3)
    assert [(a.tolist(), b.tolist()) for a, b in data] == [
        ([0, 1, 2], [1, 2, 3]),
        ([3, 4, 5], [4, 5, 6]),
        ([6, 7, 8], [7, 8, 9]),
    ]
    assert len(Windows(range(10), 3, stride=2)) == 4
    assert Windows(range(10), 3, stride=2)[-1][1].tolist() == [7, 8, 9]
    with pytest.raises(IndexError, match="window 3 of 3"):
        data[3]
    with pytest.raises(ValueError, match="more than 3 ids"):
        Windows(range(3), 3)
    with pytest.raises(ValueError, match="at least 1"):
        Windows(range(3), 0)
