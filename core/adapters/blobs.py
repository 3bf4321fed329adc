"""The blob store on obstore: a local folder or an S3-compatible bucket, by address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from core.domain.errors import InvalidInput, NotFound, StorageUnavailable

_PIECE_BYTES = 256 * 1024


class ObjectBlobs:
    """Implements `core.ports.FileStore`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def at(cls, location: str) -> ObjectBlobs:
        """Open the store at `location`: a folder, `file:///folder` or `s3://bucket/prefix`.

        S3 credentials and endpoint come from the usual `AWS_…` variables.
        """
        parts = urlsplit(location)
        if parts.scheme in {"", "file"}:
            folder = Path(unquote(parts.path) if parts.scheme else location)
            folder.mkdir(parents=True, exist_ok=True)
            return cls(LocalStore(folder))
        if parts.scheme == "s3":
            return cls(from_url(location))
        raise InvalidInput(f"a blob store is a folder or s3://bucket, not {location!r}")

    async def put(self, key: str, content: bytes) -> None:
        """See `core.ports.BlobStore.put`."""
        try:
            await self._store.put_async(key, content)
        except BaseError as error:
            raise StorageUnavailable("the blob store does not take files") from error

    async def put_file(self, key: str, path: Path) -> None:
        """See `core.ports.FileStore.put_file`."""
        try:
            await self._store.put_async(key, path)
        except BaseError as error:
            raise StorageUnavailable("the blob store does not take files") from error

    async def delete(self, key: str) -> None:
        """See `core.ports.FileStore.delete`."""
        try:
            await self._store.delete_async(key)
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as error:
            raise StorageUnavailable("the blob store deletes nothing") from error

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """See `core.ports.FileStore.stream`."""
        try:
            found = await self._store.get_async(key)
            async for piece in found.stream(_PIECE_BYTES):
                yield bytes(piece)
        except (NotFoundError, FileNotFoundError):
            raise NotFound(f"no blob {key}") from None
        except BaseError as error:
            raise StorageUnavailable("the blob store cannot be read") from error

    async def get(self, key: str) -> bytes:
        """See `core.ports.BlobStore.get`."""
        try:
            found = await self._store.get_async(key)
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise NotFound(f"no blob {key}") from None
        except BaseError as error:
            raise StorageUnavailable("the blob store cannot be read") from error
