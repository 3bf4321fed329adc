"""How the desk finds Telegram."""

from __future__ import annotations

from channels.telegram.channel import PollingTelegram, Telegram, WebhookTelegram
from channels.telegram.parse import read_any
from channels.telegram.settings import Mode, TelegramSettings
from core.domain.ids import AccountId
from core.ports import ChannelContext, ChannelKind


def _open(account: AccountId, settings: TelegramSettings, context: ChannelContext) -> Telegram:
    kind = WebhookTelegram if settings.mode is Mode.WEBHOOK else PollingTelegram
    return kind(account, settings, context)


def _identity(settings: TelegramSettings) -> str:
    return str(settings.bot)


KIND = ChannelKind(
    name="telegram", settings=TelegramSettings, open=_open, read=read_any, identity=_identity
)
