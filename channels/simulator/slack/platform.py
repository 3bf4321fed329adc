"""The simulated Slack as one thing to start, with people who write, press and react."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from channels.simulator.faults import Faults
from channels.simulator.slack import payloads
from channels.simulator.slack.methods import file_object
from channels.simulator.slack.news import Telling
from channels.simulator.slack.web_server import WebServer
from channels.simulator.slack.workspace import (
    BOT_USER,
    Message,
    News,
    Person,
    Workspace,
)

GRANTED = (
    "app_mentions:read",
    "channels:history",
    "chat:write",
    "chat:write.customize",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "im:write",
    "mpim:history",
    "reactions:read",
    "users:read",
    "users:read.email",
)


class SlackPlatform:
    """A Slack with one workspace and one app, the desk's. An async context manager.

    What people do returns once the desk is being told; `telling.acknowledged` shows what it
    acknowledged, `sent()` what it wrote. `faults` plans trouble.
    """

    bot_token = "xoxb-0-simulated"  # noqa: S105 - of nothing but this
    app_token = "xapp-0-simulated"  # noqa: S105
    signing_secret = "simulated-signing-secret"  # noqa: S105

    def __init__(self, port: int = 0, scopes: Sequence[str] = GRANTED) -> None:
        """Serve on `port` of loopback once entered; 0 is any free one."""
        self._port = port
        self.faults = Faults()
        self.workspace = Workspace()
        self.scopes = set(scopes)
        self.telling = Telling(self.faults, self.signing_secret)
        self.server = WebServer(
            self.workspace,
            self.telling,
            self.faults,
            bot_token=self.bot_token,
            app_token=self.app_token,
            scopes=self.scopes,
        )
        self._root = ""

    async def __aenter__(self) -> Self:
        self._root = await self.server.start(self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.telling.close()
        await self.server.stop()

    @property
    def url(self) -> str:
        """Where the Web API is: an account's `api_url`."""
        return f"{self._root}api/"

    def deliver_to(self, address: str) -> None:
        """Tell news by requests to `address` from now on, not over sockets."""
        self.telling.address = address

    def person(self, name: str, *, email: str | None = None, locale: str = "en-US") -> Person:
        """Return a new member of the workspace."""
        return self.workspace.person(name, email, locale)

    def sent(self, channel: str | None = None) -> list[Message]:
        """Return what the desk wrote and did not delete, oldest first."""
        return [
            message
            for message in self.workspace.messages
            if message.is_ours
            and not message.is_deleted
            and (channel is None or message.channel == channel)
        ]

    async def revoke(self) -> None:
        """Take the tokens back, as an admin of the workspace can."""
        event = {"type": "tokens_revoked", "tokens": {"bot": [BOT_USER]}}
        await self.telling.tell(self._event(event))
        self.server.is_revoked = True
        await self.telling.hang_up()

    def compose(
        self,
        person: Person,
        text: str,
        *,
        channel: str | None = None,
        thread: Message | None = None,
        files: Sequence[tuple[str, str, bytes]] = (),
        blocks: Sequence[Mapping[str, Any]] = (),
    ) -> Message:
        """Write a message that the desk is not told of yet; `files` are name, type, content."""
        where = channel or (thread.channel if thread is not None else person.direct)
        stored = [self.workspace.store(*file) for file in files]
        return self.workspace.add(
            Message(
                channel=where,
                ts=self.workspace.ts(),
                user=person.id,
                text=text,
                thread_ts=None if thread is None else thread.thread_ts or thread.ts,
                blocks=[dict(block) for block in blocks],
                files=[file_object(self.workspace, self._root, file.id) for file in stored],
            )
        )

    def posting(self, message: Message, *, as_mention: bool = False) -> News:
        """Return the news of a message."""
        return self._event(payloads.posted(message, as_mention=as_mention))

    async def write(self, person: Person, text: str, **where: Any) -> Message:
        """Let somebody write; by default to the desk directly. See `compose`."""
        message = self.compose(person, text, **where)
        await self.telling.tell(self.posting(message))
        return message

    async def mention(self, person: Person, text: str, **where: Any) -> Message:
        """Let somebody mention the desk; Slack tells of it twice, as message and as mention."""
        where.setdefault("channel", self.workspace.channel("general"))
        message = self.compose(person, f"<@{BOT_USER}> {text}", **where)
        await self.telling.tell(self.posting(message))
        await self.telling.tell(self.posting(message, as_mention=True))
        return message

    def editing(self, message: Message, text: str) -> News:
        """Change a message; return the news of it."""
        before = message.content()
        message.text, message.edited_ts = text, self.workspace.ts()
        return self._event(payloads.changed(message, before, self.workspace.ts()))

    async def edit(self, message: Message, text: str) -> None:
        """Let the author change a message."""
        await self.telling.tell(self.editing(message, text))

    def deleting(self, message: Message) -> News:
        """Delete a message; return the news of it."""
        message.is_deleted = True
        return self._event(payloads.deleted(message, self.workspace.ts()))

    async def delete(self, message: Message) -> None:
        """Let the author delete a message."""
        await self.telling.tell(self.deleting(message))

    async def react(
        self, person: Person, message: Message, emoji: str, *, added: bool = True
    ) -> None:
        """Let somebody put a reaction on a message, or take it off."""
        event = payloads.reaction(person, message, emoji, self.workspace.ts(), added=added)
        await self.telling.tell(self._event(event))

    def pressing(self, person: Person, message: Message, label: str) -> News:
        """Press the button `label` under a message of the desk's; return the news of it.

        Raises:
            LookupError: it has no such button.
        """
        payload = payloads.pressed(person, message, label, self._response_url(), self.workspace)
        return self._news("interactive", payload)

    async def press(self, person: Person, message: Message, label: str) -> None:
        """Let somebody press the button `label` under a message of the desk's.

        Raises:
            LookupError: it has no such button.
        """
        await self.telling.tell(self.pressing(person, message, label))

    async def command(self, person: Person, text: str, channel: str | None = None) -> None:
        """Let somebody use the slash command."""
        payload = payloads.command(
            person, text, channel or person.direct, self._response_url(), self._trigger()
        )
        await self.telling.tell(self._news("slash_commands", payload))

    async def ask_about(self, person: Person, message: Message) -> None:
        """Let somebody use the shortcut on a message."""
        payload = payloads.shortcut(
            person,
            message,
            self.workspace.channels[message.channel],
            response_url=self._response_url(),
            trigger=self._trigger(),
            action_ts=self.workspace.ts(),
        )
        await self.telling.tell(self._news("interactive", payload))

    async def open_home(self, person: Person) -> None:
        """Let somebody look at the app's home tab."""
        event = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": person.direct,
            "tab": "home",
            "event_ts": self.workspace.ts(),
        }
        await self.telling.tell(self._event(event))

    async def rename(self, person: Person, name: str) -> None:
        """Let somebody change their name."""
        person.name = name
        event = {"type": "user_change", "user": person.profile(), "event_ts": self.workspace.ts()}
        await self.telling.tell(self._event(event))

    def _event(self, event: Mapping[str, Any]) -> News:
        number = f"Ev{self.workspace.number():08d}"
        return News(id=number, kind="events_api", payload=payloads.envelope(event, number))

    def _news(self, kind: str, payload: Mapping[str, Any]) -> News:
        return News(id=f"In{self.workspace.number():08d}", kind=kind, payload=payload)

    def _response_url(self) -> str:
        return f"{self._root}respond/{self.workspace.number()}"

    def _trigger(self) -> str:
        return f"{self.workspace.number()}.{self.workspace.number()}.simulated"
