"""The command line: a model that learns to write, and what cannot be done."""

import re

from dispatch_text.__main__ import documentation, main, prose


def test_the_demo_learns_and_writes(tmp_path, capsys):
    file = tmp_path / "text.txt"
    file.write_text("the cat sat on the mat. the dog ran in the garden. " * 200)
    arguments = ["demo", "--text", str(file), "--steps", "12", "--length", "40", "--prompt", "the "]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    before, after = (float(n) for n in re.findall(r"training: ([\d.]+)", out))
    assert after < before
    assert "step    12  loss" in out
    written = out.splitlines()[-1]
    assert written.startswith("the ")
    assert len(written) >= 40


def test_it_has_real_text():
    articles = documentation()
    assert sum(map(len, articles)) > 100_000
    paragraphs = [p for article in prose(articles) for p in article]
    assert any("statement is used" in p for p in paragraphs)
    assert not any("::=" in p for p in paragraphs)


def test_what_cannot_be_done_is_said(tmp_path, capsys):
    file = tmp_path / "short.txt"
    file.write_text("too short")
    assert main(["demo", "--text", str(file)]) == 2
    assert "ValueError: the text has 9 characters" in capsys.readouterr().err
    assert main(["search", str(tmp_path), "x"]) == 2
    assert "config.json" in capsys.readouterr().err
    assert main(["demo", "--text", str(tmp_path / "none")]) == 2
