"""Header lines: words, parameters, addresses, dates, ids."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.reading.addresses import parse_addresses
from channels.email.reading.dates import parse_date
from channels.email.reading.headers import base64_bytes, decode_words, parameterised
from channels.email.reading.mail import MailAddress
from channels.email.reading.threads import parse_ids, parse_message_id


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("=?utf-8?q?Cami=C3=B3n?=", "Camión"),
        ("=?UTF-8?B?5L2g5aW9?= =?utf-8?b?5LiW55WM?=", "你好世界"),
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("Re: =?utf-8?q?What=3F_now=3F?= please", "Re: What? now? please"),
        ("=?utf-8?Q?What's up??=", "What's up?"),
        ("=?utf-8?q?broken", "=?utf-8?q?broken"),
        ("=?no-such?q?a=E9?=", "aé"),
        ("a\r\n b\tc\0d", "a b c d"),
    ],
)
def test_encoded_words_are_decoded(value: str, words: str) -> None:
    assert decode_words(value) == words


def test_a_character_cut_between_words_is_joined() -> None:
    assert decode_words("=?utf-8?Q?a=C3?= =?utf-8?Q?=B1o?=") == "año"


@given(st.text(max_size=200))
def test_decoding_never_fails_and_gives_one_line(value: str) -> None:
    assert not set(decode_words(value)) & set("\r\n\0")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="a;b.txt"', "a;b.txt"),
        ("attachment; filename*=utf-8''ca%C3%B1a.txt", "caña.txt"),
        ("attachment; filename*0*=utf-8''ca%C3%B1; filename*1=a.txt", "caña.txt"),
        ('attachment; filename="=?utf-8?q?ca=C3=B1a.txt?="', "caña.txt"),
        ("attachment; filename=plain name.txt", "plain name.txt"),
        ('attachment; filename="say \\"hi\\".txt"', 'say "hi".txt'),
    ],
)
def test_file_names_are_read_however_they_are_written(value: str, name: str) -> None:
    assert parameterised(value).get("filename") == name


def test_a_part_of_a_parameter_that_has_no_number_is_left_out() -> None:
    read = parameterised("attachment; filename*\u00b2=x; size=3")
    assert dict(read.parameters) == {"size": "3"}


@pytest.mark.parametrize(
    ("content", "decoded"),
    [
        (b"aGk=", b"hi"),
        (b"aGk", b"hi"),
        (b"aG k\r\n=!", b"hi"),
        (b"aGk=aGk=", b"hihi"),
        (b"aGk=b", b"hi"),
        (b"a", b""),
    ],
)
def test_damaged_base64_gives_what_it_holds(content: bytes, decoded: bytes) -> None:
    assert base64_bytes(content) == decoded


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("Ana <ana@Home.Example>", "Ana", "ana@home.example"),
        ('"Prado, Ana" <ana@home.example>', "Prado, Ana", "ana@home.example"),
        ("ana@home.example (Ana Prado)", "Ana Prado", "ana@home.example"),
        ("=?utf-8?q?Prado=2C_Ana?= <ana@home.example>", "Prado, Ana", "ana@home.example"),
        ("'ana@home.example'", "", "ana@home.example"),
        ("Ana ana@home.example", "Ana", "ana@home.example"),
        ('"Ana <ana@home.example>', "Ana", "ana@home.example"),
        ("<@relay.example:ana@home.example>", "", "ana@home.example"),
        ("ana@home.example <ana@home.example>", "", "ana@home.example"),
        ("Ana <ana@home.example.>", "Ana", "ana@home.example"),
    ],
)
def test_an_address_is_found(value: str, name: str, address: str) -> None:
    assert parse_addresses(value) == (MailAddress(name=name, address=address),)


def test_groups_give_their_members() -> None:
    found = parse_addresses("Team: a@x.example, b@x.example; c@x.example")
    assert [one.address for one in found] == ["a@x.example", "b@x.example", "c@x.example"]


def test_undisclosed_recipients_are_nobody() -> None:
    assert parse_addresses("undisclosed-recipients:;") == ()


@given(st.text(alphabet='ab@.<>(),;:"\\ =?\n', max_size=80))
def test_addresses_are_read_or_left_out(value: str) -> None:
    for one in parse_addresses(value):
        assert not set(one.address + one.name) & set("\r\n\0")


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Tue, 4 Mar 2025 09:12:00 +0100", "2025-03-04T09:12:00+01:00"),
        ("4 Mar 2025 09:12 (CET) +0100", "2025-03-04T09:12:00+01:00"),
        ("2025-03-04T09:12:00Z", "2025-03-04T09:12:00+00:00"),
        ("Tue, 4 Mar 2025 09:12:00", "2025-03-04T09:12:00+00:00"),
    ],
)
def test_dates_have_a_zone(value: str, moment: str) -> None:
    date = parse_date(value)
    assert date is not None
    assert date.isoformat() == moment


@pytest.mark.parametrize("value", ["", "soon", "32 Foo 2025", "1 Jan 99999 00:00", "(" * 5_000])
def test_nonsense_is_no_date(value: str) -> None:
    assert parse_date(value) is None


def test_ids_are_found_among_words_and_each_once() -> None:
    assert parse_ids("Your mail <a@x> of Monday,\r\n <b@x > <a@x>") == ("<a@x>", "<b@x>")


def test_ids_without_brackets_are_ids() -> None:
    assert parse_ids("a@x b@y") == ("<a@x>", "<b@y>")


def test_a_malformed_message_id_is_taken_as_it_is() -> None:
    assert parse_message_id("no at sign") == "<noatsign>"


def test_padding_that_never_ends_costs_little() -> None:
    started = time.process_time()
    base64_bytes(b"=A==" * 5_000_000)
    assert time.process_time() - started < 5  # seconds; far more than it takes
