"""What a desk keeps is for its own account alone, also where others may pass through its home."""

from __future__ import annotations

import stat
from pathlib import Path

from core.adapters.blobs import ObjectBlobs
from core.runtime.machine.home import Home


def test_folders_that_are_made_are_closed_to_other_accounts(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    blobs = home.root / "blobs"
    ObjectBlobs.at(str(blobs))
    for folder in (home.root, home.logs, home.models, blobs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
