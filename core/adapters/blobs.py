"""The blob store on obstore: a local folder or an S3-compatible bucket, by address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from core.domain.errors import InvalidInput, NotFound, StorageUnavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PIECE_BYTES = 256 * 1024


class ObjectBlobs:
    """Implements `core.ports.FileStore`."""

    def __init__(self, open_store: Callable[[], ObjectStore]) -> None:
        self._open_store = open_store

    @classmethod
    def at(cls, location: str) -> ObjectBlobs:
        """Open the store at `location`: a folder, `file:///folder` or `s3://bucket/prefix`.

        S3 credentials and endpoint come from the usual `AWS_…` variables.
        """
        parts = urlsplit(location)
        if parts.scheme in {"", "file"}:
            folder = Path(unquote(parts.path) if parts.scheme else location)
            # Where the desk runs as root, others may pass through its home (postgres_account.py).
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(lambda: _folder(folder))
        if parts.scheme == "s3":
            bucket = _bucket(location)  # at once, so that a wrong setting is known at the start
            return cls(lambda: bucket)
        raise InvalidInput(f"a blob store is a folder or s3://bucket, not {location!r}")

    @cached_property
    def _store(self) -> ObjectStore:
        """Return the store, opened for the first file: the library costs a process 4 MB."""
        return self._open_store()

    async def put(self, key: str, content: bytes) -> None:
        """See `core.ports.BlobStore.put`."""
        await self._put(key, content)

    async def put_file(self, key: str, path: Path) -> None:
        """See `core.ports.FileStore.put_file`."""
        await self._put(key, path)

    async def delete(self, key: str) -> None:
        """See `core.ports.FileStore.delete`."""
        try:
            with _faults(key, "the blob store deletes nothing"):
                await self._store.delete_async(key)
        except NotFound:
            return

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """See `core.ports.FileStore.stream`."""
        with _faults(key, "the blob store cannot be read"):
            found = await self._store.get_async(key)
            async for piece in found.stream(_PIECE_BYTES):
                yield bytes(piece)

    async def get(self, key: str) -> bytes:
        """See `core.ports.BlobStore.get`."""
        with _faults(key, "the blob store cannot be read"):
            found = await self._store.get_async(key)
            return bytes(await found.bytes_async())

    async def _put(self, key: str, content: bytes | Path) -> None:
        with _faults(key, "the blob store does not take files"):
            await self._store.put_async(key, content)


def _folder(folder: Path) -> ObjectStore:
    from obstore.store import LocalStore

    return LocalStore(folder)


def _bucket(url: str) -> ObjectStore:
    from obstore.store import from_url

    return from_url(url)


@contextmanager
def _faults(key: str, unavailable: str) -> Iterator[None]:
    """Tell what the library raises in the desk's errors.

    Raises:
        NotFound: there is no blob `key`.
        StorageUnavailable: anything else, in the words of `unavailable`.
    """
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound(f"no blob {key}") from None
    except BaseError as error:
        raise StorageUnavailable(unavailable) from error
