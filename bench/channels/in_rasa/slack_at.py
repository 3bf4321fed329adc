# mypy: ignore-errors
"""Rasa's own Slack channel, pointed at another address than slack.com; runs in Rasa's process.

Rasa 3.6 has no setting for the address of Slack's Web API, so the client gets it here. The
assistant's actions answer with commands for the desk, which Slack would refuse as a message: they
are posted as text. All else is Rasa's.
"""

from __future__ import annotations

import json
from typing import Any

from rasa.core.channels.slack import SlackBot, SlackInput


class _Bot(SlackBot):
    async def send_custom_json(
        self,
        recipient_id: str,
        json_message: dict[str, Any],
        **kwargs: Any,  # noqa: ARG002 - the parts of the message that are not the command
    ) -> None:
        await self.send_text_message(recipient_id, json.dumps(json_message))


class SlackAt(SlackInput):
    """Takes one more credential than Rasa's channel, `api_url`."""

    api_url = "https://slack.com/api/"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> SlackAt:
        channel = super().from_credentials(credentials)
        channel.api_url = credentials["api_url"]
        return channel

    def get_output_channel(self, channel: str | None = None, thread_id: str | None = None) -> _Bot:
        bot = _Bot(self.slack_token, channel or self.slack_channel, thread_id, self.proxy)
        bot.client.base_url = self.api_url
        return bot
