"""What a report on somebody else's labels counts, and which files it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from intent_evaluation import BadLine, Example, figures, main, read


def test_a_message_held_to_be_out_of_scope_is_misunderstood() -> None:
    found = figures(["a", "a", "b", None, None], ["a", None, "b", None, "a"])
    assert found["accuracy_in_scope"] == 0.6667
    assert found["oos_recall"] == 0.5
    assert found["oos_precision"] == 0.5


def test_a_perfect_report() -> None:
    found = figures(["a", "b", None], ["a", "b", None])
    assert set(found.values()) == {1.0}


def test_shares_of_nothing_are_zero() -> None:
    assert figures(["a", "b"], ["a", "b"])["oos_recall"] == 0.0
    assert figures([None], [None])["macro_f1"] == 0.0


def test_lines_are_read_and_slashes_mean_nothing(tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text('{"text": "hi [x](y)", "intent": "a/b"}\n\n{"text": "?", "intent": null}\n')
    assert read(file) == [Example("hi [x](y)", "a_b"), Example("?", None)]


@pytest.mark.parametrize("line", ["{", "[]", '{"text": "x"}', '{"text": 1, "intent": "a"}'])
def test_another_line_is_refused_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text('{"text": "x", "intent": "a"}\n' + line)
    with pytest.raises(BadLine, match=r"some\.jsonl:2"):
        read(file)
    assert main(["--train", str(file), "--test", str(file)]) == 1
    assert "some.jsonl:2" in capsys.readouterr().err


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.touch()
    with pytest.raises(BadLine, match="no examples"):
        read(file)
