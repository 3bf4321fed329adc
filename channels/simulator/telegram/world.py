"""What exists on the platform: chats, who is in them, messages and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from channels.simulator.telegram.answers import Refused, bad_request

Fields = dict[str, Any]


@dataclass(slots=True)
class Chat:
    """One chat, with the messages in it by number."""

    fields: Fields  # as `Chat` in the Bot API
    messages: dict[int, Fields] = field(default_factory=dict)
    topics: set[int] = field(default_factory=set)
    has_spoken: bool = False  # the person opened the chat: a bot cannot
    is_blocked: bool = False
    moved_to: int | None = None
    last_number: int = 0

    @property
    def id(self) -> int:
        return int(self.fields["id"])

    @property
    def is_private(self) -> bool:
        return bool(self.fields["type"] == "private")


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of the bot, as people saw it when it came."""

    chat: int
    number: int
    method: str
    text: str  # or caption
    fields: Fields

    @property
    def buttons(self) -> list[Fields]:
        rows = self.fields.get("reply_markup", {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on the platform's servers."""

    id: str
    name: str
    media_type: str
    content: bytes

    @property
    def fields(self) -> Fields:
        return {
            "file_id": self.id,
            "file_unique_id": self.id[-12:],
            "file_size": len(self.content),
        }


class World:
    """All chats and files of one platform; the bot is a member of every group."""

    def __init__(self, bot: Fields, now: Callable[[], int]) -> None:
        self.bot = bot
        self.now = now
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, StoredFile] = {}
        self.posted: list[Posted] = []
        self.deleted: list[tuple[int, int]] = []
        self._last_user = 1_000
        self._last_group = 0

    def new_user(self) -> int:
        """Return an id for a person."""
        self._last_user += 1
        return self._last_user

    def new_group(self, *, is_supergroup: bool) -> int:
        """Return an id for a group."""
        self._last_group += 1
        return -1_000_000_000_000 - self._last_group if is_supergroup else -self._last_group

    def chat(self, chat_id: int) -> Chat:
        """Return a chat that the bot may write to; refuse others as Telegram does."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.moved_to is not None:
            raise bad_request(
                "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to
            )
        if chat.is_blocked:
            raise Refused(
                403,
                "Forbidden: bot was blocked by the user"
                if chat.is_private
                else "Forbidden: bot was kicked from the group chat",
            )
        if chat.is_private and not chat.has_spoken:
            raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    def add(self, chat: Chat, author: Fields, **content: Any) -> Fields:
        """Put a message into `chat` and return it."""
        chat.last_number += 1
        message = {
            "message_id": chat.last_number,
            "from": author,
            "chat": chat.fields,
            "date": self.now(),
            **content,
        }
        chat.messages[chat.last_number] = message
        return message

    def post(self, method: str, chat: Chat, **content: Any) -> Fields:
        """Put a message of the bot into `chat` and return it."""
        message = self.add(chat, self.bot, **content)
        text = str(content.get("text") or content.get("caption") or "")
        self.posted.append(Posted(chat.id, message["message_id"], method, text, message))
        return message

    def store(self, name: str, media_type: str, content: bytes) -> StoredFile:
        """Keep a file."""
        digest = sha256(content + name.encode()).hexdigest()[:24]
        file = StoredFile(f"F{len(self.files)}-{digest}", name, media_type, content)
        self.files[file.id] = file
        return file
