"""Mails agents what lets somebody in under their name."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from uuid import UUID

from babel.dates import format_datetime

from core.domain.access import AccessChange
from core.domain.errors import Rejected
from core.domain.languages import spoken
from core.runtime.letters import Letter, Paragraph
from core.runtime.notices import Postman
from core.services.access.telling import AccessLetter, AccessNotices
from core.texts import text

_LOGGER = logging.getLogger(__name__)

SUBJECTS: Mapping[AccessChange, str] = {
    AccessChange.PASSWORD: "A new password was set for you at the desk",
    AccessChange.LINK: "A sign-in link was made for you at the desk",
    AccessChange.TOKEN: "An API token was issued in your name at the desk",
    AccessChange.ADDRESS: "The address you sign in to the desk with was changed",
}
DETAILS: Mapping[AccessChange, str] = {
    AccessChange.TOKEN: "Name of the token: {detail}",
    AccessChange.ADDRESS: "The new address: {detail}",
}
YOURSELF = "Done by you, {at} (UTC)."
BY = "Done by {who}, {at} (UTC)."
COMMAND = "Done at the desk's own terminal, {at} (UTC)."
FROM = "From the address {remote}."
NOT_YOU = (
    "If you do not know of this, tell an admin at once and set a new password: "
    "somebody may be using the desk in your name."
)


class AccessMails:
    """A duty: mails what is due, each by itself."""

    def __init__(self, notices: AccessNotices, postman: Postman, base_url: str) -> None:
        self._notices = notices
        self._postman = postman
        self._base_url = base_url

    async def send_due(self) -> None:
        """Send what is due; what is not taken is tried again some minutes later."""
        await self._notices.setbacks.each(await self._notices.due(), self._send)

    async def _send(self, notice: UUID) -> None:
        found = await self._notices.letter(notice)
        if found is None:
            return
        mail = letter_of(found, self._base_url)
        try:
            await self._postman.send(found.email, mail.subject, mail.text, mail.html)
        except Rejected as error:
            _LOGGER.warning("access notice %s cannot be mailed: %s", notice, error)
        await self._notices.mailed(notice)


def letter_of(found: AccessLetter, base_url: str) -> Letter:
    """Return what an agent is mailed."""
    language, notice = spoken(found.language), found.notice
    subject = text(language, SUBJECTS[notice.change])
    at = format_datetime(notice.at, "d MMM y, HH:mm", locale=language)
    who = YOURSELF if notice.is_yourself else BY
    said = [text(language, COMMAND if notice.is_command else who, who=notice.by, at=at)]
    if notice.remote is not None:
        said.append(text(language, FROM, remote=notice.remote))
    if notice.detail and notice.change in DETAILS:
        said.append(text(language, DETAILS[notice.change], detail=notice.detail))
    return Letter(
        language=language,
        subject=subject,
        paragraphs=[
            Paragraph(words=f"{subject}."),
            Paragraph(words="\n".join(said)),
            Paragraph(words=text(language, NOT_YOU), link=f"{base_url}/console/password"),
        ],
    )
