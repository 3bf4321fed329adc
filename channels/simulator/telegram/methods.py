"""The methods of the Bot API: what each does to the world, or why it does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp.web import FileField

from channels.simulator.telegram.answers import bad_request
from channels.simulator.telegram.checks import (
    MAX_FILE_BYTES,
    MAX_PHOTO_BYTES,
    Arguments,
    check_caption,
    check_text,
    need,
)
from channels.simulator.telegram.updates import Updates
from channels.simulator.telegram.world import Chat, Fields, World

_MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
_ALBUM_SIZES = range(2, 11)

Method = Callable[[Arguments], Awaitable[Any]]


class Methods:
    """What the bot can do."""

    def __init__(self, world: World, updates: Updates) -> None:
        self._world = world
        self._updates = updates
        self.open_callbacks: set[str] = set()
        self.answered: list[str] = []
        """Pressed buttons whose spinner the bot has ended."""
        self.notices: list[str] = []
        """What people were shown for a moment after a press."""
        self.actions: list[Arguments] = []
        self.menus: dict[str, list[Fields]] = {}

    def named(self, name: str) -> Method:
        """Return the method of a name that is known to exist."""
        method: Method = getattr(self, "_" + "".join(_snake(name)))
        return method

    async def _get_me(self, _: Arguments) -> Fields:
        return self._world.bot

    async def _get_updates(self, given: Arguments) -> list[Fields]:
        self._updates.allow(given.get("allowed_updates"))
        return await self._updates.poll(
            given.get("offset"), given.get("limit", 100), given.get("timeout", 0)
        )

    async def _set_webhook(self, given: Arguments) -> bool:
        # As a local Bot API server does, plain http is taken too.
        if given["url"] and not given["url"].startswith(("https://", "http://")):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        self._updates.allow(given.get("allowed_updates"))
        await self._updates.set_webhook(given["url"], given.get("secret_token"))
        return True

    async def _delete_webhook(self, _: Arguments) -> bool:
        await self._updates.set_webhook("", None)
        return True

    async def _get_webhook_info(self, _: Arguments) -> Fields:
        info: Fields = {
            "url": self._updates.webhook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": self._updates.pending,
        }
        if self._updates.last_error is not None:
            info["last_error_date"], info["last_error_message"] = self._updates.last_error
        return info

    async def _send_message(self, given: Arguments) -> Fields:
        check_text(given["text"], given.get("entities", []))
        chat = self._chat(given)
        content = _kept(given, "text", "entities", "reply_markup", "link_preview_options")
        return self._world.post("sendMessage", chat, **content, **_topic(given))

    async def _send_photo(self, given: Arguments) -> Fields:
        return self._send_file("sendPhoto", "photo", given, given["photo"])

    async def _send_document(self, given: Arguments) -> Fields:
        return self._send_file("sendDocument", "document", given, given["document"])

    async def _send_media_group(self, given: Arguments) -> list[Fields]:
        album = given["media"]
        if len(album) not in _ALBUM_SIZES:
            raise bad_request("group must include 2-10 items")
        kinds = {item.get("type") for item in album}
        if not (kinds == {"document"} or kinds <= {"photo", "video"} or kinds == {"audio"}):
            raise bad_request("these kinds of media can't be mixed in a group")
        self._chat(given)
        messages = []
        for item in album:
            upload = item.get("media")
            arguments = {**given, **_kept(item, "caption", "caption_entities")}
            messages.append(self._send_file("sendMediaGroup", item["type"], arguments, upload))
        return messages

    async def _edit_message_text(self, given: Arguments) -> Fields:
        need(given, "chat_id", "message_id")
        check_text(given["text"], given.get("entities", []))
        message = self._own_message(given, "edit")
        if "text" not in message:
            raise bad_request("there is no text in the message to edit")
        return self._changed(message, given, "text", "entities")

    async def _edit_message_caption(self, given: Arguments) -> Fields:
        need(given, "chat_id", "message_id")
        check_caption(given.get("caption", ""), given.get("caption_entities", []))
        message = self._own_message(given, "edit")
        if "text" in message:
            raise bad_request("there is no caption in the message to edit")
        return self._changed(message, given, "caption", "caption_entities")

    async def _delete_message(self, given: Arguments) -> bool:
        message = self._own_message(given, "delete")
        del self._world.chat(given["chat_id"]).messages[message["message_id"]]
        self._world.deleted.append((given["chat_id"], message["message_id"]))
        return True

    async def _answer_callback_query(self, given: Arguments) -> bool:
        if not self.end_spinner(given):
            raise bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
        return True

    def end_spinner(self, given: Mapping[str, Any]) -> bool:
        """End the spinner on a pressed button; return whether it showed one."""
        callback = given.get("callback_query_id")
        if callback not in self.open_callbacks:
            return False
        self.open_callbacks.remove(callback)
        self.answered.append(callback)
        if words := given.get("text"):
            self.notices.append(words)
        return True

    async def _send_chat_action(self, given: Arguments) -> bool:
        self._chat(given)
        self.actions.append(given)
        return True

    async def _get_file(self, given: Arguments) -> Fields:
        file = self._world.files.get(given["file_id"])
        if file is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if len(file.content) > _MAX_DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        return {**file.fields, "file_path": f"documents/{file.id}"}

    async def _get_chat(self, given: Arguments) -> Fields:
        chat = self._world.chats.get(given["chat_id"])
        if chat is None:
            raise bad_request("chat not found")
        return chat.fields

    async def _set_my_commands(self, given: Arguments) -> bool:
        self.menus[given.get("language_code", "")] = given["commands"]
        return True

    def _chat(self, given: Arguments) -> Chat:
        chat = self._world.chat(given["chat_id"])
        topic = given.get("message_thread_id")
        if topic is not None and topic not in chat.topics:
            raise bad_request("message thread not found")
        reply = given.get("reply_parameters")
        if (
            reply is not None
            and reply["message_id"] not in chat.messages
            and not reply.get("allow_sending_without_reply")
        ):
            raise bad_request("message to be replied not found")
        return chat

    def _send_file(self, method: str, kind: str, given: Arguments, upload: Any) -> Fields:
        check_caption(given.get("caption", ""), given.get("caption_entities", []))
        chat = self._chat(given)
        if isinstance(upload, str) and upload.startswith("attach://"):
            raise bad_request("the attached file is missing")
        if not isinstance(upload, FileField):
            raise bad_request("wrong file identifier/HTTP URL specified")
        content = upload.file.read()
        if not content:
            raise bad_request("file must be non-empty")
        if len(content) > (MAX_PHOTO_BYTES if kind == "photo" else MAX_FILE_BYTES):
            raise bad_request("file is too big")
        if kind == "photo" and not _is_picture(content):
            raise bad_request("IMAGE_PROCESS_FAILED")
        file = self._world.store(upload.filename, upload.content_type, content)
        described: Any = {
            **file.fields,
            "file_name": upload.filename,
            "mime_type": upload.content_type,
        }
        if kind == "photo":
            described = [{**file.fields, "width": 100, "height": 100}]
        kept = _kept(given, "caption", "caption_entities", "reply_markup")
        return self._world.post(method, chat, **{kind: described}, **kept, **_topic(given))

    def _own_message(self, given: Arguments, purpose: str) -> Fields:
        message = self._world.chat(given["chat_id"]).messages.get(given["message_id"])
        if message is None:
            raise bad_request(f"message to {purpose} not found")
        if message["from"] != self._world.bot:
            raise bad_request(f"message can't be {'edited' if purpose == 'edit' else 'deleted'}")
        return message

    def _changed(self, message: Fields, given: Arguments, *names: str) -> Fields:
        wanted = _kept(given, *names, "reply_markup")
        if wanted == _kept(message, *names, "reply_markup"):
            raise bad_request(
                "message is not modified: specified new message content and reply markup are"
                " exactly the same as a current content and reply markup of the message"
            )
        for name in (*names, "reply_markup"):
            message.pop(name, None)
        message.update(wanted, edit_date=self._world.now())
        return message


def _snake(name: str) -> list[str]:
    return [f"_{letter.lower()}" if letter.isupper() else letter for letter in name]


def _kept(given: Mapping[str, Any], *names: str) -> Fields:
    return {name: given[name] for name in names if given.get(name)}


def _topic(given: Arguments) -> Fields:
    topic = given.get("message_thread_id")
    reply = given.get("reply_parameters")
    fields: Fields = {}
    if topic is not None:
        fields = {"message_thread_id": topic, "is_topic_message": True}
    if reply is not None:
        fields["reply_to_message"] = {"message_id": reply["message_id"]}
    return fields


def _is_picture(content: bytes) -> bool:
    return content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF"))
