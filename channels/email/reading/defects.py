"""What is wrong with a mail, noted while it is read."""

from __future__ import annotations

from collections.abc import Iterator

_MOST = 100


class Defects:
    """A list that does not repeat itself, and does not grow without end."""

    def __init__(self) -> None:
        self._noted: dict[str, None] = {}
        self.is_over_limits = False

    def note(self, words: str) -> None:
        """Note `words`, a few words of English."""
        if len(self._noted) < _MOST:
            self._noted[words] = None

    def over_limits(self, words: str) -> None:
        """Note that part of the mail is not read, because it is built to be too much."""
        self.note(words)
        self.is_over_limits = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._noted)
