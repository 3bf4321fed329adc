"""The `files` lane at work: fetches what messages brought along, and has it looked at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from core.domain.errors import (
    DeliveryError,
    FileTooLarge,
    Rejected,
    ScannerUnavailable,
    StorageUnavailable,
    Unavailable,
)
from core.domain.files import FileRefusal, Refused
from core.domain.ids import AccountId, ConversationId
from core.ports import Channel, FetchesFiles
from core.runtime.directory import BrokenChannel
from core.services.files.fetching import Fetching, FetchPlan, NotConnected, Outcome
from core.services.files.inspection import size_refusal
from core.services.files.vault import Vault

_LOGGER = logging.getLogger(__name__)


class FilesLane:
    """Fetches a conversation's files, one after the other, until none is due."""

    def __init__(
        self,
        fetching: Fetching,
        channels: Mapping[AccountId, Channel],
        vault: Vault,
        *,
        longest_seconds: float = 600.0,
    ) -> None:
        """A file that comes more slowly than in `longest_seconds` gives its place to others."""
        self._longest_seconds = longest_seconds
        self._fetching = fetching
        self._channels = channels
        self._vault = vault

    async def advance(self, conversation: ConversationId) -> None:
        """Do the lane's due items. What must wait is found again by the sweep."""
        while plan := await self._fetching.plan(conversation):
            outcome = await self._outcome(plan)
            _LOGGER.info("file %s: %s", plan.attachment, type(outcome).__name__)
            await self._fetching.settle(plan, outcome)

    async def _outcome(self, plan: FetchPlan) -> Outcome:
        channel = self._channels.get(plan.account)
        if channel is None:
            return NotConnected()
        if plan.file.size_bytes and (
            refused := size_refusal(plan.file.size_bytes, self._vault.rules)
        ):
            return refused
        try:
            if isinstance(channel, BrokenChannel):
                channel.refuse()
            if not isinstance(channel, FetchesFiles):
                return Rejected("this channel gives no files")
            if not await self._vault.is_ready():
                return ScannerUnavailable("the virus scanner is away")
            async with asyncio.timeout(self._longest_seconds):
                return await self._vault.keep(
                    channel.fetch(plan.file), name=plan.file.name, announced=plan.file.media_type
                )
        except TimeoutError:
            return Unavailable("the platform takes too long to give the file")
        except FileTooLarge as error:
            return Refused(reason=FileRefusal.TOO_LARGE, detail=str(error))
        except (DeliveryError, ScannerUnavailable) as error:
            return error
        except StorageUnavailable as error:
            return Unavailable(str(error))
        except Exception:
            _LOGGER.exception("file %s: the channel failed", plan.attachment)
            return Unavailable("the channel failed; see the worker's log")
