from __future__ import annotations

import ctypes
import gc
import mmap
import re
from pathlib import Path

import pytest

from core.runtime.machine.memory import give_back_files, settle

SIZE = 64 * mmap.PAGESIZE

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps").exists(), reason="tells memory as Linux does"
)


def resident(file: Path) -> int:
    """Return how many bytes of the mapped `file` are in memory."""
    smaps = Path("/proc/self/smaps").read_text()
    found = re.search(rf"{re.escape(str(file))}\n(?:.*\n)*?Rss:\s+(\d+) kB", smaps)
    assert found is not None
    return int(found.group(1)) * 1024


def test_pages_are_given_back_and_read_again_when_needed(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights " * (SIZE // 8))
    written = file.read_bytes()
    with (
        file.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as mapped,
    ):
        assert mapped[:] == written
        assert resident(file) == SIZE
        assert give_back_files() >= SIZE
        assert resident(file) == 0
        assert mapped[:] == written


def test_what_was_written_into_a_mapping_stays(tmp_path: Path) -> None:
    file = tmp_path / "library.so"
    file.write_bytes(b"address " * (SIZE // 8))
    with (
        file.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, flags=mmap.MAP_PRIVATE) as mapped,
    ):
        mapped[:4] = b"here"
        protect = ctypes.CDLL(None).mprotect
        begin = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        assert protect(ctypes.c_void_p(begin), ctypes.c_size_t(SIZE), mmap.PROT_READ) == 0
        give_back_files()
        assert mapped[:8] == b"hereess "


def test_what_was_there_at_the_start_is_not_looked_at_again() -> None:
    kept: list[list[int]] = [[] for _ in range(1000)]
    try:
        settle()
        assert gc.get_freeze_count() > len(kept)
        looked_at = {id(one) for one in gc.get_objects()}
        assert not looked_at & {id(one) for one in kept}
    finally:
        gc.unfreeze()
