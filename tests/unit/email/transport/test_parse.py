from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.email.parse import chosen, part_of
from channels.email.reading.mail import (
    Attachment,
    Authentication,
    Bounce,
    FailedRecipient,
    Forwarded,
    Mail,
    MailAddress,
    MailKind,
)
from channels.email.threading import trail_of
from core.domain.content import MAX_TEXT_CHARS, Caution, Choice, Intent
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import DeliveryReported, MessagePosted
from core.domain.ids import ChoiceId, new_id
from tests.unit.email.transport.builders import (
    ANA,
    DESK,
    MESSAGE,
    NOW,
    THREAD,
    mail,
    reader,
    tokens,
)

RAW = b"From: ana@people.example\r\n\r\nIt does not print.\r\n"
OURS = f"<{tokens().message_id(THREAD, MESSAGE)}>"


def posted(found: Mail, **settings: Any) -> MessagePosted:
    (event,) = reader(**settings).events_alone(found, RAW, NOW)
    assert isinstance(event, MessagePosted)
    return event


def reports(found: Mail) -> list[DeliveryReported]:
    events = reader().events_alone(found, RAW, NOW)
    return [event for event in events if isinstance(event, DeliveryReported)]


def test_a_mail_is_a_message_of_its_author() -> None:
    event = posted(mail())
    assert event.author.address == ANA
    assert event.author.name == "Ana"
    assert event.body.text == "It does not print."
    assert event.subject == "Printer"
    assert event.remote_ids == ("1@people.example",)
    assert event.at == NOW
    assert not event.is_automatic


def test_people_besides_author_and_desk_are_in_the_envelope() -> None:
    bob, carol = MailAddress(address="Bob@people.example"), MailAddress(address="carol@x.example")
    token = MailAddress(address=f"help+t.anything@{DESK.partition('@')[2]}")
    event = posted(mail(to=(MailAddress(address=DESK.upper()), bob, token), cc=(carol, bob)))
    assert event.envelope is not None
    assert event.envelope.to == ("bob@people.example",)
    assert event.envelope.cc == ("carol@x.example",)
    assert event.envelope.subject == "Printer"


@pytest.mark.parametrize("kind", [MailKind.AUTO_REPLY, MailKind.BULK, MailKind.SPAM])
def test_what_machines_write_is_automatic(kind: MailKind) -> None:
    assert posted(mail(kind=kind)).is_automatic


@pytest.mark.parametrize("kind", [MailKind.BULK, MailKind.SPAM, MailKind.FEEDBACK_REPORT])
def test_what_machines_write_is_ignored_where_that_is_set(kind: MailKind) -> None:
    with pytest.raises(IgnoredPayload, match=kind):
        posted(mail(kind=kind), machine_mail="ignore")


def test_people_who_write_through_the_desks_own_list_are_people() -> None:
    through = mail(kind=MailKind.BULK, headers=(("list-id", "Help <help.desk.example>"),))
    assert posted(through).is_automatic
    assert not posted(through, own_lists="help.desk.example").is_automatic
    assert not posted(through, own_lists="help.desk.example", machine_mail="ignore").is_automatic


def test_an_author_whom_no_trusted_relay_vouches_for_is_unverified() -> None:
    event = posted(mail())
    assert event.caution is Caution.UNVERIFIED
    assert event.author.email is None


def test_a_verified_author_has_an_e_mail_address() -> None:
    event = posted(mail(authentication=Authentication(dmarc="pass", is_verified=True)))
    assert event.caution is None
    assert event.author.email == ANA


def test_who_wrote_a_mail_that_was_passed_on_is_told() -> None:
    zoe = Forwarded(author=MailAddress(address="Zoe@People.example", name="Zoe"))
    event = posted(mail(forwarded=zoe))
    assert event.author.address == ANA
    assert event.forwarded_from is not None
    assert event.forwarded_from.address == "zoe@people.example"
    assert event.forwarded_from.name == "Zoe"
    assert event.forwarded_from.email is None  # nobody vouches for it


@pytest.mark.parametrize(
    "forwarded", [None, Forwarded(), Forwarded(author=MailAddress(address=DESK))]
)
def test_a_mail_passed_on_by_nobody_or_from_the_desk_names_nobody(
    forwarded: Forwarded | None,
) -> None:
    assert posted(mail(forwarded=forwarded)).forwarded_from is None


def test_a_mail_in_the_desks_own_name_claims_to_be_the_desk() -> None:
    assert posted(mail(author=MailAddress(address=DESK))).caution is Caution.CLAIMS_AGENT
    alias = mail(author=MailAddress(address="Sales@desk.example"))
    assert posted(alias, aliases="sales@desk.example").caution is Caution.CLAIMS_AGENT


def test_a_form_on_a_web_page_writes_for_the_person_in_reply_to() -> None:
    event = posted(
        mail(
            author=MailAddress(address="form@site.example", name="Contact form"),
            reply_to=(MailAddress(address="Bob@people.example"),),
            authentication=Authentication(dmarc="pass", is_verified=True),
        )
    )
    assert event.author.address == "bob@people.example"
    assert event.caution is Caution.UNVERIFIED  # the site is vouched for, Bob is not


def test_nobody_vouches_for_another_person_in_reply_to_even_in_the_authors_domain() -> None:
    event = posted(
        mail(
            author=MailAddress(address="mallory@people.example"),
            reply_to=(MailAddress(address=ANA, name="Ana"),),
            authentication=Authentication(dmarc="pass", is_verified=True),
        )
    )
    assert event.author.address == ANA
    assert event.author.email is None
    assert event.caution is Caution.UNVERIFIED


def test_an_author_who_names_themselves_in_reply_to_stays_verified() -> None:
    event = posted(
        mail(
            reply_to=(MailAddress(address="Ana@People.example"),),
            authentication=Authentication(dmarc="pass", is_verified=True),
        )
    )
    assert (event.author.email, event.caution) == (ANA, None)


@pytest.mark.parametrize("part", ["quoted", "signature"])
def test_a_long_quotation_or_signature_is_cut_and_the_whole_comes_along_as_a_file(
    part: str,
) -> None:
    long = "q" * 200_000
    found = mail(**{part: long, "text": f"It does not print.\n{long}"})
    body = posted(found).body
    shown = getattr(body, part)
    assert (len(shown), shown[-1]) == (MAX_TEXT_CHARS, "…")
    assert [file.name for file in body.files] == ["mail.txt"]
    assert part_of(found, 0) == found.text.encode()


def test_a_short_mail_brings_no_file_of_its_text() -> None:
    assert posted(mail(quoted="It worked.", signature="Ana")).body.files == ()


def test_a_mail_without_an_author_is_kept() -> None:
    assert posted(mail(author=None)).author.address == "(unknown)"


def test_a_mail_of_ours_that_comes_back_is_ignored() -> None:
    with pytest.raises(IgnoredPayload):
        posted(mail(message_id=OURS))
    looped = mail(headers=(("x-ventanilla-loop", tokens().loop_mark()),))
    with pytest.raises(IgnoredPayload):
        posted(looped)


def test_a_forged_loop_mark_hides_nothing() -> None:
    forged = mail(headers=(("x-ventanilla-loop", tokens(key=b"else").loop_mark()),))
    assert posted(forged).body.text == "It does not print."


def test_a_bomb_is_not_understood() -> None:
    with pytest.raises(UnknownPayload, match="too many parts"):
        posted(mail(is_over_limits=True, defects=("too many parts",)))


@pytest.mark.parametrize("ago", [timedelta(hours=-1), timedelta(days=3)])
def test_a_date_that_a_wrong_clock_must_have_set_is_not_believed(ago: timedelta) -> None:
    trail = trail_of(mail(), RAW, tokens())
    (event,) = reader().events(
        mail(date=NOW - ago), RAW, trail=trail, thread=trail.root, received_at=NOW
    )
    assert event.at == NOW


def test_messages_sort_by_when_they_were_written() -> None:
    trail = trail_of(mail(), RAW, tokens())
    orders = [
        reader()
        .events(
            mail(date=NOW - timedelta(minutes=ago)),
            RAW,
            trail=trail,
            thread=trail.root,
            received_at=NOW,
        )[0]
        .order
        for ago in (30, 5, 0)
    ]
    assert orders == sorted(orders)
    assert len(set(orders)) == 3


def test_a_message_id_that_was_another_mails_is_not_taken_again() -> None:
    trail = trail_of(mail(), RAW, tokens())
    (event,) = reader().events(mail(), RAW, trail=trail, thread=trail.alone, received_at=NOW)
    assert isinstance(event, MessagePosted)
    assert event.remote_ids == ()


def test_files_can_be_fetched_by_what_the_event_says_of_them() -> None:
    file = Attachment(name="a.png", media_type="image/png", content=b"png", content_id="c1")
    found = mail(attachments=(file, replace(file, name="b.png", content=b"two")))
    first, second = posted(found).body.files
    assert (first.name, first.media_type, first.size_bytes) == ("a.png", "image/png", 3)
    assert first.remote != second.remote
    assert part_of(found, 1) == b"two"
    assert part_of(found, 9) is None


def test_a_text_that_is_too_long_comes_whole_as_a_file() -> None:
    words = "word " * MAX_TEXT_CHARS
    found = mail(text=words, visible=words)
    body = posted(found).body
    assert len(body.text) == MAX_TEXT_CHARS
    assert body.files[-1].name == "mail.txt"
    assert part_of(found, 0) == words.encode()


def test_the_language_of_the_authors_program_counts_if_the_desk_speaks_it() -> None:
    assert posted(mail(headers=(("accept-language", "es-ES, en-US"),))).author.language == "es"
    assert posted(mail(headers=(("accept-language", "fi-FI"),))).author.language is None


def test_a_bounce_says_whom_a_message_of_ours_did_not_reach() -> None:
    bounce = mail(
        kind=MailKind.BOUNCE,
        author=MailAddress(address="mailer-daemon@relay.example"),
        bounce=Bounce(
            recipients=(
                FailedRecipient(address="bob@gone.example", status="5.1.1", detail="no such user"),
                FailedRecipient(address="eva@full.example", status="4.2.2", is_permanent=False),
            ),
            original_ids=(OURS, "<1@people.example>"),
        ),
    )
    bob, eva = reports(bounce)
    assert bob.remote_id == OURS.strip("<>")
    assert bob.thread == THREAD
    assert (bob.recipient, bob.is_permanent) == ("bob@gone.example", True)
    assert bob.detail == "5.1.1 no such user"
    assert (eva.recipient, eva.is_permanent) == ("eva@full.example", False)
    assert not bob.delivered
    assert bob.key != eva.key


def test_a_receipt_says_that_a_message_of_ours_arrived() -> None:
    receipt = mail(
        kind=MailKind.DELIVERY_RECEIPT,
        bounce=Bounce(original_ids=(OURS,), delivered_to=("bob@here.example",)),
    )
    (report,) = reports(receipt)
    assert report.delivered
    assert report.recipient == "bob@here.example"


def test_a_bounce_of_what_this_account_never_sent_is_ignored() -> None:
    bounce = mail(
        kind=MailKind.BOUNCE,
        bounce=Bounce(
            recipients=(FailedRecipient(address="bob@gone.example"),),
            original_ids=("<spam@forged.example>",),
        ),
    )
    with pytest.raises(IgnoredPayload, match="no mail of this account"):
        reports(bounce)


@pytest.mark.parametrize(
    ("labels", "reply", "picked"),
    [
        (("10 users", "50 users"), "10 users", "10 users"),
        (("10 users", "50 users"), "2", "50 users"),
        (("10 users", "50 users"), "2. 50 users", "50 users"),
        (("10 users", "50 users"), "1. 50 users", None),
        (("10 users", "50 users"), "10", None),
        (("24 hours", "Later"), "24 hours.", "24 hours"),
        (("3 days", "1 day"), "1 day", "1 day"),
        (("3 days", "1 day"), "1", "3 days"),
        (("3 days", "1 day"), "2/2 - 1 day", "1 day"),
        (("1-10 users", "11-50 users"), "11-50 users", "11-50 users"),
        (("5 days", "Never", "1.5 days"), "1.5 days", "1.5 days"),
        (("5 days", "Never"), "1.5 days", None),
        (("Yes", "No"), "2) no", "No"),
        (("Yes", "No"), "2 no", "No"),
        (("Yes", "No"), "2/3", None),
        (("Yes", "Yes"), "yes", None),
    ],
)
def test_a_reply_is_the_choice_whose_words_or_number_it_says(
    labels: tuple[str, ...], reply: str, picked: str | None
) -> None:
    choices = [
        Choice(id=ChoiceId(new_id()), label=label, intent=Intent(name="x")) for label in labels
    ]
    choice = chosen(reply, choices)
    assert (choice.label if choice else None) == picked
