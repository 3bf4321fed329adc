"""What the desk does by itself, in words, where it could not do it."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.setbacks import Chore

WORK: Mapping[str, str] = {
    Chore.PROMISES: "Counting the time of SLAs",
    Chore.ENDING: "Reminding of inactive tickets, and closing them",
    Chore.DUE_DATES: "Reminding of due dates",
    Chore.ESCALATION: "Sending on what waits too long",
    Chore.RETURNING: "Putting back tickets of agents who are not there",
    Chore.SHARING: "Sharing tickets out",
    Chore.QUEUE_NOTICES: "Telling teams of waiting tickets",
    Chore.SURVEYS: "Asking requesters how they were helped",
    Chore.IDLE_RULES: "Rules by the clock",
    Chore.PROBLEM_UPDATES: "Telling requesters of a problem",
    Chore.APPROVALS: "Asking for approvals in chat",
    Chore.LINK_CODES: "Linking addresses that codes have proven",
    Chore.HELD_REPLIES: "Sending replies of agents",
    Chore.EARLY_EVENTS: "Edits and reactions that came before their message",
    Chore.GIVING_UP: "Handing on what the assistant does not answer",
    Chore.NOTICE_MAILS: "Mailing agents their notifications",
    Chore.NOTICE_CHATS: "Writing agents their notifications in chat",
    Chore.APPROVAL_MAILS: "Asking for approvals by mail",
    Chore.ACCESS_MAILS: "Telling agents by mail of new passwords, links and tokens",
}
