"""Slack as a kind of channel; its libraries are imported when an account is opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from channels.slack.settings import SlackSettings
from core.domain.events import Event
from core.domain.ids import AccountId
from core.ports import Channel, ChannelContext, ChannelKind


def _open(account: AccountId, settings: SlackSettings, context: ChannelContext) -> Channel:
    from channels.slack.channel import open_slack

    return open_slack(account, settings, context)


def _read(account: AccountId, raw: bytes) -> Sequence[Event]:
    from channels.slack.parse import load, parse

    return parse(account, load(raw), datetime.now(UTC), raw).events


KIND = ChannelKind(
    name="slack", settings=SlackSettings, open=_open, read=_read, called_at="/events"
)
