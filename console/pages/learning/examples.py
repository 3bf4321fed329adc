"""Examples that the assistant is taught: proposed, reviewed, taken away."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from console.desk import desk_of
from console.pages.learning.topics import check_seen
from console.pages.session import Admins, Leads, Readers, form_of, text_field
from console.pages.view import page, translator
from console.words import learning as learning_words
from console.words.errors import error_in_words
from core.domain.errors import DeskError, InvalidInput
from core.domain.ids import ExampleId, TopicId
from core.domain.languages import LANGUAGES
from core.domain.models import Example, ExampleState
from core.services.learning.examples import known_intents
from core.storage.engine import storage_errors
from core.storage.queries.feed import feed_end
from core.storage.queries.learning.examples import example_counts, examples

router = APIRouter(prefix="/console/assistant/examples")

Verdict = Literal["approve", "reject", "intent", "delete"]

_LIST = "/console/assistant/examples"


@router.get("")
async def show_examples(
    request: Request,
    _: Readers,
    state: str = ExampleState.PENDING,
    q: str = "",
    intent: str = "",
    text: str = "",
    language: str = "",
) -> Response:
    """List examples; `text` is put in the form for a new one."""
    filled = Example(text=text[:500], intent="ask_question", language=language) if text else None
    return await _page(request, state=state, words=q, intent=intent, filled=filled)


@router.post("")
async def propose(request: Request, signed_in: Leads) -> Response:
    """Keep an example for review; a topic it came from is settled by it."""
    form = await form_of(request)
    example = Example(
        text=text_field(form, "text"),
        intent=text_field(form, "intent"),
        language=text_field(form, "language"),
    )
    words = text_field(form, "topic")
    desk = desk_of(request)
    try:
        if words:
            topic = _topic(words)
            await check_seen(request, signed_in.agent, topic)
            await desk.topics.propose_example(topic, example, signed_in.agent)
        else:
            await desk.examples.propose(example, signed_in.agent)
    except DeskError as error:
        return await _page(request, wrong=error, filled=example)
    return RedirectResponse(_LIST, 303)


@router.post("/{example}/{verdict}")
async def review(request: Request, signed_in: Admins, example: UUID, verdict: Verdict) -> Response:
    """Approve, reject or delete an example, or give it another intent."""
    form = await form_of(request)
    book, name = desk_of(request).examples, ExampleId(example)
    try:
        match verdict:
            case "approve":
                await book.review(name, ExampleState.APPROVED, signed_in.agent)
            case "reject":
                await book.review(name, ExampleState.REJECTED, signed_in.agent)
            case "intent":
                await book.change_intent(name, text_field(form, "intent"), signed_in.agent)
            case _:
                await book.remove(name, signed_in.agent)
    except InvalidInput as error:
        return await _page(request, wrong=error)
    state = text_field(form, "state")
    return RedirectResponse(f"{_LIST}?state={state}" if state in set(ExampleState) else _LIST, 303)


def _topic(words: str) -> TopicId:
    try:
        return TopicId(UUID(words))
    except ValueError:
        raise InvalidInput("this page is too old: load it again") from None


async def _page(
    request: Request,
    *,
    state: str = ExampleState.PENDING,
    words: str = "",
    intent: str = "",
    wrong: DeskError | None = None,
    filled: Example | None = None,
) -> Response:
    shown = ExampleState(state) if state in set(ExampleState) else ExampleState.PENDING
    words = words.replace("\x00", "")[:200].strip()
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        intents = await known_intents(session)
        chosen = intent if intent in intents else None
        found = await examples(session, state=shown, intent=chosen, words=words)
        counts = await example_counts(session)
    return page(
        request,
        "assistant/examples.html",
        status=422 if wrong else 200,
        position=position,
        examples=found,
        counts=counts,
        shown=shown,
        intents=intents,
        intent=chosen or "",
        q=words,
        said=learning_words,
        filled=filled or Example(text="", intent="", language=next(iter(LANGUAGES))),
        wrong=error_in_words(wrong, translator(request)) if wrong else None,
    )
