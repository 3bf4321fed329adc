"""Whom agents may write to, and which subjects are the same."""

from __future__ import annotations

import pytest

from channels.email.addressing import bare_subject, checked
from channels.email.channel import EmailChannel
from channels.email.headers import checked_address
from channels.email.ids import short_thread
from core.domain.addresses import comparable
from core.domain.content import Envelope
from core.domain.errors import Rejected, WrongAddress
from core.domain.ids import Address, new_id
from core.ports import SendsLetters, capabilities_of
from tests.unit.email.transport.builders import ACCOUNT, settings
from tests.unit.email.transport.memory import context

OWN = {"help@desk.example"}


def addresses(*words: str) -> tuple[Address, ...]:
    return tuple(Address(word) for word in words)


def test_each_person_gets_a_letter_once_and_the_desk_none() -> None:
    found = checked(
        Envelope(
            to=addresses("Ana <ANA@people.example>", "help@desk.example"),
            cc=addresses("ana@people.example", "Help+t.abc@desk.example", "bob@people.example"),
            bcc=addresses("bob@people.example", "eve@people.example"),
        ),
        OWN,
    )
    assert found == Envelope(
        to=addresses("ana@people.example"),
        cc=addresses("bob@people.example"),
        bcc=addresses("eve@people.example"),
    )


@pytest.mark.parametrize(
    "word",
    ["ana", "ana@", "a b@people.example", "a@b@c", "a@x\r\nBcc: b@y", "Ana <ana>", "é@x.example"],
)
def test_what_is_no_address_is_refused(word: str) -> None:
    with pytest.raises(WrongAddress):
        checked(Envelope(to=addresses(word)), OWN)


@pytest.mark.parametrize(
    "subject",
    ["VPN down", "Re: VPN down", "RE: [it] Fwd: vpn  down", "AW: WG: VPN down", "Re[2]: VPN down"],
)
def test_marks_do_not_make_another_subject(subject: str) -> None:
    assert bare_subject(subject) == "vpn down"


def test_words_with_a_colon_do() -> None:
    assert bare_subject("Request: VPN down") != bare_subject("VPN down")


def test_a_mailbox_sends_letters_in_threads_that_its_own_ids_can_carry() -> None:
    channel = EmailChannel(ACCOUNT, settings(), context())
    assert isinstance(channel, SendsLetters)
    assert capabilities_of(channel).letters
    seed = new_id()
    assert (
        channel.begin_thread(seed) == channel.begin_thread(seed) != channel.begin_thread(new_id())
    )
    assert short_thread(channel.begin_thread(seed)) is not None


@pytest.mark.parametrize(
    ("word", "sent_to"),
    [
        ("ana@straße.example", "ana@xn--strae-oqa.example"),  # another domain than strasse.example
        ("ana@Bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@\uff22Ücher\u3002example", "ana@xn--bcher-kva.example"),
        ("ana@Desk_1.example", "ana@Desk_1.example"),
    ],
)
def test_mail_goes_to_the_domain_that_was_written(word: str, sent_to: str) -> None:
    assert checked_address(word) == sent_to
    assert comparable(word) == sent_to.lower()


@pytest.mark.parametrize("word", ["ana@é..example", "ana@-é.example", f"ana@{'é' * 70}.example"])
def test_a_domain_that_cannot_be_is_refused_and_compares_as_it_is(word: str) -> None:
    with pytest.raises(Rejected, match="no domain that exists"):
        checked_address(word)
    assert comparable(word) == word
