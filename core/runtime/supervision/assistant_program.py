"""Where the assistant's own program lies, and how it is trained and started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.runtime.supervision.child import NotStarted, run_to_end

_REPOSITORY = Path(__file__).parents[3]
_MODEL_SUFFIX = ".tar.gz"
_KEPT_FROM_IT = ("DATABASE_URL", "DESK_SECRET_KEY")
"""Secrets of the desk that the assistant, a program with old libraries, has no use for."""


@dataclass(frozen=True, slots=True)
class AssistantProgram:
    """The Rasa project in `bot/`, with a Python of its own."""

    folder: Path = _REPOSITORY / "bot"

    @property
    def python(self) -> Path:
        """Return the interpreter of the assistant's virtual environment."""
        return self.folder / ".venv" / "bin" / "python"

    @property
    def missing(self) -> str | None:
        """Return what the machine lacks to run the assistant, or None."""
        if not (self.folder / "main.py").exists():
            return f"there is no assistant in {self.folder}: run the desk from its repository"
        if not self.python.exists():
            return "the assistant is not installed: run `uv sync --project bot`, or `make run`"
        return None

    def train_command(self, into: Path) -> Sequence[str]:
        """Return the command that prints, as its last line, the path of an up-to-date model."""
        return (str(self.python), str(self.folder / "main.py"), "train", "--into", str(into))

    def serve_command(self, model: str, port: int) -> Sequence[str]:
        """Return the command that answers turns on a port of this machine."""
        address = ("--host", "127.0.0.1", "--port", str(port))
        main = str(self.folder / "main.py")
        return (str(self.python), main, "serve", "--model", model, *address)

    def environment(self, base: Mapping[str, str], **extra: str) -> dict[str, str]:
        """Return the environment of the assistant, without the desk's secrets."""
        kept = {name: value for name, value in base.items() if name not in _KEPT_FROM_IT}
        return kept | extra

    async def model(
        self, into: Path, *, environment: Mapping[str, str], log: Path, say: Callable[[str], None]
    ) -> str:
        """Return the path of an up-to-date model, trained if an input changed.

        Raises:
            NotStarted: there is none; the message says where to look.
        """
        last = ""

        def heard(line: str) -> None:
            nonlocal last
            last = line.strip()
            if last and not last.endswith(_MODEL_SUFFIX):
                say(last)

        code = await run_to_end(
            self.train_command(into), environment=environment, log=log, heard=heard
        )
        if code != 0 or not last.endswith(_MODEL_SUFFIX):
            raise NotStarted(f"training failed (exit code {code}, log: {log})")
        return last
