"""What people do on the platform, as tests and rehearsals have them do it."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any
from uuid import uuid4

from channels.simulator.telegram.checks import units
from channels.simulator.telegram.methods import Methods
from channels.simulator.telegram.updates import Updates
from channels.simulator.telegram.world import Chat, Fields, Posted, World

_COMMAND = re.compile(r"/[A-Za-z0-9_]{1,32}(?:@\w+)?")
_MENTION = re.compile(r"@\w{5,32}")
_SIDE = 100
_SIZED = frozenset({"animation", "video", "sticker"})
_LONG = frozenset({"animation", "audio", "video", "video_note", "voice"})


class Group:
    """A group that the bot is in."""

    def __init__(self, world: World, updates: Updates, chat: Chat) -> None:
        self._world = world
        self._updates = updates
        self.chat = chat

    @property
    def id(self) -> int:
        """Return the id of the group's chat."""
        return self.chat.id

    def topic(self) -> int:
        """Open a topic and return its id."""
        self.chat.last_number += 1
        self.chat.topics.add(self.chat.last_number)
        return self.chat.last_number

    async def become_supergroup(self, admin: Person) -> int:
        """Let the group become a supergroup; return its new id."""
        old = self.chat
        new_id = self._world.new_group(is_supergroup=True)
        new = Chat({**old.fields, "id": new_id, "type": "supergroup"}, has_spoken=True)
        self._world.chats[new_id] = self.chat = new
        old.moved_to = new_id
        for chat, notice in (
            (old, {"migrate_to_chat_id": new_id}),
            (new, {"migrate_from_chat_id": old.id}),
        ):
            message = self._world.add(chat, admin.fields, **notice)
            await self._updates.tell("message", message)
        return new_id


class Person:
    """Somebody with a Telegram program. Without `chat`, they write to the bot in private."""

    def __init__(
        self,
        world: World,
        updates: Updates,
        methods: Methods,
        fields: Fields,
        chat: Chat,
    ) -> None:
        self._world = world
        self._updates = updates
        self._methods = methods
        self.fields = fields  # as `User` in the Bot API
        self.chat = chat

    @property
    def id(self) -> int:
        """Return the person's id, which is the id of their private chat too."""
        return int(self.fields["id"])

    def compose(
        self,
        text: str,
        *,
        group: Group | None = None,
        topic: int | None = None,
        reply_to: int | None = None,
    ) -> Fields:
        """Say `text` and return the message; the bot is not told of it yet."""
        marks = marked(text)
        content: Fields = {"text": text, **({"entities": marks} if marks else {})}
        return self._add(content, group, topic, reply_to)

    async def write(
        self,
        text: str,
        *,
        group: Group | None = None,
        topic: int | None = None,
        entities: list[Fields] | None = None,
        reply_to: int | None = None,
    ) -> Fields:
        """Say `text` and return the message; commands and mentions in it are marked."""
        marks = entities if entities is not None else marked(text)
        content: Fields = {"text": text, **({"entities": marks} if marks else {})}
        return await self._post(content, group, topic, reply_to)

    async def send_file(
        self,
        content: bytes,
        *,
        kind: str = "document",
        name: str = "file.bin",
        media_type: str = "application/octet-stream",
        caption: str = "",
        album: str | None = None,
        group: Group | None = None,
        topic: int | None = None,
    ) -> Fields:
        """Send a file as a message of `kind`: photo, document, voice, video, …"""
        message = self.compose_file(
            content,
            kind=kind,
            name=name,
            media_type=media_type,
            caption=caption,
            album=album,
            group=group,
            topic=topic,
        )
        await self._updates.tell("message", message)
        return message

    def compose_file(
        self,
        content: bytes,
        *,
        kind: str = "document",
        name: str = "file.bin",
        media_type: str = "application/octet-stream",
        caption: str = "",
        album: str | None = None,
        group: Group | None = None,
        topic: int | None = None,
        reply_to: int | None = None,
    ) -> Fields:
        """Send a file and return the message; the bot is not told of it yet."""
        file = self._world.store(name, media_type, content)
        described: Any = {**file.fields, "file_name": name, "mime_type": media_type}
        if kind == "photo":
            small = {**file.fields, "file_id": f"{file.id}-small", "width": 9, "height": 9}
            described = [small, {**file.fields, "width": _SIDE, "height": _SIDE}]
        elif kind in _SIZED:
            described |= {"width": _SIDE, "height": _SIDE}
        if kind in _LONG:
            described |= {"duration": 1}
        if kind == "video_note":
            described |= {"length": _SIDE}
        if kind == "sticker":
            described |= {"type": "regular", "is_animated": False, "is_video": False}
        message: Fields = {kind: described}
        if caption:
            message |= {"caption": caption, "caption_entities": marked(caption)}
        if album:
            message |= {"media_group_id": album}
        return self._add(message, group, topic, reply_to)

    async def send(
        self, content: Fields, *, group: Group | None = None, topic: int | None = None
    ) -> Fields:
        """Send anything else that a message can hold, such as a poll or a contact."""
        return await self._post(content, group, topic, None)

    def editing(self, message: Fields, text: str) -> Fields:
        """Change the text or caption of `message`; return what the bot is to be told of it."""
        is_text = "text" in message
        message["text" if is_text else "caption"] = text
        name = "entities" if is_text else "caption_entities"
        message.pop(name, None)
        if marks := marked(text):
            message[name] = marks
        message["edit_date"] = self._world.now()
        return deepcopy(message)

    async def edit(self, message: Fields, text: str) -> None:
        """Change the text or caption of `message`."""
        await self._updates.tell("edited_message", self.editing(message, text))

    def pressing(self, posted: Posted, label: str | None = None) -> Fields:
        """Press a button under a message of the bot; return what the bot is to be told of it."""
        button = next(one for one in posted.buttons if label in {None, one["text"]})
        callback = str(uuid4().int)[:18]
        self._methods.open_callbacks.add(callback)
        return {
            "id": callback,
            "from": self.fields,
            "message": deepcopy(posted.fields),
            "chat_instance": str(posted.chat),
            "data": button["callback_data"],
        }

    async def press(self, posted: Posted, label: str | None = None) -> str:
        """Press a button under a message of the bot; return the id of the press."""
        pressed = self.pressing(posted, label)
        await self._updates.tell("callback_query", pressed)
        return str(pressed["id"])

    async def react(
        self, chat: int, message: int, *emoji: str, before: tuple[str, ...] = ()
    ) -> None:
        """Have the reactions `emoji` on a message, where `before` were until now."""
        await self._updates.tell(
            "message_reaction",
            {
                "chat": self._world.chats[chat].fields,
                "message_id": message,
                "user": self.fields,
                "date": self._world.now(),
                "old_reaction": [{"type": "emoji", "emoji": one} for one in before],
                "new_reaction": [{"type": "emoji", "emoji": one} for one in emoji],
            },
        )

    async def block(self) -> None:
        """Block the bot."""
        self.chat.is_blocked = True
        await self._member("member", "kicked")

    async def unblock(self) -> None:
        """Let the bot write again."""
        self.chat.is_blocked = False
        await self._member("kicked", "member")

    async def _member(self, old: str, new: str) -> None:
        bot = {"user": self._world.bot}
        dates = {"kicked": {"until_date": 0}}
        await self._updates.tell(
            "my_chat_member",
            {
                "chat": self.chat.fields,
                "from": self.fields,
                "date": self._world.now(),
                "old_chat_member": {**bot, "status": old, **dates.get(old, {})},
                "new_chat_member": {**bot, "status": new, **dates.get(new, {})},
            },
        )

    async def _post(
        self, content: Fields, group: Group | None, topic: int | None, reply_to: int | None
    ) -> Fields:
        message = self._add(content, group, topic, reply_to)
        await self._updates.tell("message", message)
        return message

    def _add(
        self, content: Fields, group: Group | None, topic: int | None, reply_to: int | None
    ) -> Fields:
        chat = self.chat if group is None else group.chat
        if topic is not None:
            chat.topics.add(topic)
            content |= {"message_thread_id": topic, "is_topic_message": True}
        if reply_to is not None:
            answered = {**chat.messages[reply_to]}
            answered.pop("reply_to_message", None)  # Telegram shows one level
            content |= {"reply_to_message": answered}
        chat.has_spoken = True
        return self._world.add(chat, self.fields, **content)


def marked(text: str) -> list[Fields]:
    """Return the entities that Telegram's programs put on commands and mentions."""
    found = [("mention", match) for match in _MENTION.finditer(text)]
    if command := _COMMAND.match(text):
        found = [("bot_command", command)] + [
            pair for pair in found if pair[1].start() >= command.end()
        ]
    return [
        {"type": kind, "offset": units(text[: match.start()]), "length": units(match[0])}
        for kind, match in found
    ]
