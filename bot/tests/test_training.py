"""When a model is trained again, and which are kept."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import training
from lessons import Example, Lessons, choose, in_training, is_in_training, keep


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
    def fails(scratch: Path, lessons: Lessons) -> Path:
        os.write(1, b"the reason\n")
        raise ValueError("bad data")

    monkeypatch.setattr(training, "_train", fails)
    with pytest.raises(training.TrainingFailed, match=r"train\.log"):
        training.model_in(tmp_path)
    assert "the reason" in (tmp_path / "train.log").read_text()
    assert not list(tmp_path.glob("*.tar.gz"))


def test_rasa_takes_no_digests_for_its_cache_while_a_model_is_made_and_does_afterwards() -> None:
    from rasa.engine.training import graph_trainer
    from rasa.engine.training.hooks import TrainingHook

    def fails() -> None:
        with training._replaced(graph_trainer, "TrainingHook", training._nothing_cached()):
            hook = graph_trainer.TrainingHook(cache=None, model_storage=None, pruned_schema=None)
            found = hook.on_before_node(
                node_name="any", execution_context=None, config={}, received_inputs={}
            )
            assert found == {}
            raise ValueError("bad data")

    with pytest.raises(ValueError, match="bad data"):
        fails()
    assert graph_trainer.TrainingHook is TrainingHook


def test_the_five_newest_models_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age in range(1, 8):
        old = tmp_path / f"old-{age}.tar.gz"
        old.touch()
        os.utime(old, (1_000_000 - age, 1_000_000 - age))

    def trains(scratch: Path, lessons: Lessons) -> Path:
        made = scratch / "model.tar.gz"
        made.touch()
        return made

    monkeypatch.setattr(training, "_train", trains)
    made = training.model_in(tmp_path)
    kept = {path.name for path in tmp_path.glob("*.tar.gz")}
    assert kept == {made.name, *(f"old-{age}.tar.gz" for age in range(1, 5))}


def test_the_model_of_what_was_taught_is_another_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trains(scratch: Path, lessons: Lessons) -> Path:
        made = scratch / "model.tar.gz"
        made.touch()
        return made

    monkeypatch.setattr(training, "_train", trains)
    taught = Lessons(name="0" * 16, examples=(Example(text="ta", intent="thanks", language="en"),))
    keep(tmp_path, taught)
    choose(tmp_path, taught.name)
    assert training.chosen_lessons(tmp_path) == taught
    model = training.model_in(tmp_path, taught)
    assert model != training.model_in(tmp_path)
    os.utime(model, (1, 1))
    for age in range(1, 8):
        (tmp_path / f"new-{age}.tar.gz").touch()
    training._forget_all_but_newest(tmp_path)
    assert model.exists()


def test_examples_of_an_intent_that_is_gone_are_left_out(tmp_path: Path) -> None:
    gone = Example(text="ta", intent="a_former_intent", language="en")
    keep(tmp_path, Lessons(name="0" * 16, examples=(gone,)))
    choose(tmp_path, "0" * 16)
    assert training.chosen_lessons(tmp_path).examples == ()


def test_what_a_killed_training_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / ".training-in-killed"
    (left / "cache").mkdir(parents=True)
    there: list[bool] = []

    def trains(scratch: Path, lessons: Lessons) -> Path:
        there.append(left.exists())
        made = scratch / "model.tar.gz"
        made.touch()
        return made

    monkeypatch.setattr(training, "_train", trains)
    with in_training(tmp_path, "0" * 16):  # as where a set is learned
        training.model_in(tmp_path)
        assert is_in_training(tmp_path, "0" * 16)
    assert there == [False]
    assert not list(tmp_path.glob(".training-in-*"))


def test_two_trainings_at_once_train_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[Path] = []
    both_began = Barrier(2)

    def trains(scratch: Path, lessons: Lessons) -> Path:
        trained.append(scratch)
        made = scratch / "model.tar.gz"
        made.touch()
        return made

    def trained_model() -> Path:
        both_began.wait(timeout=10)
        return training.model_in(tmp_path)

    monkeypatch.setattr(training, "_train", trains)
    with ThreadPoolExecutor(2) as pool:
        made = {future.result() for future in [pool.submit(trained_model) for _ in range(2)]}
    assert len(made) == 1 and len(trained) == 1
