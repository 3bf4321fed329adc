from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.tokens import Tokens
from core.domain.ids import MessageId, ThreadKey, new_id
from tests.unit.email.transport.builders import ACCOUNT, MESSAGE, THREAD, tokens
from tests.unit.email.transport.memory import KEY


def test_a_message_always_has_the_same_message_id() -> None:
    assert tokens().message_id(THREAD, MESSAGE) == tokens().message_id(THREAD, MESSAGE)


def test_a_message_id_of_ours_names_thread_and_message() -> None:
    name = tokens().message_id(THREAD, MESSAGE)
    assert name.endswith("@desk.example")
    assert tokens().own_message(name) == (THREAD, MESSAGE)


def test_a_thread_of_another_shape_is_left_out_of_the_message_id() -> None:
    name = tokens().message_id(ThreadKey("begun by the desk"), MESSAGE)
    assert tokens().own_message(name) == (None, MESSAGE)


@pytest.mark.parametrize(
    "other", [tokens(account="sales"), tokens(key=b"another key")], ids=["account", "key"]
)
def test_what_another_account_or_key_signed_is_not_ours(other: Tokens) -> None:
    assert tokens().own_message(other.message_id(THREAD, MESSAGE)) is None
    assert tokens().thread_in([str(other.reply_address(THREAD))]) is None
    assert not tokens().is_loop_mark(other.loop_mark())


def test_a_signature_does_not_hold_for_another_message() -> None:
    name = tokens().message_id(THREAD, MESSAGE)
    other = tokens().message_id(THREAD, MessageId(new_id()))
    ours, theirs = name.split("."), other.split(".")
    assert tokens().own_message(".".join([*ours[:2], theirs[2], *ours[3:]])) is None


def test_the_reply_address_leads_to_its_thread_in_any_case() -> None:
    address = tokens().reply_address(THREAD)
    assert address is not None
    assert address.startswith("help+t.")
    assert tokens().thread_in(["other@desk.example", address.upper()]) == THREAD


def test_an_address_that_would_be_too_long_has_no_token() -> None:
    assert Tokens(ACCOUNT, KEY, f"{'long' * 8}@desk.example").reply_address(THREAD) is None


@given(st.text(max_size=120))
def test_no_text_is_taken_for_a_signed_name(text: str) -> None:
    ours = tokens()
    assert ours.own_message(text) is None
    assert ours.thread_in([text, f"help+{text}@desk.example"]) is None
    assert not ours.is_loop_mark(text)
