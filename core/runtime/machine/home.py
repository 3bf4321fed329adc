"""Where things lie in the desk's home folder, and what a running desk writes down about itself."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds everything a desk keeps."""

    root: Path  # absolute

    @classmethod
    def at(cls, path: Path) -> Home:
        """Return the home at `path`, made if missing."""
        home = cls(Path(os.path.abspath(path)))  # noqa: PTH100  symbolic links are kept as given
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (home.logs, home.models):
            folder.mkdir(mode=0o700, exist_ok=True)
        return home

    @property
    def logs(self) -> Path:
        """Return the folder of the log files, one for each process."""
        return self.root / "logs"

    @property
    def models(self) -> Path:
        """Return the folder of the assistant's trained models."""
        return self.root / "models"

    @property
    def postgres(self) -> Path:
        """Return the data folder of the embedded PostgreSQL."""
        return self.root / "postgres"

    @property
    def run_lock(self) -> Path:
        """Return the file that `desk run` holds locked while it lives."""
        return self.root / "run.lock"

    @property
    def run_file(self) -> Path:
        """Return the file in which `desk run` says what it runs, and where."""
        return self.root / "run.json"

    @property
    def receivers_wanted(self) -> Path:
        """Return the file that is there while some account's platform has to be asked for news."""
        return self.root / "receivers-wanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a running `desk run` tells other commands of the same home."""

    pid: int
    address: str  # of its web server, on this machine
    public_url: str  # where people reach it
    database_url: str
    bot_url: str
    embedder_url: str

    def write(self, home: Home) -> None:
        """Put the record where `read` finds it, whole or not at all."""
        fresh = home.root / f".run.{os.getpid()}.json"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(self), indent=2) + "\n")
        fresh.replace(home.run_file)

    @classmethod
    def read(cls, home: Home) -> RunRecord | None:
        """Return the record last written, or None; its writer may be gone."""
        try:
            return cls(**json.loads(home.run_file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):  # written by another release
            return None
