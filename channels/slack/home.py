"""The app's home tab: a person's own tickets. Pure.

https://docs.slack.dev/surfaces/app-home
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from channels.slack import mrkdwn
from channels.slack.texts import text
from core.domain.assistant import TicketBrief

WRITE_ACTION = "home:write"
_MAX_SUBJECT_CHARS = 200

Block = Mapping[str, Any]


def home_view(
    tickets: Sequence[TicketBrief], language: str, *, team: str, app: str
) -> Mapping[str, Any]:
    """Return the view for `views.publish`; `team` and `app` lead to the Messages tab."""
    blocks: list[Block] = [
        _header(text(language, "How can we help?")),
        _section(text(language, "Write to us here, in a direct message.")),
    ]
    if team and app:
        blocks.append(_write_button(language, team, app))
    blocks += [{"type": "divider"}, _header(text(language, "Your tickets"))]
    if not tickets:
        blocks.append(_section(text(language, "You have no tickets.")))
    blocks.extend(_section(_ticket(ticket, language)) for ticket in tickets)
    return {"type": "home", "blocks": blocks}


def _write_button(language: str, team: str, app: str) -> Block:
    button = {
        "type": "button",
        "action_id": WRITE_ACTION,
        "style": "primary",
        "text": {"type": "plain_text", "text": text(language, "Write to us")},
        "url": f"slack://app?team={team}&id={app}&tab=messages",
    }
    return {"type": "actions", "elements": [button]}


def _ticket(ticket: TicketBrief, language: str) -> str:
    subject = mrkdwn.escape(ticket.subject.replace("\n", " ")[:_MAX_SUBJECT_CHARS])
    status = text(language, ticket.status.replace("_", " "))
    changed = ticket.updated_at.astimezone(UTC)
    # Slack shows the time by the reader's own clock and calendar.
    when = f"<!date^{int(changed.timestamp())}^{{date_short_pretty}} {{time}}|{changed:%Y-%m-%d}>"
    return f"*#{ticket.number}* {subject}\n{status} · {when}"


def _header(words: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": words}}


def _section(words: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": words}}
