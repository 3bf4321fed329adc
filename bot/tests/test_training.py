"""When a model is trained again, and which are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import training


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.yml").write_text("a")
    monkeypatch.setattr(training, "_INPUTS", ((tmp_path, "data/**/*.yml"),))
    return tmp_path / "data"


def test_the_fingerprint_follows_content_and_names(inputs: Path) -> None:
    seen = {training.fingerprint()}
    (inputs / "a.yml").write_text("b")
    seen.add(training.fingerprint())
    (inputs / "a.yml").rename(inputs / "b.yml")
    seen.add(training.fingerprint())
    (inputs / "c.yml").write_text("b")
    seen.add(training.fingerprint())
    assert len(seen) == 4


def test_the_fingerprint_does_not_follow_other_files(inputs: Path) -> None:
    before = training.fingerprint()
    (inputs / "notes.txt").write_text("x")
    assert training.fingerprint() == before


def test_every_input_of_the_model_exists() -> None:
    for root, pattern in training._INPUTS:
        assert list(root.glob(pattern)), pattern


def test_a_failed_training_says_where_to_read_why_and_leaves_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(scratch: Path) -> Path:
        os.write(1, b"the reason\n")
        raise ValueError("bad data")

    monkeypatch.setattr(training, "_train", fails)
    with pytest.raises(training.TrainingFailed, match=r"train\.log"):
        training.model_in(tmp_path)
    assert "the reason" in (tmp_path / "train.log").read_text()
    assert not list(tmp_path.glob("*.tar.gz"))


def test_the_three_newest_models_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age in range(1, 6):
        old = tmp_path / f"old-{age}.tar.gz"
        old.touch()
        os.utime(old, (1_000_000 - age, 1_000_000 - age))

    def trains(scratch: Path) -> Path:
        made = scratch / "model.tar.gz"
        made.touch()
        return made

    monkeypatch.setattr(training, "_train", trains)
    made = training.model_in(tmp_path)
    kept = {path.name for path in tmp_path.glob("*.tar.gz")}
    assert kept == {made.name, "old-1.tar.gz", "old-2.tar.gz"}
