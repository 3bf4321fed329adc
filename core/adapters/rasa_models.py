"""The assistant's models over HTTP: the wire format of `bot/inputs/teaching.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from core.adapters.http import client_of, httpx
from core.domain.errors import AssistantFailed, AssistantLoading
from core.domain.models import Example, Lessons, ServingModel, Training, TrainingState

_TRAINING = "/training"
_SECONDS = 10.0
_LOADING_SECONDS = 90.0  # of another model, beside the one that serves
_NOT_TRAINED = 409
_REFUSED: Mapping[int, str] = {
    httpx.codes.BAD_REQUEST: "the assistant does not understand the examples",
    httpx.codes.NOT_FOUND: "the assistant is of an earlier release and cannot be taught",
    httpx.codes.METHOD_NOT_ALLOWED: "the assistant is of an earlier release and cannot be taught",
    httpx.codes.REQUEST_ENTITY_TOO_LARGE: "these are more examples than the assistant takes",
}
"""What an order is answered with that will never be carried out."""


class _Served(BaseModel):
    model_id: str | None
    lessons: str
    intents: list[str]


class _Figures(BaseModel):
    messages: int
    old: int
    new: int


class _Change(BaseModel):
    text: str
    language: str
    meant: str
    old: str
    new: str
    taught: bool


class _Report(BaseModel):
    passed: bool
    reasons: list[str]
    languages: dict[str, _Figures]
    taught: _Figures
    better: list[_Change]
    worse: list[_Change]
    model: str
    examples: int
    training_seconds: float
    comparing_seconds: float


class _Training(BaseModel):
    state: TrainingState
    detail: str = Field(default="", max_length=1_000)
    report: _Report | None = None


class RasaModels:
    """Implements `core.ports.TeachableAssistant`."""

    def __init__(self, url: str, token: str) -> None:
        self._client = client_of(
            f"{url.rstrip('/')}/webhooks/desk",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_SECONDS,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def serving(self) -> ServingModel:
        """See `core.ports.TeachableAssistant.serving`."""
        return _served(await self._asked("GET", "/model", None, _SECONDS))

    async def use(self, lessons: str) -> ServingModel | None:
        """See `core.ports.TeachableAssistant.use`."""
        response = await self._asked("PUT", "/model", {"lessons": lessons}, _LOADING_SECONDS)
        return None if response.status_code == _NOT_TRAINED else _served(response)

    async def train(self, lessons: Lessons) -> Training:
        """See `core.ports.TeachableAssistant.train`."""
        order = {
            "lessons": lessons.name,
            "examples": [_fields(one) for one in lessons.examples],
            "held_back": [_fields(one) for one in lessons.held_back],
        }
        response = await self._asked("PUT", _TRAINING, order, _SECONDS)
        if response.status_code in _REFUSED:
            return Training(state=TrainingState.FAILED, detail=_REFUSED[response.status_code])
        try:
            read = _Training.model_validate_json(response.content)
        except ValidationError as error:
            raise AssistantFailed("what the assistant says of a training does not fit") from error
        if read.state == TrainingState.DONE and read.report is None:
            return Training(state=TrainingState.FAILED, detail="the report is missing")
        return Training(
            state=read.state,
            detail=read.detail,
            passed=read.report is not None and read.report.passed,
            report=None if read.report is None else read.report.model_dump(),
        )

    async def _asked(
        self, method: str, path: str, body: dict[str, Any] | None, seconds: float
    ) -> httpx.Response:
        try:
            response = await self._client.request(method, path, json=body, timeout=seconds)
        except httpx.ConnectError as error:
            raise AssistantLoading("the assistant cannot be reached") from error
        except httpx.TransportError as error:
            raise AssistantFailed("the connection to the assistant broke") from error
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise AssistantLoading("the assistant has no model loaded yet")
        known = {httpx.codes.OK, *_REFUSED} if path == _TRAINING else {httpx.codes.OK, _NOT_TRAINED}
        if response.status_code not in known:
            raise AssistantFailed(f"the assistant answered with status {response.status_code}")
        return response


def _served(response: httpx.Response) -> ServingModel:
    try:
        read = _Served.model_validate_json(response.content)
    except ValidationError as error:
        raise AssistantFailed("what the assistant says of its model does not fit") from error
    return ServingModel(model=read.model_id, lessons=read.lessons, intents=tuple(read.intents))


def _fields(example: Example) -> dict[str, str]:
    return {"text": example.text, "intent": example.intent, "language": example.language}
