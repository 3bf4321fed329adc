"""Writes agents, in chat, the notices they did not see in the console."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from core.domain.errors import DeliveryError, Rejected, Throttled
from core.domain.ids import AccountId
from core.ports import Channel, TellsColleagues
from core.runtime.directory import BrokenChannel
from core.runtime.notices import line
from core.services.notifications.in_chat import ChatDigest, ChatNotices, TakenForChat

_LOGGER = logging.getLogger(__name__)
_AGAIN_IN = timedelta(minutes=1)

NOT_CONNECTED = "the account is not connected"


class ChatMessages:
    """A duty: writes what is due, one message for each agent."""

    def __init__(
        self, notices: ChatNotices, channels: Mapping[AccountId, Channel], base_url: str
    ) -> None:
        self._notices = notices
        self._channels = channels
        self._base_url = base_url

    async def write_due(self) -> None:
        """Write what is due; what fails says why to its agent, and is tried again where it may."""
        due = await self._notices.due()
        await self._notices.setbacks.each(due, self._do, lambda taken: taken.agent)

    async def _do(self, taken: TakenForChat) -> None:
        digest = await self._notices.digest(taken)
        if digest is None:
            return
        try:
            await self._write(digest)
        except Rejected as error:
            _LOGGER.warning("agent %s cannot be written to in chat: %s", digest.agent, error)
            await self._notices.refused(digest, str(error))
        except Throttled as error:
            wait = timedelta(seconds=error.retry_after)
            await self._notices.waits(digest, str(error), wait)
        except DeliveryError as error:
            _LOGGER.warning("notices of agent %s wait: %s", digest.agent, error)
            await self._notices.waits(digest, str(error), _AGAIN_IN)
        else:
            await self._notices.arrived(digest)

    async def _write(self, digest: ChatDigest) -> None:
        channel = self._channels.get(digest.account)
        if isinstance(channel, BrokenChannel):
            channel.refuse()
        if not isinstance(channel, TellsColleagues):
            raise DeliveryError(NOT_CONNECTED)
        await channel.tell(
            digest.address,
            digest.message,
            words(digest, self._base_url),
            may_have_left=digest.may_have_left,
        )


def words(digest: ChatDigest, base_url: str) -> str:
    """Return a digest as a message: one line for each notice, oldest first, each with its link."""
    return "\n\n".join(
        f"{line(digest.language, notice, digest.zone)}\n{base_url}/console/tickets/{notice.number}"
        for notice in reversed(digest.notices)
    )
