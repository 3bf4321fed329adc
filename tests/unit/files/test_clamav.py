"""The virus scanner's adapter speaks with a daemon, and knows when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.adapters.clamav import Clamd
from core.domain.errors import InvalidInput, ScannerUnavailable, TooLarge
from tests.unit.files.clamd import EICAR, clamd


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"harmless" * 20_000)
    return path


async def test_a_harmless_file_passes(file: Path) -> None:
    async with clamd() as (_, location):
        assert await Clamd(location).scan(file) is None


async def test_a_virus_is_named(file: Path) -> None:
    file.write_bytes(b"words before" + EICAR)
    async with clamd() as (_, location):
        assert await Clamd(location).scan(file) == "Eicar-Test-Signature"


async def test_a_socket_of_the_machine_serves_as_well(file: Path, tmp_path: Path) -> None:
    async with clamd(tmp_path / "s") as (_, location):
        scanner = Clamd(location)
        assert await scanner.is_ready()
        assert await scanner.scan(file) is None


async def test_a_daemon_that_is_away_is_not_ready(file: Path) -> None:
    async with clamd() as (_, location):
        scanner = Clamd(location)
        assert await scanner.is_ready()
    assert not await scanner.is_ready()
    with pytest.raises(ScannerUnavailable, match="no virus scanner answers"):
        await scanner.scan(file)


async def test_a_daemon_that_cannot_scan_is_as_good_as_away(file: Path) -> None:
    async with clamd() as (daemon, location):
        daemon.is_broken = True
        with pytest.raises(ScannerUnavailable, match="allocate"):
            await Clamd(location).scan(file)


async def test_a_file_that_the_daemon_does_not_take_is_too_large(file: Path) -> None:
    async with clamd() as (daemon, location):
        daemon.max_stream_bytes = 150_000
        with pytest.raises(TooLarge):
            await Clamd(location).scan(file)


@pytest.mark.parametrize("location", ["clamav", "", "host:", "host:port"])
def test_a_location_is_an_address_or_a_path(location: str) -> None:
    with pytest.raises(InvalidInput, match="host:port"):
        Clamd(location)
