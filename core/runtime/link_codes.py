"""Mails codes with which somebody in a chat proves that an e-mail address is theirs."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from core.domain.channel import Outbound
from core.domain.content import Body, Envelope
from core.domain.conversation import Speaker
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Rejected,
    Throttled,
    Unavailable,
    Uncertain,
)
from core.domain.ids import AccountId, MessageId, new_id
from core.ports import Channel, SendsLetters
from core.services.linking.codes import CodeMail, LinkCodes
from core.texts import text

_LOGGER = logging.getLogger(__name__)

SUBJECT = "Your code"
LETTER = (
    "Your code is **{code}**. Write it in the chat in which you asked for it, within 15 minutes."
    "\n\nWhoever enters it is taken for the owner of this address: pass it on to nobody. If you "
    "did not ask for it, ignore this mail; nothing happens without the code."
)
_LATER = (Unavailable, Throttled, BadCredentials)


class LinkCodeMails:
    """A duty: mails what is due. The code is in the mail alone, and nowhere in the desk."""

    def __init__(self, codes: LinkCodes, channels: Mapping[AccountId, Channel]) -> None:
        self._codes = codes
        self._channels = channels

    async def send_due(self) -> None:
        """Send the codes that are due; one that cannot leave now is made anew half a minute on."""
        while mail := await self._codes.to_mail():
            await self._codes.setbacks.each([mail], self._send, lambda one: one.id)

    async def _send(self, mail: CodeMail) -> None:
        channel = self._channels.get(mail.account)
        if not isinstance(channel, SendsLetters):
            _LOGGER.warning("code %s waits: its account is gone", mail.id)
            return
        try:
            await channel.deliver(_letter(channel, mail))
        except _LATER as error:
            _LOGGER.warning("code %s waits: %s", mail.id, error)
        except Uncertain:
            await self._codes.mailed(mail)  # it may have arrived
        except (Rejected, DeliveryError) as error:
            _LOGGER.info("code %s cannot be mailed: %s", mail.id, error)
            await self._codes.not_mailed(mail)
        else:
            await self._codes.mailed(mail)


def _letter(channel: SendsLetters, mail: CodeMail) -> Outbound:
    subject = text(mail.language, SUBJECT)
    return Outbound(
        message=MessageId(new_id()),
        account=mail.account,
        conversation=mail.conversation,
        thread=channel.begin_thread(new_id()),
        speaker=Speaker.SYSTEM,
        body=Body(text=text(mail.language, LETTER, code=mail.code)),
        language=mail.language,
        requester=mail.email,
        subject=subject,
        envelope=Envelope(to=(mail.email,), subject=subject),
    )
