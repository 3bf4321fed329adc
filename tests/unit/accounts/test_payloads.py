"""Payloads read by hand: a line of JSON for each, whatever it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.loopback.parse import posting
from core.domain.content import Body, Caution, Envelope, FileRef, Intent
from core.domain.events import Author, ChoicePressed, MessagePosted, ParticipantChanged
from core.domain.ids import AccountId, Address, ChoiceId, EventKey, RemoteId, ThreadKey
from core.wiring.event_json import event_json
from core.wiring.payloads import reading
from tests.support import pager

AT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
COMMON = {
    "account": AccountId("a"),
    "key": EventKey("post:1"),
    "thread": ThreadKey("t"),
    "author": Author(address=Address("U1"), name="Ada"),
    "at": AT,
}


def test_a_posting_is_told_with_its_text_and_files() -> None:
    event = MessagePosted(
        **COMMON,  # type: ignore[arg-type]
        raw=b"never shown",
        body=Body(
            text="hello",
            files=(FileRef(name="a.png", media_type="image/png", size_bytes=3, remote="F1"),),
        ),
        remote_ids=(RemoteId("1"),),
        intent=Intent(name="ask_human", entities={"to": "sales"}),
        envelope=Envelope(to=(Address("x@example.org"),)),
        caution=Caution.UNVERIFIED,
    )
    assert event_json(event) == {
        "type": "MessagePosted",
        "key": "post:1",
        "thread": "t",
        "author": {"id": "U1", "name": "Ada"},
        "at": "2030-01-02T03:04:05+00:00",
        "text": "hello",
        "files": [{"name": "a.png", "media_type": "image/png", "size": 3}],
        "remote_ids": ["1"],
        "intent": {"name": "ask_human", "entities": {"to": "sales"}},
        "envelope": {"to": ["x@example.org"]},
        "caution": "unverified",
        "is_automatic": False,
        "is_spam": False,
        "is_shared": False,
    }


def test_ids_and_people_are_told_as_text() -> None:
    choice = UUID(int=7)
    pressed = ChoicePressed(**COMMON, choice=ChoiceId(choice))  # type: ignore[arg-type]
    assert event_json(pressed)["choice"] == str(choice)
    bob = Author(address=Address("U2"), name="Bob", email="bob@example.org")
    joined = ParticipantChanged(**COMMON, participant=bob, joined=True)  # type: ignore[arg-type]
    assert event_json(joined)["participant"] == {
        "id": "U2",
        "name": "Bob",
        "email": "bob@example.org",
    }


def test_a_line_becomes_its_events() -> None:
    raw = posting(remote_id="1", thread="t", who="ada", text="hi", language=None, at=AT)
    (event,) = reading(pager.KIND, raw)["events"]
    assert (event["type"], event["text"]) == ("MessagePosted", "hi")


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (b'"beat"', {"ignored": "a sign of life"}),
        (b"beat", {"ignored": "a sign of life"}),
        (b'"nothing"', {"ignored": "it says nothing to the desk"}),
        (b"", {"quarantined": "not a posting of the loopback platform"}),
        (b'"crash"', {"quarantined": "the reader failed (RuntimeError)"}),
        (b"[" * 200_000, {"quarantined": "the reader failed (RecursionError)"}),
    ],
)
def test_a_line_without_events_says_why(line: bytes, outcome: dict[str, str]) -> None:
    assert reading(pager.KIND, line) == outcome


@given(st.one_of(st.binary(), st.text().map(lambda t: json.dumps(t).encode())))
def test_no_line_stops_the_reading(line: bytes) -> None:
    assert set(reading(pager.KIND, line)) <= {"events", "ignored", "quarantined"}
