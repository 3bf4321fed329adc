"""Mails those who are to approve a request, with a link for each decision."""

from __future__ import annotations

import logging
from uuid import UUID

from babel.dates import format_date

from core.domain.errors import Rejected
from core.domain.languages import spoken
from core.runtime.letters import Letter, Paragraph
from core.runtime.notices import Postman
from core.services.catalogue.letters import ApprovalLetter, ApprovalLetters
from core.services.catalogue.telling import in_words
from core.texts import text

_LOGGER = logging.getLogger(__name__)

SUBJECT = "Please decide: {item} for {requester} (#{number})"
OPENING = "{requester} asks for: {item}"
APPROVE = "Approve"
REJECT = "Reject"
HOW = (
    "Each link opens a page with a button; nothing is decided before you press it. "
    "The links are for you alone and work until {date}."
)


class ApprovalMails:
    """A duty: mails the letters that are due."""

    def __init__(self, letters: ApprovalLetters, postman: Postman) -> None:
        self._letters = letters
        self._postman = postman

    async def send_due(self) -> None:
        """Send what is due; what is not taken is tried again some minutes later."""
        await self._letters.setbacks.each(await self._letters.due(), self._send)

    async def _send(self, ask: UUID) -> None:
        letter = await self._letters.letter(ask)
        if letter is None:
            return
        mail = letter_of(letter)
        try:
            await self._postman.send(letter.email, mail.subject, mail.text, mail.html)
        except Rejected as error:
            _LOGGER.warning("the approver of ask %s cannot be mailed", ask)
            await self._letters.refused(letter, str(error))
        else:
            await self._letters.mailed(letter)


def letter_of(letter: ApprovalLetter) -> Letter:
    """Return what an approver is mailed."""
    language = letter.language
    names = {
        "item": letter.item.named(language),
        "requester": letter.requester or text(language, "Somebody"),
    }
    filled = [
        f"{spec.named(language)}: {in_words(spec, value, language)}"
        for spec, value in letter.values
    ]
    until = format_date(letter.expires_at.date(), "d MMM y", locale=spoken(language))
    words = [text(language, OPENING, **names), "\n".join(filled)]
    return Letter(
        language=spoken(language),
        subject=text(language, SUBJECT, number=letter.number, **names),
        paragraphs=[
            *(Paragraph(words=part) for part in words if part),
            Paragraph(words=text(language, APPROVE), link=letter.approve, is_button=True),
            Paragraph(words=text(language, REJECT), link=letter.reject, is_button=True),
            Paragraph(words=text(language, HOW, date=until)),
        ],
    )
