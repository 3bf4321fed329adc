"""What a process does about its memory: gives back what it does not need, settles with the rest."""

from __future__ import annotations

import ctypes
import gc
import re
from pathlib import Path

_MAPPINGS = Path("/proc/self/smaps")
_MADV_DONTNEED = 4  # Linux, madvise(2)
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)")


def give_back() -> None:
    """Return what a start, or a run of work, left in memory and the next request does not need.

    That is the pieces between what is still used (glibc gives back by itself only what lies at the
    end of its heap), and the pages of mapped files: of the libraries that starting read, and of the
    embedder's model, most are not read again. Does on each system what it can.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    give_back_files()


def settle() -> None:
    """Take what a start left in memory for what stays: the garbage collector looks at it no more.

    A full collection held all requests of a web server up for a fifth of a second, every ten to
    twenty pages, most of it to find that what was imported is still in use. For processes that
    are settled once, at the end of their start.
    """
    gc.collect()
    gc.freeze()


def give_back_files() -> int:
    """Give back the pages of files mapped for reading; a page that is read again comes back.

    Mappings into which this process has written are left alone, as their pages would be lost: a
    library's tables of addresses are written when it is loaded, and are read-only afterwards.
    Returns how many bytes were in memory; does nothing but on Linux.
    """
    if not _MAPPINGS.exists():
        return 0
    library = ctypes.CDLL(None, use_errno=True)
    given = 0
    for first, end, resident in _clean_files(_MAPPINGS.read_text()):
        if library.madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), _MADV_DONTNEED):
            continue  # locked in memory, say
        given += resident
    return given


def _clean_files(smaps: str) -> list[tuple[int, int, int]]:
    """Return begin, end and resident bytes of each mapping of a file that was never written to."""
    found: list[tuple[int, int, int]] = []
    place = (0, 0, 0)
    is_file = False
    for line in smaps.splitlines():
        if head := _HEAD.match(line):
            place = (int(head[1], 16), int(head[2], 16), 0)
            is_file = "w" not in head[3] and head[4] != "0"
        elif line.startswith("Rss:"):
            place = (*place[:2], int(line.split()[1]) * 1024)
        elif line.startswith("Anonymous:") and is_file and int(line.split()[1]) == 0:
            found.append(place)
    return found
