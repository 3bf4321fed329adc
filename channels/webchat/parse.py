"""What a web page may send: request bodies and parameters to events. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from unicodedata import category
from uuid import UUID

from pydantic_core import from_json

from channels.webchat import ids
from channels.webchat.tokens import Session
from core.domain.content import Body, FileRef
from core.domain.errors import InvalidInput, NotFound, TooLarge
from core.domain.events import Author, ChoicePressed, MessagePosted
from core.domain.files import KeptFile
from core.domain.ids import AccountId, ChoiceId

MAX_SEQ = 2**63 - 1
MAX_FILES = 10
"""In one message."""

MAX_SENT_CHARS = 200_000
"""In the text of one message; what is longer than a message may be goes along as a file."""


_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z0-9]{1,8})*", re.ASCII)
_SEQ = re.compile(r"[0-9]{1,19}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_LONGEST_NAME = 255
_BLANK = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})

# PostgreSQL cannot store NUL; the other controls show as nothing and confuse what reads the text.
_CONTROLS = dict.fromkeys(c for c in range(0x20) if chr(c) not in "\t\n") | {0x7F: None}


def parse_message(
    account: AccountId,
    session: Session,
    raw: bytes,
    at: datetime,
    left: Callable[[str], KeptFile],
) -> tuple[UUID, MessagePosted]:
    """Return the client's id and the event in the body of `POST /chat/messages`.

    `left` finds a file by its receipt. The text may be longer than the desk keeps as one.

    Raises:
        InvalidInput: the body is not what the interface asks for.
        NotFound: `left` does not find a file.
        TooLarge: the text is longer than anybody writes.
    """
    fields = _fields(raw)
    client_id = _client_id(fields)
    files = tuple(file_of(left(receipt)) for receipt in _receipts(fields))
    return client_id, MessagePosted(
        account=account,
        key=ids.post_key(session.id, client_id),
        thread=ids.thread_key(session.id),
        author=_author(session, fields),
        at=at,
        raw=raw,
        body=Body(text=_text(fields, may_be_blank=bool(files)), files=files),
        remote_ids=(ids.received_id(session.id, client_id),),
    )


def parse_choice(
    account: AccountId, session: Session, raw: bytes, at: datetime
) -> tuple[UUID, ChoicePressed]:
    """Return the client's id and the event in the body of `POST /chat/choices`.

    Raises:
        InvalidInput: the body is not what the interface asks for.
        NotFound: no choice can have that id.
    """
    fields = _fields(raw)
    client_id = _client_id(fields)
    choice = ids.read_uuid(_string(fields, "choice"))
    if choice is None:
        raise NotFound("there is no such choice in this conversation")
    return client_id, ChoicePressed(
        account=account,
        key=ids.press_key(session.id, client_id),
        thread=ids.thread_key(session.id),
        author=_author(session, fields),
        at=at,
        raw=raw,
        choice=ChoiceId(choice),
    )


def parse_session(raw: bytes) -> str | None:
    """Return the language that the body of `POST /chat/sessions` asks for; it may be empty.

    Raises:
        InvalidInput: the body is not what the interface asks for.
    """
    return _language(_fields(raw)) if raw else None


def parse_seq(value: str | None) -> int:
    """Return the sequence number in a parameter; 0 where it is missing.

    Raises:
        InvalidInput: it is not a whole number, negative, or larger than any can be.
    """
    if value is None or value == "":
        return 0
    if not _SEQ.fullmatch(value) or int(value) > MAX_SEQ:
        raise InvalidInput("`after` must be a sequence number: 0 or more")
    return int(value)


def parse_file_name(query: Mapping[str, str]) -> str:
    """Return what the sender of a file calls it.

    Raises:
        InvalidInput: it has no name, or one that is too long.
    """
    name = query.get("name", "")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidInput(f"`name` must be the file's name, {_LONGEST_NAME} characters at most")
    return name


def parse_file_link(query: Mapping[str, str]) -> tuple[UUID, int, str]:
    """Return whose link it is, until when it works (seconds since 1970), and its seal.

    Raises:
        InvalidInput: it is not a link of ours.
    """
    until = query.get("until", "")
    try:
        session = UUID(query.get("session", ""))
    except ValueError:
        session = None
    if session is None or not _SECONDS.fullmatch(until):
        raise InvalidInput("this is not a link of ours")
    return session, int(until), query.get("seal", "")


def parse_bearer(header: str | None) -> str:
    """Return the token in an `Authorization` header; empty where there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _fields(raw: bytes) -> dict[str, Any]:
    try:
        # Not `json`: it takes NaN, half a surrogate pair, and overflows the stack on deep nesting.
        body = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput("the body must be JSON in UTF-8") from error
    if not isinstance(body, dict):
        raise InvalidInput("the body must be a JSON object")
    return body


def _string(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidInput(f"`{name}` must be a string")
    return value


def _client_id(fields: dict[str, Any]) -> UUID:
    client_id = ids.read_uuid(_string(fields, "id"))
    if client_id is None:
        raise InvalidInput("`id` must be a UUID that you make for this message")
    return client_id


def file_of(kept: KeptFile) -> FileRef:
    """Return how a message names a file that was left."""
    return FileRef(
        name=kept.name,
        media_type=kept.media_type,
        size_bytes=kept.size_bytes,
        remote=kept.blob_key,
    )


def _receipts(fields: dict[str, Any]) -> list[str]:
    receipts = fields.get("files", [])
    if not isinstance(receipts, list) or not all(isinstance(one, str) for one in receipts):
        raise InvalidInput("`files` must be a list of what `POST /chat/files` answered as `file`")
    if len(receipts) > MAX_FILES:
        raise InvalidInput(f"`files` must not name more than {MAX_FILES} files")
    return receipts


def _text(fields: dict[str, Any], *, may_be_blank: bool) -> str:
    text = _string(fields, "text").replace("\r\n", "\n").replace("\r", "\n")
    text = text.translate(_CONTROLS).strip()
    if all(category(character) in _BLANK for character in text):
        if may_be_blank:
            return ""
        raise InvalidInput("`text` must not be empty")
    if len(text) > MAX_SENT_CHARS:
        raise TooLarge(f"`text` must not be longer than {MAX_SENT_CHARS} characters")
    return text


def _author(session: Session, fields: dict[str, Any]) -> Author:
    language = _language(fields) or session.language
    return Author(address=ids.address(session.id), language=language)


def _language(fields: dict[str, Any]) -> str | None:
    tag = fields.get("language")
    if tag is None:
        return None
    match = _LANGUAGE_TAG.fullmatch(tag) if isinstance(tag, str) else None
    if match is None:
        raise InvalidInput("`language` must be a language tag such as 'es'")
    return match[1].lower()
