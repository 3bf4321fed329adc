"""How an agent is found in a workspace and written to there, from a page or through the API."""

from __future__ import annotations

from console.desk import ConsoleDesk
from console.texts import translate
from console.words import notices as said
from core.domain.actor import Agent
from core.domain.errors import NotFound
from core.domain.ids import AccountId, MessageId, new_id
from core.ports import Colleague, TellsColleagues


def accounts_that_tell(desk: ConsoleDesk) -> list[AccountId]:
    """Return the accounts through which agents can be written to, in order."""
    channels = sorted(desk.channels.items())
    return [account for account, channel in channels if isinstance(channel, TellsColleagues)]


async def find_and_connect(desk: ConsoleDesk, account: AccountId, agent: Agent) -> bool:
    """Write to `agent` where the platform knows them by their own address; say whether it does.

    Raises:
        NotFound: the account is not connected, or cannot write to agents.
        DeliveryError: they could not be looked for or written to.
    """
    channel = _channel(desk, account)
    found = await channel.find_colleague(agent.email)
    if found is None:
        return False
    words = translate(agent.language, said.IN_CHAT["welcome"])
    await channel.tell(found.address, MessageId(new_id()), words, may_have_left=False)
    await desk.chat_notices.connect(agent.id, account, found)
    return True


async def send_code(
    desk: ConsoleDesk, account: AccountId, member: str, agent: Agent
) -> Colleague | None:
    """Write a code to whom `agent` says they are in a workspace; None where nobody is that.

    Raises:
        NotFound: the account is not connected, or cannot write to agents.
        TooManyAttempts: the agent had several codes in the last hour.
        DeliveryError: they could not be looked for or written to.
    """
    channel = _channel(desk, account)
    found = await channel.colleague_called(member.strip())
    if found is not None:
        code = await desk.chat_codes.make(agent.id, account, found)
        words = translate(
            agent.language,
            said.IN_CHAT["code"],
            name=agent.name,
            code=f"{code[:3]} {code[3:]}",
        )
        await channel.tell(found.address, MessageId(new_id()), words, may_have_left=False)
    return found


def _channel(desk: ConsoleDesk, account: AccountId) -> TellsColleagues:
    channel = desk.channels.get(account)
    if not isinstance(channel, TellsColleagues):
        raise NotFound("this account is not connected, or cannot write to agents")
    return channel
