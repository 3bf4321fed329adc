"""Which system account PostgreSQL runs under, and what that account must be able to reach."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import StorageUnavailable

ACCOUNT_NAME = "pgserver"
"""PostgreSQL refuses to run as root; where the desk does, its server runs as this user."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system account other than the desk's own."""

    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Give `folder` itself to the account."""
        os.chown(folder, self.uid, self.gid)

    def open_way_to(self, path: Path, say: Callable[[str], None]) -> bool:
        """Let the account pass through the folders above `path`: pass through, not list or read.

        Returns whether something was in its way.
        """
        was_closed = False
        for folder in reversed(path.parents):
            status = folder.stat()
            if status.st_uid == self.uid or status.st_mode & stat.S_IXOTH:
                continue
            if status.st_gid == self.gid and status.st_mode & stat.S_IXGRP:
                continue
            say(f"letting user {ACCOUNT_NAME} pass through {folder} (chmod o+x)")
            folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
            was_closed = True
        return was_closed

    def open_tree(self, folder: Path, say: Callable[[str], None]) -> None:
        """Let the account read what is under `folder` (an installation made with a tight umask)."""
        if folder.stat().st_mode & stat.S_IROTH and folder.stat().st_mode & stat.S_IXOTH:
            return
        say(f"letting user {ACCOUNT_NAME} read {folder} (chmod o+rX)")
        for path in (folder, *folder.rglob("*")):
            if path.is_symlink():
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            runnable = path.is_dir() or mode & stat.S_IXUSR
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if runnable else 0))


def account_for_postgres() -> Account | None:
    """Return the account PostgreSQL needs, or None when it can run as the desk's own user."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        entry = _create()
    return Account(entry.pw_uid, entry.pw_gid)


def _create() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    advice = (
        f"create a system user {ACCOUNT_NAME}, run the desk as a user other than root, "
        "or set DATABASE_URL"
    )
    if useradd is None:
        raise StorageUnavailable(
            f"PostgreSQL does not run as root, and useradd is missing: {advice}"
        )
    made = subprocess.run(  # noqa: S603
        [useradd, "--system", "--user-group", "--shell", "/usr/sbin/nologin", ACCOUNT_NAME],
        capture_output=True,
        text=True,
        check=False,
    )
    try:  # another process may have been first
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        raise StorageUnavailable(
            f"PostgreSQL does not run as root, and user {ACCOUNT_NAME} could not be created "
            f"({made.stderr.strip()}): {advice}"
        ) from None
