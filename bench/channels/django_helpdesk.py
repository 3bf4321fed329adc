"""django-helpdesk in an environment of its own, and its command that reads a mailbox."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from bench.machine import REPOSITORY

_PROJECT = Path(__file__).parent / "in_helpdesk"
_PACKAGES = ("django-helpdesk", "psycopg[binary]")


class HelpdeskFailed(RuntimeError):
    """A command of the environment failed; the message ends with what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A folder on an IMAP server on this machine, without TLS."""

    port: int
    user: str
    password: str
    folder: str


class DjangoHelpdesk:
    """An installation that reads one mailbox; its database is empty until `prepare`."""

    def __init__(self, folder: Path, database_url: str, mailbox: Mailbox) -> None:
        self._venv = folder / "django-helpdesk"
        self._folder = folder
        parts = conninfo_to_dict(database_url)
        self._environment = {
            "PYTHONPATH": str(_PROJECT),
            "DJANGO_SETTINGS_MODULE": "helpdesk_settings",
            "HELPDESK_HOME": str(folder),
            "HELPDESK_DB_NAME": str(parts["dbname"]),
            "HELPDESK_DB_HOST": str(parts.get("host", "")),
            "HELPDESK_DB_PORT": str(parts.get("port", "")),
            "HELPDESK_DB_USER": str(parts.get("user", "")),
            "HELPDESK_DB_PASSWORD": str(parts.get("password", "")),
            "HELPDESK_IMAP_PORT": str(mailbox.port),
            "HELPDESK_IMAP_USER": mailbox.user,
            "HELPDESK_IMAP_PASSWORD": mailbox.password,
            "HELPDESK_IMAP_FOLDER": mailbox.folder,
        }

    async def install(self) -> str:
        """Install it from PyPI, if it is not; return the versions."""
        uv = shutil.which("uv") or str(REPOSITORY / ".setup" / "bin" / "uv")
        if not self._python.exists():
            await self._run(uv, "venv", "--python", sys.executable, str(self._venv))
        at = ("--python", str(self._python))
        await self._run(uv, "pip", "install", "--quiet", *at, *_PACKAGES)
        listed = await self._run(uv, "pip", "freeze", *at)
        wanted = ("django==", "django-helpdesk==", "psycopg==")
        found = [line.replace("==", " ") for line in listed.split() if line.startswith(wanted)]
        return ", ".join(found)

    async def prepare(self) -> None:
        """Make its schema and its queue."""
        await self._run(str(self._python), "-m", "django", "migrate", "--verbosity", "0")
        await self._run(str(self._python), str(_PROJECT / "helpdesk_queue.py"))

    async def get_email(self) -> None:
        """Take in what is in the mailbox, and return."""
        await self._run(str(self._python), "-m", "django", "get_email", "--quiet")

    @property
    def _python(self) -> Path:
        return self._venv / "bin" / "python"

    async def _run(self, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._folder,
            env={**os.environ, **self._environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode != 0:
            said = (output + errors).decode(errors="replace")[-2_000:]
            raise HelpdeskFailed(f"{' '.join(command)} failed:\n{said}")
        return output.decode()
