"""The `people` lane at work: asks platforms who somebody is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from core.domain.errors import DeliveryError, Rejected, Throttled
from core.domain.ids import AccountId, ConversationId
from core.ports import Channel, LooksUpPeople
from core.runtime.directory import BrokenChannel
from core.services.people.look_ups import LookUp, LookUps

_LOGGER = logging.getLogger(__name__)
_DEADLINE_SECONDS = 15.0


class PeopleLane:
    """Learns who writes in a conversation."""

    def __init__(self, people: LookUps, channels: Mapping[AccountId, Channel]) -> None:
        self._people = people
        self._channels = channels

    async def advance(self, conversation: ConversationId) -> None:
        """Ask about whoever is due. What must wait is found again by the sweep."""
        while plan := await self._people.plan(conversation):
            channel = self._channels.get(plan.account)
            if isinstance(channel, BrokenChannel):
                await self._people.put_back(plan)
                continue
            if not isinstance(channel, LooksUpPeople):
                await self._people.give_up(plan)
                return
            await self._ask(channel, plan)
            if plan.is_last:
                return

    async def _ask(self, channel: LooksUpPeople, plan: LookUp) -> None:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                known = await channel.look_up(plan.address)
        except Rejected as error:
            _LOGGER.info("account %s: somebody cannot be looked up: %s", plan.account, error)
            await self._people.give_up(plan)
        except Throttled as error:
            await self._people.put_back(plan, error.retry_after)
        except (DeliveryError, TimeoutError) as error:
            _LOGGER.info("account %s: a look-up has to wait: %s", plan.account, error)
            await self._people.put_back(plan)
        except Exception:
            # A fault of the channel's own code: trying again soon would only repeat it.
            _LOGGER.exception("account %s: the channel failed to look somebody up", plan.account)
            await self._people.give_up(plan)
        else:
            await self._people.settle(plan, known)
