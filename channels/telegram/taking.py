"""What becomes of an update by itself: it is stored, put aside as not understood, or ignored."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from channels.telegram.fields import Fields
from channels.telegram.parse import read_update
from channels.telegram.reader import Reader
from core.domain.errors import IgnoredPayload, InvalidInput, UnknownPayload
from core.domain.ids import AccountId, RemoteId
from core.ports import Acceptance, Inbox

_log = logging.getLogger(__name__)


async def take(
    account: AccountId, reader: Reader, inbox: Inbox, update: Fields, raw: bytes
) -> Sequence[Acceptance]:
    """Store what `update` says, and with it what was set aside because it had not come yet.

    Returns what became of the update itself.

    Raises:
        StorageUnavailable: nothing was stored; do not acknowledge.
        DeliveryError: Telegram did not tell who the bot is.
    """
    albums = await reader.notice_albums([update])
    became = await _store(account, reader, inbox, update, raw)
    await take_rest(account, reader, inbox, albums)
    return became


async def take_rest(
    account: AccountId, reader: Reader, inbox: Inbox, albums: Iterable[RemoteId]
) -> None:
    """Store what was set aside of `albums`, of which the part that names the bot is stored.

    Raises: as `take` does.
    """
    for album in albums:
        for raw in await inbox.set_aside_of(account, album):
            await _store(account, reader, inbox, None, raw)


async def _store(
    account: AccountId, reader: Reader, inbox: Inbox, update: Fields | None, raw: bytes
) -> Sequence[Acceptance]:
    try:
        update = read_update(raw) if update is None else update
        return await inbox.accept(*await reader.read(update, raw, inbox))
    except IgnoredPayload as reason:
        _log.debug("account %s: update ignored: %s", account, reason)
    except (UnknownPayload, InvalidInput) as reason:
        await inbox.quarantine(account, raw, str(reason))
    return ()
