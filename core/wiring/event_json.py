"""Events as JSON, for people and programs outside the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from core.domain.content import Body, FileRef
from core.domain.events import Author, Event

_LEFT_OUT = frozenset({"raw", "account"})  # the payload itself; the same in every line


def event_json(event: Event) -> dict[str, Any]:
    """Return `event` with its type first; what it does not say is left out.

    The text and files of its body stand beside its key, a person is an id with a name.
    """
    told: dict[str, Any] = {
        "type": type(event).__name__,
        "key": event.key,
        "thread": event.thread,
        "author": _author(event.author),
    }
    for field in fields(event):
        if field.name in _LEFT_OUT or field.name in told:
            continue
        value = getattr(event, field.name)
        if isinstance(value, Body):
            told |= _body(value)
        elif not _is_empty(value):
            told[field.name] = _plain(value)
    return told


def _author(author: Author) -> dict[str, Any]:
    told: dict[str, Any] = {"id": author.address, "name": author.name}
    if author.email is not None:
        told["email"] = author.email
    if author.language is not None:
        told["language"] = author.language
    return told


def _body(body: Body) -> dict[str, Any]:
    told: dict[str, Any] = {"text": body.text, "files": [_file(file) for file in body.files]}
    for name in ("html", "quoted", "signature", "unsupported"):
        if not _is_empty(value := getattr(body, name)):
            told[name] = _plain(value)
    return told


def _file(file: FileRef) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size_bytes,
    }
    if file.content_id is not None:
        told["content_id"] = file.content_id
    if file.is_inline:
        told["inline"] = True
    return told


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == ()


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case Author():
            return _author(value)
        case tuple() | list():
            return [_plain(each) for each in value]
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case bool() | int() | float() | str() | None:
            return value
        case _:  # a value of the domain, such as an intent or an envelope
            return {
                field.name: _plain(inner)
                for field in fields(value)
                if not _is_empty(inner := getattr(value, field.name))
            }
