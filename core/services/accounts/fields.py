"""How the settings of a kind of account are written as text: in variables and in forms."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from annotated_types import MaxLen
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import PydanticUndefined

from core.domain.errors import InvalidInput

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


class FieldShape(StrEnum):
    """What can be entered in a field."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    SECRET = "secret"  # noqa: S105 - the name of a shape
    LONG_SECRET = "long_secret"  # noqa: S105 - of several lines, as a key is
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    LIST = "list"  # one a line, or with commas between
    JSON = "json"


SECRET_SHAPES = frozenset({FieldShape.SECRET, FieldShape.LONG_SECRET})

_LONG_CHARS = 500
_NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SPELLINGS = {
    name.lower(): name
    for name in ("API", "CA", "DKIM", "ID", "IDs", "IMAP", "LMTP", "OAuth", "SMTP", "TLS", "URL")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One setting of a kind of account."""

    name: str
    label: str
    hint: str
    shape: FieldShape
    is_required: bool
    default: str  # as text; empty where there is none
    choices: tuple[str, ...] = ()


class InvalidSettings(InvalidInput):
    """Settings of an account are wrong; `problems` says per field what, with no value in it.

    What is said of them as a whole has an empty name, and names settings in braces: `{imap_host}`
    stands for whatever the reader knows that setting by.
    """

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        said = (f"{name}: {words}" if name else by_their_names(words) for name, words in problems)
        super().__init__("; ".join(said))
        self.problems = tuple(problems)


def named_in(said: str) -> tuple[str, ...]:
    """Return the settings that what is said of them as a whole names."""
    return tuple(dict.fromkeys(_NAMED.findall(said)))


def by_their_names(said: str) -> str:
    """Return what is said of settings as a whole as those read it who write them by name."""
    return _NAMED.sub(r"\1", said)


def fields_of(model: type[BaseModel]) -> tuple[SettingField, ...]:
    """Return the settings that `model` knows, in its order."""
    return tuple(_field(name, field) for name, field in model.model_fields.items())


def secret_names(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of the settings that are never shown."""
    return frozenset(
        name for name, field in model.model_fields.items() if _shape(field) in SECRET_SHAPES
    )


def read_settings(
    model: type[BaseModel], texts: Mapping[str, str], kept: Mapping[str, Any] | None = None
) -> BaseModel:
    """Return the settings that `texts` say; an empty text leaves `kept`, or the default.

    Raises:
        InvalidSettings: see there.
    """
    values: dict[str, Any] = dict(kept or {})
    problems = []
    for name, text in texts.items():
        field = model.model_fields.get(name)
        if field is None:
            problems.append((name, "there is no such setting"))
        elif text.strip():
            try:
                values[name] = _read(_shape(field), text.strip())
            except ValueError:
                problems.append((name, "this is not JSON"))
    if problems:
        raise InvalidSettings(problems)
    return validated(model, values)


def validated(model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    """Return the settings that `values` are.

    Raises:
        InvalidSettings: see there.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        # Built from the messages alone: pydantic's own text repeats what was entered.
        raise InvalidSettings(
            [
                (str(each["loc"][0]) if each["loc"] else "", _said(each["type"], each["msg"]))
                for each in error.errors(include_input=False, include_url=False)
            ]
        ) from None


def open_values(settings: BaseModel) -> dict[str, Any]:
    """Return what of `settings` is no secret, as JSON holds it; defaults are left out."""
    return settings.model_dump(
        mode="json", exclude=set(secret_names(type(settings))), exclude_defaults=True
    )


def secret_values(settings: BaseModel) -> dict[str, str]:
    """Return the secrets of `settings` in plain, those that there are."""
    found = {name: getattr(settings, name) for name in secret_names(type(settings))}
    plain = {name: value.get_secret_value() for name, value in found.items() if value is not None}
    return {name: value for name, value in plain.items() if value}


def as_text(value: Any) -> str:
    """Return a setting's value as a form shows it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case list() | tuple() | set() | frozenset() if all(isinstance(v, str) for v in value):
            return "\n".join(sorted(value) if isinstance(value, set | frozenset) else value)
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False)
        case BaseModel():
            return value.model_dump_json()
        case _:
            return str(value)


def _field(name: str, field: FieldInfo) -> SettingField:
    shape = _shape(field)
    default = field.get_default(call_default_factory=True, validated_data={})
    has_default = default is not PydanticUndefined and shape not in SECRET_SHAPES
    return SettingField(
        name=name,
        label=field.title or _label(name),
        hint=field.description or "",
        shape=shape,
        is_required=field.is_required(),
        default=as_text(default) if has_default else "",
        choices=_choices(_bare(field.annotation)),
    )


def _shape(field: FieldInfo) -> FieldShape:
    kind = _bare(field.annotation)
    origin = get_origin(kind) or kind
    extra = field.json_schema_extra
    is_long = isinstance(extra, dict) and extra.get("format") == "multi-line"
    if origin is SecretStr:
        return FieldShape.LONG_SECRET if is_long else FieldShape.SECRET
    if origin is bool:
        return FieldShape.FLAG
    if _choices(kind):
        return FieldShape.CHOICE
    if origin in {int, float}:
        return FieldShape.NUMBER
    if origin in {list, tuple, set, frozenset, Sequence}:
        return FieldShape.LIST
    if origin in {dict, Mapping} or (isinstance(origin, type) and issubclass(origin, BaseModel)):
        return FieldShape.JSON
    is_long |= any(isinstance(m, MaxLen) and m.max_length > _LONG_CHARS for m in field.metadata)
    return FieldShape.LONG_TEXT if is_long else FieldShape.TEXT


def _label(name: str) -> str:
    first, *others = (_SPELLINGS.get(word, word) for word in name.split("_"))
    return " ".join([first[:1].upper() + first[1:], *others])


def _bare(annotation: Any) -> Any:
    """Return `X` of `X | None`."""
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0]
    return annotation


def _choices(kind: Any) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(str(value) for value in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(member.value) for member in kind)
    return ()


def _read(shape: FieldShape, text: str) -> Any:
    if shape is FieldShape.JSON or (shape is FieldShape.LIST and text.startswith("[")):
        return json.loads(text)
    if shape is FieldShape.LIST:
        return [part.strip() for part in text.replace(",", "\n").splitlines() if part.strip()]
    return text


def _said(kind: str, message: str) -> str:
    if kind == "missing":
        return "this is needed"
    return message.removeprefix("Value error, ")
