"""The assistant over HTTP: the wire format of `bot/inputs/desk.py`, read strictly."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from core.adapters.http import client_of, httpx
from core.adapters.rasa_understanding import Understood, understanding_of
from core.domain.assistant import (
    AddToTicket,
    Answer,
    Close,
    Handoff,
    HandoffReason,
    Offer,
    OfferedChoice,
    OpenTicket,
    Say,
    SetLanguage,
    Step,
    TicketKind,
    TurnReply,
    TurnRequest,
)
from core.domain.content import Intent
from core.domain.errors import AssistantFailed, AssistantLoading
from core.domain.ids import ArticleId
from core.domain.languages import LANGUAGES
from core.domain.ticket import Priority

_LOGGER = logging.getLogger(__name__)
_HEALTH_SECONDS = 2.0

_FieldName = Annotated[str, Field(min_length=1, max_length=100)]
_FieldValue = Annotated[str, Field(max_length=4_000)]


class _Choice(BaseModel):
    label: str = Field(min_length=1, max_length=200)
    intent: str = Field(min_length=1, max_length=100)
    entities: dict[str, str] = Field(default_factory=dict)


class _Output(BaseModel):
    type: str
    text: str = ""
    choices: list[_Choice] = Field(default_factory=list)
    name: str = ""
    args: dict[str, Any] = Field(default_factory=dict)


class _Understanding(BaseModel):
    name: str | None = None
    confidence: float | None = None


class _Reply(BaseModel):
    turn_id: str
    output: list[_Output]
    intent: _Understanding | None = None
    model_id: str | None = None
    understood: Understood = Field(default_factory=Understood)


class _Handoff(BaseModel):
    reason: HandoffReason
    priority: Priority = Priority.NORMAL
    summary: str = Field(default="", max_length=10_000)


class _OpenTicket(BaseModel):
    kind: TicketKind
    subject: str = Field(min_length=1, max_length=10_000)
    description: str = Field(default="", max_length=20_000)
    urgency: Priority = Priority.NORMAL
    since: str | None = Field(default=None, max_length=1_000)
    fields: dict[_FieldName, _FieldValue] = Field(default_factory=dict, max_length=40)
    item: str | None = Field(default=None, min_length=1, max_length=200)
    values: dict[_FieldName, _FieldValue] = Field(default_factory=dict, max_length=40)


class _AddToTicket(BaseModel):
    number: int = Field(ge=1, le=10**12)
    text: str = Field(min_length=1, max_length=4_000)


class _Answer(BaseModel):
    article_id: str = Field(min_length=1, max_length=200)
    score: float | None = None


class _Offer(BaseModel):
    article_ids: list[str] = Field(min_length=1, max_length=3)


class _SetField(BaseModel):
    field: str = Field(pattern="^language$")
    value: str = Field(pattern=f"^({'|'.join(LANGUAGES)})$")


class _Close(BaseModel):
    reason: str = Field(default="", max_length=200)


def _read_answer(args: Mapping[str, Any]) -> Step:
    read = _Answer.model_validate(args)
    return Answer(article=ArticleId(read.article_id), score=read.score)


def _read_offer(args: Mapping[str, Any]) -> Step:
    read = _Offer.model_validate(args)
    return Offer(articles=tuple(ArticleId(name) for name in read.article_ids))


def _read_handoff(args: Mapping[str, Any]) -> Step:
    read = _Handoff.model_validate(args)
    return Handoff(reason=read.reason, priority=read.priority, summary=read.summary)


def _read_open_ticket(args: Mapping[str, Any]) -> Step:
    read = _OpenTicket.model_validate(args)
    return OpenTicket(
        kind=read.kind,
        subject=read.subject,
        description=read.description,
        urgency=read.urgency,
        since=read.since,
        fields=read.fields,
        item=read.item,
        values=read.values,
    )


def _read_add_to_ticket(args: Mapping[str, Any]) -> Step:
    read = _AddToTicket.model_validate(args)
    return AddToTicket(number=read.number, text=read.text)


def _read_set_field(args: Mapping[str, Any]) -> Step:
    return SetLanguage(language=_SetField.model_validate(args).value)


def _read_close(args: Mapping[str, Any]) -> Step:
    return Close(reason=_Close.model_validate(args).reason)


COMMANDS: Mapping[str, Callable[[Mapping[str, Any]], Step]] = {
    "answer": _read_answer,
    "offer": _read_offer,
    "handoff": _read_handoff,
    "open_ticket": _read_open_ticket,
    "add_to_ticket": _read_add_to_ticket,
    "set_field": _read_set_field,
    "close": _read_close,
}
"""The commands the desk knows, and how each is read from its arguments."""


def turn_json(request: TurnRequest) -> dict[str, Any]:
    """Return `request` as the assistant reads it."""
    return {
        "turn_id": str(request.turn),
        "sender_id": request.sender,
        "text": request.text,
        "choice": None
        if request.intent is None
        else {"intent": request.intent.name, "entities": dict(request.intent.entities)},
        "language": request.language,
        "context": {
            "tickets": [
                {
                    "number": ticket.number,
                    "status": ticket.status,
                    "subject": ticket.subject,
                    "created_at": ticket.created_at.isoformat(),
                    "updated_at": ticket.updated_at.isoformat(),
                }
                for ticket in request.tickets
            ],
            "shared": request.is_shared,
            "summary": request.summary,
            "requester_name": request.requester_name,
            "is_vip": request.is_vip,
            "channel": request.channel,
            "by_letter": request.is_by_letter,
        },
    }


def read_reply(request: TurnRequest, body: bytes) -> TurnReply:
    """Return the reply in `body`; commands that do not fit their schema are left out and named.

    Raises:
        AssistantFailed: the body is no reply to `request`.
    """
    try:
        reply = _Reply.model_validate_json(body)
    except ValidationError as error:
        raise AssistantFailed("the assistant's reply does not fit its schema") from error
    if reply.turn_id != str(request.turn):
        raise AssistantFailed("the assistant replied to another turn")
    steps: list[Step] = []
    ignored: list[str] = []
    for output in reply.output:
        if output.type == "say":
            choices = tuple(
                OfferedChoice(label=c.label, intent=Intent(name=c.intent, entities=c.entities))
                for c in output.choices
            )
            steps.append(Say(text=output.text, choices=choices))
        elif output.type == "command" and output.name in COMMANDS:
            try:
                steps.append(COMMANDS[output.name](output.args))
            except ValidationError as error:
                _LOGGER.warning(
                    "turn %s: command %s does not fit: %s",
                    request.turn,
                    output.name,
                    error.errors(include_input=False, include_url=False),
                )
                ignored.append(output.name)
        else:
            _LOGGER.warning("turn %s: unknown output %s", request.turn, output.type)
            ignored.append(output.name or output.type)
    intent = reply.intent or _Understanding()
    return TurnReply(
        turn=request.turn,
        steps=tuple(steps),
        intent=intent.name,
        confidence=intent.confidence,
        model=reply.model_id,
        ignored=tuple(ignored),
        understanding=understanding_of(reply.understood),
    )


class RasaAssistant:
    """Implements `core.ports.Assistant`. One attempt per call: the turns lane decides on more."""

    def __init__(self, url: str, token: str, timeout_seconds: float) -> None:
        self._client = client_of(
            f"{url.rstrip('/')}/webhooks/desk",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_seconds,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def reply(self, request: TurnRequest) -> TurnReply:
        """See `core.ports.Assistant.reply`."""
        try:
            response = await self._client.post("/turn", json=turn_json(request))
        except httpx.ConnectError as error:
            raise AssistantLoading("the assistant cannot be reached") from error
        except httpx.TimeoutException as error:
            raise AssistantFailed("the assistant did not reply in time") from error
        except httpx.TransportError as error:
            raise AssistantFailed("the connection to the assistant broke") from error
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise AssistantLoading("the assistant has no model loaded yet")
        if response.status_code != httpx.codes.OK:
            raise AssistantFailed(f"the assistant answered with status {response.status_code}")
        return read_reply(request, response.content)

    async def is_ready(self) -> bool:
        """See `core.ports.Assistant.is_ready`."""
        try:
            response = await self._client.get("/health", timeout=_HEALTH_SECONDS)
        except httpx.TransportError:
            return False
        return response.status_code == httpx.codes.OK
