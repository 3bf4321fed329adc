"""Mails agents the notices they did not see in the console."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from core.domain.errors import Rejected
from core.domain.languages import spoken
from core.domain.notification import Notice, Turn
from core.domain.sla.policy import ClockKind
from core.runtime.letters import Letter, Paragraph
from core.services.notifications.reading import Digest, Notices, NoticeView, Taken
from core.texts import text

_LOGGER = logging.getLogger(__name__)

SUBJECT = "#{number}: {subject}"
SUBJECTS = "{count} notifications from the desk"
LINES: Mapping[Notice, str] = {
    Notice.ASSIGNED: "#{number} was assigned to you: {subject}",
    Notice.ANSWERED: "#{number}: the requester wrote: {subject}",
    Notice.MENTIONED: "#{number}: {who} mentioned you in a note: {subject}",
    Notice.WATCHED: "#{number}, which you watch, has something new: {subject}",
    Notice.QUEUED: "#{number} waits in your team's queue: {subject}",
    Notice.PASSED: "#{number} was passed to your team: {subject}",
    Notice.NO_ROOM: "#{number}: nobody who is there has room for it: {subject}",
    Notice.AT_RISK: "#{number}: an SLA is about to be breached ({detail}): {subject}",
    Notice.BROKEN: "#{number}: an SLA was breached ({detail}): {subject}",
    Notice.DUE: "#{number} is due on {detail}: {subject}",
    Notice.LOW_SCORE: "#{number}: the requester was not content ({detail} of 5): {subject}",
    Notice.ESCALATED: "#{number} came up to you: {subject}",
    Notice.STUCK: "#{number}: its time is up, and there is nobody it could go on to: {subject}",
    Notice.APPROVAL: "#{number} waits for your approval: {subject}",
    Notice.TASK: "#{number}: your task can begin: {subject}",
    Notice.BY_RULE: "#{number}: {detail}: {subject}",
    Notice.HELD_BACK: "#{number}: the rule “{detail}” applied too often: {subject}",
}
TURNS: Mapping[str, str] = {
    Turn.SOLVED: "#{number} was solved: {subject}",
    Turn.CLOSED: "#{number} was closed: {subject}",
    Turn.REOPENED: "#{number} was reopened: {subject}",
    Turn.REASSIGNED: "#{number} was assigned to somebody else: {subject}",
    Turn.RELEASED: "#{number} went back to the queue: {subject}",
    Turn.SIDE_LOST: "#{number}: a letter to a third party may not have arrived: {subject}",
}
"""What `CHANGED` says, by its detail."""

PROMISES: Mapping[str, str] = {
    ClockKind.FIRST_RESPONSE: "first response",
    ClockKind.NEXT_RESPONSE: "next response",
    ClockKind.RESOLUTION: "resolution",
}
"""What was promised, by the detail of a notice about it."""

WHY = "You can set in the console, under Notifications, what you are mailed and when."


class Postman(Protocol):
    """Sends a mail."""

    async def send(self, to: str, subject: str, words: str, html: str) -> None:
        """Send one, its `words` as text and as a page.

        Raises:
            Unavailable: it was not taken.
            Rejected: its address takes none.
        """


class NoticeMails:
    """A duty: mails what is due, one mail for each agent."""

    def __init__(self, notices: Notices, postman: Postman, base_url: str) -> None:
        self._notices = notices
        self._postman = postman
        self._base_url = base_url

    async def send_due(self) -> None:
        """Send what is due; what is not taken is tried again some minutes later."""
        due = await self._notices.due()
        await self._notices.setbacks.each(due, self._send, lambda taken: taken.agent)

    async def _send(self, taken: Taken) -> None:
        digest = await self._notices.digest(taken)
        if digest is None:
            return
        mail = letter(digest, self._base_url)
        try:
            await self._postman.send(digest.email, mail.subject, mail.text, mail.html)
        except Rejected as error:
            _LOGGER.warning("agent %s cannot be mailed: %s", digest.agent, error)
        await self._notices.mailed(digest)


def letter(digest: Digest, base_url: str) -> Letter:
    """Return a digest as a letter."""
    paragraphs = [
        Paragraph(
            words=line(digest.language, notice, digest.zone),
            link=f"{base_url}/console/tickets/{notice.number}",
        )
        for notice in digest.notices
    ]
    first = digest.notices[0]
    subject = (
        text(digest.language, SUBJECT, number=first.number, subject=first.subject)
        if len(digest.notices) == 1
        else text(digest.language, SUBJECTS, count=len(digest.notices))
    )
    return Letter(
        language=digest.language,
        subject=subject,
        paragraphs=paragraphs,
        closing=text(digest.language, WHY),
    )


def line(language: str, notice: NoticeView, zone: ZoneInfo) -> str:
    """Return what a notice says, in one sentence; moments are those of `zone`, which is named."""
    detail = notice.detail
    if notice.notice in (Notice.AT_RISK, Notice.BROKEN):
        detail = text(language, PROMISES[detail])
    elif notice.notice is Notice.DUE:
        due = datetime.fromisoformat(detail).astimezone(zone)
        at = format_datetime(due, "EEE d MMM y, HH:mm", locale=spoken(language))
        detail = f"{at} ({zone.key})"
    return text(
        language,
        TURNS[notice.detail] if notice.notice is Notice.CHANGED else LINES[notice.notice],
        number=notice.number,
        subject=notice.subject,
        who=notice.by_name or "?",
        detail=detail,
    )
