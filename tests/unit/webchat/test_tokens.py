"""Session tokens: only ours are taken, and they say what they were made with."""

from __future__ import annotations

import string
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from channels.webchat.tokens import Session, SessionTokens
from core.domain.errors import NotFound, Unauthenticated
from core.domain.files import KeptFile
from core.domain.ids import AccountId

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SESSION = Session(id=UUID("0195506e-8f3b-7c8a-9d53-0123456789ab"), language="es", issued_at=NOW)
TOKENS = SessionTokens(AccountId("webchat"), b"key")
TOKEN = TOKENS.issue(SESSION)
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ALPHABET = string.ascii_letters + string.digits + "-_"


@unhurried
@given(session_id=st.uuids(), language=st.sampled_from(["en", "es"]))
def test_a_token_gives_back_its_session(session_id: UUID, language: str) -> None:
    session = Session(id=session_id, language=language, issued_at=NOW)
    assert TOKENS.read(TOKENS.issue(session), NOW) == session


@unhurried
@given(position=st.integers(0, len(TOKEN) - 1), other=st.sampled_from(ALPHABET))
def test_a_token_changed_in_any_character_is_refused(position: int, other: str) -> None:
    changed = TOKEN[:position] + other + TOKEN[position + 1 :]
    if changed != TOKEN:
        with pytest.raises(Unauthenticated):
            TOKENS.read(changed, NOW)


@unhurried
@given(text=st.one_of(st.text(), st.text(ALPHABET, min_size=72, max_size=72)))
def test_what_we_did_not_make_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(text, NOW)


@pytest.mark.parametrize(
    "tokens",
    [SessionTokens(AccountId("webchat"), b"other"), SessionTokens(AccountId("other"), b"key")],
    ids=["another key", "another account"],
)
def test_a_token_is_good_for_one_account_and_one_key(tokens: SessionTokens) -> None:
    with pytest.raises(Unauthenticated):
        tokens.read(TOKEN, NOW)


def test_a_token_expires() -> None:
    assert TOKENS.read(TOKEN, NOW + timedelta(days=365)) == SESSION
    with pytest.raises(Unauthenticated, match="expired"):
        TOKENS.read(TOKEN, NOW + timedelta(days=365, seconds=1))


REPORT = KeptFile(name="informe ñ.pdf", media_type="application/pdf", size_bytes=9, blob_key="k")
UNTIL = int(NOW.timestamp()) + 60


def test_a_receipt_stands_for_its_file() -> None:
    receipt = TOKENS.issue_receipt(SESSION.id, REPORT, UNTIL)
    assert TOKENS.read_receipt(SESSION.id, receipt, NOW + timedelta(seconds=60)) == REPORT


def test_a_receipt_is_good_in_its_session_alone_and_for_a_time() -> None:
    receipt = TOKENS.issue_receipt(SESSION.id, REPORT, UNTIL)
    with pytest.raises(NotFound):
        TOKENS.read_receipt(UUID(int=7), receipt, NOW)
    with pytest.raises(NotFound):
        TOKENS.read_receipt(SESSION.id, receipt, NOW + timedelta(seconds=61))


@unhurried
@given(where=st.integers(0, 10_000), letter=st.sampled_from("AQgw_-.0"))
def test_a_receipt_that_was_changed_is_no_receipt(where: int, letter: str) -> None:
    receipt = TOKENS.issue_receipt(SESSION.id, REPORT, UNTIL)
    where %= len(receipt)
    changed = receipt[:where] + letter + receipt[where + 1 :]
    with suppress(NotFound):
        assert TOKENS.read_receipt(SESSION.id, changed, NOW) == REPORT  # its spare bits differ


@unhurried
@given(text=st.text(st.sampled_from("AQgw_-.09=")))
@example("AAAAA." + "A" * 43)  # of no length that base64 has
def test_what_is_no_receipt_of_ours_is_refused(text: str) -> None:
    with pytest.raises(NotFound):
        TOKENS.read_receipt(SESSION.id, text, NOW)
