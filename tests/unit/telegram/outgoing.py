"""Messages that go out, as the desk hands them over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.domain.channel import Outbound
from core.domain.content import Body, Choice, FileRef, Intent
from core.domain.conversation import Speaker
from core.domain.ids import ChoiceId, ConversationId, MessageId, ThreadKey, new_id
from tests.unit.telegram.memory import ACCOUNT

YES = Choice(id=ChoiceId(new_id()), label="Yes", intent=Intent(name="helped"))
NO = Choice(id=ChoiceId(new_id()), label="No", intent=Intent(name="not_helped"))


def out(text: str = "Good morning", **more: Any) -> Outbound:
    files = more.pop("files", ())
    message = Outbound(
        message=MessageId(new_id()),
        account=ACCOUNT,
        conversation=ConversationId(new_id()),
        thread=ThreadKey("11"),
        speaker=Speaker.BOT,
        body=Body(text=text, files=files),
    )
    return replace(message, **more)


def file(name: str, media_type: str, size: int = 10) -> FileRef:
    return FileRef(name=name, media_type=media_type, size_bytes=size, remote=f"files/{name}")
