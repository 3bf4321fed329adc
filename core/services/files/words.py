"""What people are told whose file was not taken in; English, the keys of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.domain.files import FileRefusal, plain_name
from core.texts import text

_R = FileRefusal

TOLD: Mapping[FileRefusal, str] = MappingProxyType(
    {
        _R.EMPTY: "Your file {name} came empty. Please send it again.",
        _R.TOO_LARGE: "We could not take your file {name}: it is too large.",
        _R.DISGUISED: "We could not take your file {name}: it is not what its name says.",
        _R.EXECUTABLE: "We could not take your file {name}: it is a program or a script.",
        _R.ARCHIVE_BOMB: "We could not take your file {name}: it unpacks to far too much.",
        _R.DAMAGED_ARCHIVE: "We could not take your file {name}: the archive is damaged.",
        _R.ACTIVE_PICTURE: "We could not take your file {name}: it is more than a picture.",
        _R.HUGE_PICTURE: "We could not take your file {name}: the picture is too large.",
        _R.INFECTED: "We could not take your file {name}: it may be harmful.",
    }
)


def told(reason: FileRefusal, name: str, language: str | None) -> str:
    """Return what to tell a sender, in their language; the file's name stands as code.

    So nothing in a name is taken for markup.
    """
    quoted = "`{}`".format(plain_name(name).replace("`", "'"))
    return text(language, TOLD[reason], name=quoted)
