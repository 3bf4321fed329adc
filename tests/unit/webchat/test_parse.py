"""Request bodies: what becomes an event, and what is refused without a crash."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from channels.webchat import parse
from channels.webchat.tokens import Session
from core.domain.errors import InvalidInput, NotFound, TooLarge
from core.domain.events import MessagePosted
from core.domain.files import KeptFile
from core.domain.ids import AccountId

ACCOUNT = AccountId("webchat")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CLIENT_ID = "6f1c2c6e-45a1-4b1e-8f5e-0a6d2b5d7c11"
SESSION_ID = UUID("0195506e-8f3b-7c8a-9d53-0123456789ab")
SESSION = Session(id=SESSION_ID, language="es", issued_at=NOW)


def body(**fields: Any) -> bytes:
    return json.dumps({"id": CLIENT_ID, "text": "Hola", **fields}).encode()


def left(receipt: str) -> KeptFile:
    if receipt == "unknown":
        raise NotFound("a file is not there any more")
    return KeptFile(name=receipt, media_type="image/png", size_bytes=7, blob_key=f"files/{receipt}")


def message(raw: bytes, session: Session = SESSION) -> MessagePosted:
    return parse.parse_message(ACCOUNT, session, raw, NOW, left)[1]


def test_a_message_becomes_an_event() -> None:
    raw = body()
    event = message(raw)
    assert event.key == f"post:{SESSION_ID}/{CLIENT_ID}"
    assert {str(event.thread), str(event.author.address)} == {str(SESSION_ID)}
    assert (event.body.text, event.author.language) == ("Hola", "es")
    assert (event.at, event.raw) == (NOW, raw)


def test_one_id_in_two_sessions_is_two_messages() -> None:
    other = Session(id=UUID(int=7), language="en", issued_at=NOW)
    assert message(body()).key != message(body(), other).key


def test_one_id_has_one_key_however_it_is_written() -> None:
    assert message(body(id=CLIENT_ID.upper())).key == message(body()).key


def test_a_message_and_a_press_under_one_id_are_two_events() -> None:
    raw = body(choice=CLIENT_ID)
    assert parse.parse_choice(ACCOUNT, SESSION, raw, NOW)[1].key != message(raw).key


@pytest.mark.parametrize(
    ("tag", "language"), [("en", "en"), ("EN-gb", "en"), ("pt_BR", "pt"), (None, "es")]
)
def test_the_page_says_its_language_or_the_session_does(tag: str | None, language: str) -> None:
    assert message(body(language=tag)).author.language == language


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  a\r\nb\rc \n", "a\nb\nc"),
        ("a\0b\x1b[1mc\x7f", "ab[1mc"),
        ("a\tb", "a\tb"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("\U0001fae8", "\U0001fae8"),
    ],
)
def test_text_is_kept_but_for_what_nobody_could_see(sent: str, kept: str) -> None:
    assert message(body(text=sent)).body.text == kept


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"id": "\xc3\x28"}',
        b"[" * 60_000,
        b'{"id": NaN}',
        b'{"id": "' + CLIENT_ID.encode() + rb'", "text": "\ud800"}',
        body(text=""),
        body(text=" \n\t"),
        body(text="\0\0"),
        body(text="\u200b\u2060\u00a0"),
        body(text=7),
        body(text=None),
        body(text=["Hola"]),
        body(id=7),
        body(id=""),
        body(id="not-a-uuid"),
        body(id="{" + CLIENT_ID + "}"),
        body(id=CLIENT_ID.replace("-", "")),
        body(id=CLIENT_ID + "\n"),
        body(language=7),
        body(language="español"),
        body(language="e"),
        json.dumps({"text": "Hola"}).encode(),
        json.dumps({"id": CLIENT_ID}).encode(),
    ],
)
def test_a_wrong_body_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        message(raw)


def test_a_text_over_the_limit_is_too_large() -> None:
    assert len(message(body(text="a" * parse.MAX_SENT_CHARS)).body.text) == parse.MAX_SENT_CHARS
    with pytest.raises(TooLarge):
        message(body(text="a" * (parse.MAX_SENT_CHARS + 1)))


def test_a_choice_that_cannot_be_ours_is_not_found() -> None:
    with pytest.raises(NotFound):
        parse.parse_choice(ACCOUNT, SESSION, body(choice="yes"), NOW)


@pytest.mark.parametrize(
    ("value", "seq"), [(None, 0), ("", 0), ("0", 0), ("17", 17), (str(2**63 - 1), 2**63 - 1)]
)
def test_a_sequence_number_is_read(value: str | None, seq: int) -> None:
    assert parse.parse_seq(value) == seq


@pytest.mark.parametrize("value", ["-1", "+1", " 1", "1.0", "1e3", "x", "٣", str(2**63), "9" * 99])
def test_what_is_no_sequence_number_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput):
        parse.parse_seq(value)


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer abc", "abc"), (None, ""), ("", ""), ("Basic abc", "")],
)
def test_the_bearer_token_is_read(header: str | None, token: str) -> None:
    assert parse.parse_bearer(header) == token


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
bodies = st.binary() | st.fixed_dictionaries(
    {},
    optional={
        "id": st.just(CLIENT_ID) | json_values,
        "text": st.text(st.characters()) | json_values,
        "choice": st.just(CLIENT_ID) | json_values,
        "language": json_values,
    },
).map(lambda fields: json.dumps(fields).encode())


@unhurried
@given(raw=bodies)
@example(raw=b'{"id": ' + b"9" * 50_000 + b"}")
@example(raw=b'{"a":' * 10_000)
def test_a_body_becomes_a_clean_event_or_is_refused(raw: bytes) -> None:
    try:
        event = message(raw)
    except InvalidInput:
        pass
    else:
        assert "\0" not in event.body.text
        assert event.body.text.encode().decode().strip()
    try:
        parse.parse_choice(ACCOUNT, SESSION, raw, NOW)
        parse.parse_session(raw)
    except (InvalidInput, NotFound):
        pass


def test_a_message_names_the_files_that_were_left_before() -> None:
    files = message(body(text="", files=["a.png", "b.png"])).body.files
    assert [(file.name, file.size_bytes, file.remote) for file in files] == [
        ("a.png", 7, "files/a.png"),
        ("b.png", 7, "files/b.png"),
    ]


@pytest.mark.parametrize("files", ["a.png", {"a": 1}, [1], [None], ["a.png"] * 11])
def test_what_is_no_list_of_receipts_is_refused(files: object) -> None:
    with pytest.raises(InvalidInput, match="files"):
        message(body(files=files))


def test_a_file_that_is_not_there_is_named_as_gone() -> None:
    with pytest.raises(NotFound):
        message(body(files=["a.png", "unknown"]))


def test_without_files_a_message_needs_words() -> None:
    with pytest.raises(InvalidInput, match="text"):
        message(body(text=" ", files=[]))
