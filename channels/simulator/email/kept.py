"""A folder of mails, one file each, numbered as they passed the mail server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from channels.simulator.email.server import Taken

_OF_DESK = "desk"
_NAME = re.compile(r"(\d+)-from-(.+)\.eml")
_UNSAFE = re.compile(r"[^A-Za-z0-9@.+_-]")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A mail in the folder."""

    path: Path
    recipients: tuple[str, ...]  # whom it was delivered to, blind copies included
    mail: EmailMessage


class KeptMail:
    """What passed a mail server; another process may read while the server writes."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when the first mail is kept."""
        self.folder = folder

    def keep(self, taken: Taken, *, is_of_desk: bool) -> Path:
        """Write `taken` to a file of its own, with its envelope above its headers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = (int(found[1]) for found in map(_NAME.fullmatch, self._names()) if found)
        number = max(numbers, default=0) + 1
        author = _OF_DESK if is_of_desk else _UNSAFE.sub("_", taken.sender)[:_LONGEST_NAME]
        path = self.folder / f"{number:05d}-from-{author or 'nobody'}.eml"
        envelope = [f"Return-Path: <{taken.sender}>\r\n"]
        envelope += [f"Delivered-To: {recipient}\r\n" for recipient in taken.recipients]
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes("".join(envelope).encode("utf-8", "surrogateescape") + taken.raw)
        unfinished.rename(path)
        return path

    def last_of_desk(self, person: str | None = None) -> Kept | None:
        """Return the last mail of the desk (to `person`, where given), or None."""
        for name in self._names():
            found = _NAME.fullmatch(name)
            if found is None or found[2] != _OF_DESK:
                continue
            kept = self._read(self.folder / name)
            if person is None or person.lower() in map(str.lower, kept.recipients):
                return kept
        return None

    def _names(self) -> Iterator[str]:
        """Yield the names of all files, the latest first."""
        yield from sorted((path.name for path in self.folder.glob("*.eml")), reverse=True)

    @staticmethod
    def _read(path: Path) -> Kept:
        mail = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)
        recipients = tuple(str(value).strip() for value in mail.get_all("Delivered-To", ()))
        return Kept(path=path, recipients=recipients, mail=mail)
