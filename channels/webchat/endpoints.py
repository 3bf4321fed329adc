"""The web chat's HTTP interface: sessions, messages, choices and the event stream."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from channels.webchat import ids, parse, render
from channels.webchat.limits import ChatLimits
from channels.webchat.texts import choose_language
from channels.webchat.tokens import Session, SessionTokens
from core.domain.content import MAX_TEXT_CHARS, Body
from core.domain.downloads import file_headers
from core.domain.errors import Conflict, DeskError, InvalidInput, NotFound, TooLarge
from core.domain.files import KeptFile
from core.domain.ids import AccountId, ChoiceId, ThreadKey, new_id
from core.ports import Acceptance, FileDeposit, Inbox, Refusal, Transcript, TranscriptEntry

MAX_BODY_BYTES = 1024 * 1024  # of JSON: the longest text, and the receipts of files
HEARTBEAT_SECONDS = 15
_PAGE_ENTRIES = 200
_MAX_ENTRIES = 2_000  # in one answer; "more" says that there is more
_ENOUGH_CHARS = 1_000_000  # of text in one answer; the message that exceeds it is the last
_LINK_SECONDS = 7 * 24 * 3600
_RECEIPT_SECONDS = 12 * 3600  # less than a file is kept that no message brought
_SEND_SECONDS = 30  # a reader that takes nothing for so long is gone


_OTHER_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


class _Ended:
    """What an exhausted watch gives."""


_ENDED = _Ended()
_log = logging.getLogger(__name__)


class ChatEndpoints:
    """Answers the requests of chat pages for one account."""

    def __init__(
        self,
        account: AccountId,
        tokens: SessionTokens,
        inbox: Inbox,
        transcript: Transcript,
        limits: ChatLimits,
        *,
        deposit: FileDeposit | None,
        default_language: str,
        clock: Callable[[], datetime],
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._account = account
        self._tokens = tokens
        self._inbox = inbox
        self._transcript = transcript
        self._limits = limits
        self._deposit = deposit
        self._default_language = default_language
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the interface."""
        return [
            Route("/chat/sessions", self.open_session, methods=["POST"]),
            Route("/chat/messages", self.post_message, methods=["POST"]),
            Route("/chat/messages", self.list_messages, methods=["GET"]),
            Route("/chat/choices", self.press_choice, methods=["POST"]),
            Route("/chat/events", self.stream_events, methods=["GET"]),
            Route("/chat/files", self.leave_file, methods=["POST"]),
            Route("/chat/files/{file:uuid}", self.send_file, methods=["GET"]),
        ]

    async def open_session(self, request: Request) -> Response:
        """Make a session. Nothing is stored: it exists from its first message on."""
        self._limits.count_session(_remote(request))
        language = parse.parse_session(await _body(request)) or choose_language(
            None, request.headers.get("accept-language"), self._default_language
        )
        session = Session(id=new_id(), language=language, issued_at=self._clock())
        token = self._tokens.issue(session)
        return _json({"session": str(session.id), "token": token}, status=201)

    async def post_message(self, request: Request) -> Response:
        """Take a message; the answer comes after the commit."""
        session = self._session(request)
        now = self._clock()

        def left(receipt: str) -> KeptFile:
            return self._tokens.read_receipt(session.id, receipt, now)

        body = await _body(request)
        client_id, event = parse.parse_message(self._account, session, body, now, left)
        self._limits.count_message(session.id, _remote(request), size_bytes=len(body))
        if len(event.body.text) > MAX_TEXT_CHARS:
            whole = event.body.text.encode()
            self._limits.count_file(session.id, _remote(request), size_bytes=len(whole))
            event = replace(event, body=await self._shortened(event.body, whole))
        (acceptance,) = await self._inbox.accept(event)
        if not acceptance.is_new and acceptance.seq is not None:
            first = await self._entry(event.thread, acceptance.seq)
            if first is not None and first.text != event.body.text:
                raise Conflict("another message was sent under this id: make a new one")
        return _accepted(str(client_id), acceptance)

    async def _shortened(self, body: Body, whole: bytes) -> Body:
        """Return what the desk keeps as one message, with the `whole` text as a file."""
        files = body.files
        if self._deposit is not None:
            kept = await self._deposit.leave(
                _at_once(whole), name="message.txt", media_type="text/plain"
            )
            files = (*files, parse.file_of(kept))
        return replace(body, text=body.text[: MAX_TEXT_CHARS - 1] + "…", files=files)

    async def leave_file(self, request: Request) -> Response:
        """Take in a file; the message that it belongs to names it by what this answers."""
        if self._deposit is None:
            raise NotFound("files cannot be sent here")
        session = self._session(request)
        name = parse.parse_file_name(request.query_params)
        # What comes in pieces without a length counts as the largest that it can become.
        size_bytes = _declared(request) or self._deposit.max_bytes
        if size_bytes > self._deposit.max_bytes:
            raise TooLarge("the file is too large")
        self._limits.count_file(session.id, _remote(request), size_bytes=size_bytes)
        kept = await self._deposit.leave(
            _pieces(request), name=name, media_type=request.headers.get("content-type", "")
        )
        until = int(self._clock().timestamp()) + _RECEIPT_SECONDS
        receipt = self._tokens.issue_receipt(session.id, kept, until)
        left = {
            "file": receipt,
            "name": kept.name,
            "media_type": kept.media_type,
            "size": kept.size_bytes,
        }
        return _json(left, status=201)

    async def press_choice(self, request: Request) -> Response:
        """Take a press of a button; the answer comes after the commit."""
        session = self._session(request)
        client_id, event = parse.parse_choice(
            self._account, session, await _body(request), self._clock()
        )
        self._limits.count_message(session.id, _remote(request))
        (acceptance,) = await self._inbox.accept(event)
        match acceptance.refusal:
            case None:
                pass
            case Refusal.ALREADY_CHOSEN:
                raise Conflict("a choice under this message has been made already")
            case _:
                raise NotFound("there is no such choice in this conversation")
        if not acceptance.is_new and acceptance.seq is not None:
            first = await self._entry(event.thread, acceptance.seq)
            label = await self._label(event.thread, event.choice)
            if first is not None and first.text != label:
                raise Conflict("another choice was sent under this id: make a new one")
        return _accepted(str(client_id), acceptance)

    async def list_messages(self, request: Request) -> Response:
        """Answer with the messages above `after`, oldest first."""
        session = self._session(request)
        thread = ids.thread_key(session.id)
        after = parse.parse_seq(request.query_params.get("after"))
        self._limits.count_read(session.id, _remote(request))
        messages: list[dict[str, Any]] = []
        chars, more = 0, True
        while more and len(messages) < _MAX_ENTRIES and chars < _ENOUGH_CHARS:
            entries = await self._since(thread, after)
            more = len(entries) == _PAGE_ENTRIES
            for entry in entries:
                if chars >= _ENOUGH_CHARS:
                    more = True
                    break
                messages.append(render.to_json(entry, self._links(session.id)))
                chars += len(entry.text)
                after = entry.seq
        return _json({"messages": messages, "more": more})

    async def stream_events(self, request: Request) -> Response:
        """Answer with a stream of messages above `Last-Event-ID`, or else `after`."""
        session = self._session(request)
        thread = ids.thread_key(session.id)
        after = parse.parse_seq(
            request.headers.get("last-event-id") or request.query_params.get("after")
        )
        remote = _remote(request)
        self._limits.check_stream(session.id, remote)
        self._limits.count_read(session.id, remote)
        # Read once before the first byte: while the database is away the answer is a 503, not a
        # stream that ends at once.
        entries = await self._since(thread, after)
        return EventSourceResponse(
            self._events(session.id, remote, after, entries),
            headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
            ping=self._heartbeat_seconds,
            sep="\n",
            send_timeout=_SEND_SECONDS,
        )

    async def send_file(self, request: Request) -> Response:
        """Answer with a file of the conversation; the link itself says who may follow it."""
        file: UUID = request.path_params["file"]
        session, until, seal = parse.parse_file_link(request.query_params)
        self._tokens.check_file_seal(session, file, until, seal, self._clock())
        found, pieces = await self._transcript.open_file(
            self._account, ids.thread_key(session), file
        )
        headers = file_headers(found.name, found.media_type, found.size_bytes, may_show=True)
        return StreamingResponse(pieces, headers=headers)

    def _links(self, session: UUID) -> Callable[[UUID], str]:
        """Return what makes the addresses of files for one session, good for some days."""
        until = int(self._clock().timestamp()) + _LINK_SECONDS

        def link(file: UUID) -> str:
            seal = self._tokens.file_seal(session, file, until)
            return f"/chat/files/{file}?session={session}&until={until}&seal={seal}"

        return link

    async def _events(
        self, session: UUID, remote: str | None, after: int, entries: Sequence[TranscriptEntry]
    ) -> AsyncIterator[ServerSentEvent]:
        thread = ids.thread_key(session)
        try:
            async with AsyncExitStack() as stack:
                stack.enter_context(self._limits.stream(session, remote))
                watch = self._transcript.watch(self._account, thread)
                changes = await stack.enter_async_context(watch)
                may_be_more = True  # the first read came before the watch began
                while True:
                    for entry in entries:
                        after = entry.seq
                        shown = render.to_json(entry, self._links(session))
                        yield ServerSentEvent(_line(shown), id=str(after))
                    # What is committed from here on ticks, also while it is being read.
                    if not may_be_more and await anext(changes, _ENDED) is _ENDED:
                        return
                    entries = await self._since(thread, after)
                    may_be_more = len(entries) == _PAGE_ENTRIES
        except DeskError as error:
            _log.warning("chat stream of thread %s ended: %s", thread, type(error).__name__)

    def _session(self, request: Request) -> Session:
        token = parse.parse_bearer(request.headers.get("authorization"))
        return self._tokens.read(token, self._clock())

    async def _since(self, thread: ThreadKey, after: int) -> Sequence[TranscriptEntry]:
        return await self._transcript.since(self._account, thread, after, _PAGE_ENTRIES)

    async def _entry(self, thread: ThreadKey, seq: int) -> TranscriptEntry | None:
        for entry in await self._transcript.since(self._account, thread, seq - 1, 1):
            if entry.seq == seq:
                return entry
        return None

    async def _label(self, thread: ThreadKey, choice: ChoiceId) -> str | None:
        after = 0
        while entries := await self._since(thread, after):
            for entry in entries:
                for offered in entry.choices:
                    if offered.id == choice:
                        return offered.label
            after = max(entry.seq for entry in entries)
        return None


def _remote(request: Request) -> str | None:
    return request.client.host if request.client is not None else None


async def _body(request: Request) -> bytes:
    """Return the body; never hold more of it than may be sent."""
    if _declared(request) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in _pieces(request):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(body)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as error:
        raise InvalidInput("the request broke off") from error


async def _at_once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _declared(request: Request) -> int:
    """Return how many bytes the body is said to have; 0 where nothing is said."""
    declared = request.headers.get("content-length", "0")
    return int(declared) if declared.isdecimal() else 0


def _too_large() -> TooLarge:
    return TooLarge(f"the body must not be larger than {MAX_BODY_BYTES} bytes")


def _accepted(client_id: str, acceptance: Acceptance) -> Response:
    status = 202 if acceptance.is_new else 200
    return _json({"id": client_id, "seq": acceptance.seq}, status=status)


def _line(content: dict[str, Any]) -> str:
    # Not ends of line to the standard, but many readers of event streams split on them.
    return to_json(content).decode().translate(_OTHER_LINE_ENDS)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(to_json(content), status, headers, "application/json")
