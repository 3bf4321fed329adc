"""Turns a mail that was read into events. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from channels.email import ids
from channels.email.headers import LOOP, one_line
from channels.email.reading.mail import FailedRecipient, Mail, MailAddress, MailKind
from channels.email.settings import EmailSettings, MachineMail
from channels.email.threading import Trail, key_of, trail_of
from channels.email.tokens import Tokens
from core.domain.content import MAX_TEXT_CHARS, Body, Caution, Choice, Envelope, FileRef
from core.domain.errors import IgnoredPayload, UnknownPayload
from core.domain.events import Author, DeliveryReported, Event, MessagePosted
from core.domain.ids import AccountId, Address, RemoteId, ThreadKey
from core.domain.languages import LANGUAGES

ENCRYPTED = "encrypted mail"
"""Shown in place of what only its recipient's key opens."""

_NOBODY = Address("(unknown)")
_MOST_PEOPLE = 50
_LONGEST_HTML = 1_000_000
_LONGEST_NAME = 200
_LATEST_BELIEVED = timedelta(days=2)  # how late a mail may be before its date is taken for wrong
_REPORTS = frozenset({MailKind.BOUNCE, MailKind.DELIVERY_RECEIPT})
_MACHINES = frozenset({MailKind.BULK, MailKind.SPAM, MailKind.FEEDBACK_REPORT})
_LIST_ID = re.compile(r"<([^<>]+)>")
_CHOICE = re.compile(  # in bare words
    r"(?P<number>[0-9]{1,3})(?:\s*(?:/|out of|of|de)\s*(?P<most>[0-9]{1,3}))?"
    r"(?:(?:\s*[-.):·,\u2013\u2014]\s+|\s*[-.):·,\u2013\u2014]?\s*(?=[^0-9\s]))(?P<words>.*))?"
)
_AROUND = " \t\r\n*_.,;:!¡()[]\"'“”«»"
_LANGUAGE = re.compile(r"^\s*([a-z]{2})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Everything that is needed to understand a mail of one account."""

    account: AccountId
    settings: EmailSettings
    tokens: Tokens

    def check(self, mail: Mail) -> None:
        """Let those mails pass that say something to the desk.

        Raises:
            IgnoredPayload: it says nothing to us.
            UnknownPayload: it cannot be read whole.
        """
        if mail.is_over_limits:
            raise UnknownPayload("; ".join(mail.defects) or "beyond the limits of what is read")
        if mail.kind in _REPORTS:
            return
        if mail.message_id and self.tokens.own_message(ids.remote_id(mail.message_id)):
            raise IgnoredPayload("a mail of this desk came back")
        if self.tokens.is_loop_mark(mail.header(LOOP) or ""):
            raise IgnoredPayload("a mail of this desk came back in another's name")
        is_machine = mail.kind in _MACHINES and not self._is_of_own_list(mail)
        if is_machine and self.settings.machine_mail is MachineMail.IGNORE:
            raise IgnoredPayload(f"mail of the kind {mail.kind}")

    def events(
        self, mail: Mail, raw: bytes, *, trail: Trail, thread: ThreadKey, received_at: datetime
    ) -> tuple[Event, ...]:
        """Return what `mail` says, in the thread that was found for it.

        Raises:
            IgnoredPayload: a report about nothing that this account sent.
        """
        if mail.kind in _REPORTS:
            reports = tuple(self._reports(mail, raw, received_at))
            if not reports:
                raise IgnoredPayload(f"a {mail.kind} about no mail of this account")
            return reports
        return (self._posted(mail, raw, trail, thread, received_at),)

    def events_alone(self, mail: Mail, raw: bytes, now: datetime) -> tuple[Event, ...]:
        """Return what `mail` says where nobody can be asked which thread a Message-ID is of.

        Raises:
            IgnoredPayload, UnknownPayload: as `check` and `events`.
        """
        self.check(mail)
        trail = trail_of(mail, raw, self.tokens)
        thread = trail.signed or trail.root
        return self.events(mail, raw, trail=trail, thread=thread, received_at=mail.date or now)

    def _posted(
        self, mail: Mail, raw: bytes, trail: Trail, thread: ThreadKey, received_at: datetime
    ) -> MessagePosted:
        author = self._author(mail)
        at = believable(mail.date, received_at)
        return MessagePosted(
            account=self.account,
            key=key_of(mail, raw),
            thread=thread,
            author=author,
            at=at,
            order=f"{round(at.timestamp() * 1000):015d}",
            raw=raw,
            body=_body(mail, raw),
            # A Message-ID names one mail only: the first that had it.
            remote_ids=(trail.own,) if trail.own and thread != trail.alone else (),
            subject=one_line(mail.subject) or None,
            envelope=self._envelope(mail, author.address),
            caution=self._caution(mail, author),
            forwarded_from=self._forwarded_from(mail),
            is_spam=mail.kind is MailKind.SPAM and not self._is_of_own_list(mail),
            is_automatic=mail.kind is not MailKind.HUMAN and not self._is_of_own_list(mail),
        )

    def _author(self, mail: Mail) -> Author:
        written_by = mail.author or mail.sender
        # Forms on web pages write from an address of the site and name the person in Reply-To.
        answers_go_to = mail.reply_to[0] if len(mail.reply_to) == 1 else written_by
        if answers_go_to is None or self._is_own(answers_go_to):
            answers_go_to = written_by
        if answers_go_to is None or not answers_go_to.address.strip():
            return Author(address=_NOBODY)
        address = ids.address(answers_go_to.address)
        name = answers_go_to.name or (written_by.name if written_by else "")
        # Relays vouch for From alone: in a domain that people share, anybody may name another.
        is_verified = mail.authentication.is_verified and _is_same(answers_go_to, mail.author)
        return Author(
            address=address,
            name=one_line(name, _LONGEST_NAME) or None,
            email=address if is_verified else None,
            language=_language(mail),
        )

    def _forwarded_from(self, mail: Mail) -> Author | None:
        """Return who wrote a mail that somebody passed on; nobody vouches for it."""
        author = mail.forwarded.author if mail.forwarded else None
        if author is None or not author.address.strip() or self._is_own(author):
            return None
        address = ids.address(author.address)
        if len(address) > _LONGEST_NAME:
            return None
        return Author(address=address, name=one_line(author.name, _LONGEST_NAME) or None)

    def _caution(self, mail: Mail, author: Author) -> Caution | None:
        if mail.author is not None and self._is_own(mail.author):
            return Caution.CLAIMS_AGENT
        return None if author.email else Caution.UNVERIFIED

    def _envelope(self, mail: Mail, author: Address) -> Envelope:
        seen = {author}
        return Envelope(
            to=tuple(self._others(mail.to, seen)),
            cc=tuple(self._others(mail.cc, seen)),
            subject=one_line(mail.subject) or None,
        )

    def _others(self, addresses: tuple[MailAddress, ...], seen: set[Address]) -> Iterator[Address]:
        """Yield people besides the author and the desk itself, each once."""
        for mailbox in addresses:
            address = ids.address(mailbox.address)
            if address and address not in seen and not self._is_own(mailbox):
                if len(seen) > _MOST_PEOPLE:
                    return
                seen.add(address)
                yield address

    def _is_own(self, mailbox: MailAddress) -> bool:
        local, at, domain = mailbox.address.lower().rpartition("@")
        plain = f"{local.partition('+')[0]}{at}{domain}"
        return not self.settings.own_addresses.isdisjoint({mailbox.address.lower(), plain})

    def _is_of_own_list(self, mail: Mail) -> bool:
        """Say whether a person wrote to the desk by way of a list of its own."""
        if mail.kind is not MailKind.BULK:
            return False
        named = mail.header("list-id") or ""
        found = _LIST_ID.search(named)
        name = (found[1] if found else named).strip().lower()
        return name in {own.lower() for own in self.settings.own_lists}

    def _reports(self, mail: Mail, raw: bytes, received_at: datetime) -> Iterator[DeliveryReported]:
        """Yield what a bounce or receipt says of each recipient of a mail of ours."""
        found = self._returned(mail)
        if found is None or mail.bounce is None:
            return
        remote, thread = found
        key = key_of(mail, raw)
        if mail.kind is MailKind.BOUNCE:
            named = mail.bounce.recipients or (FailedRecipient(address=""),)
        else:
            named = tuple(FailedRecipient(address=a) for a in mail.bounce.delivered_to or ("",))
        for one in named:
            recipient = ids.address(one.address) or None
            yield DeliveryReported(
                account=self.account,
                key=ids.report_key(key, one.address),
                thread=thread,
                author=Author(address=recipient or _NOBODY),
                at=believable(mail.date, received_at),
                raw=raw,
                remote_id=remote,
                delivered=mail.kind is not MailKind.BOUNCE,
                detail=_detail(one),
                recipient=recipient,
                is_permanent=one.is_permanent,
                is_delayed=one.is_delayed,
            )

    def _returned(self, mail: Mail) -> tuple[RemoteId, ThreadKey] | None:
        """Return the mail of ours that a report is about, and its thread."""
        original = mail.bounce.original_ids if mail.bounce else ()
        for name in (*original, *mail.in_reply_to, *reversed(mail.references)):
            remote = ids.remote_id(name)
            made = self.tokens.own_message(remote)
            if made is not None:
                return remote, made[0] or ids.thread_key("report", remote)
        return None


def chosen(text: str, choices: Sequence[Choice]) -> Choice | None:
    """Return the choice that a reply names; None for other words.

    All of it is its number ("5", "5.", "5/5", "5 of 5", "5 de 5"), its words, or both
    ("5 - Very good"). Case, accents and marks around them do not matter. Words that begin with a
    number ("10 users") are words where a label says the same.
    """
    words = _bare(text)
    labels = [_bare(choice.label) for choice in choices]
    if labels.count(words) == 1:
        return choices[labels.index(words)]
    found = _CHOICE.fullmatch(words)
    if found is None or (found["most"] and int(found["most"]) != len(choices)):
        return None
    place = int(found["number"]) - 1
    is_one = 0 <= place < len(choices) and found["words"] in (None, "", labels[place])
    return choices[place] if is_one else None


def _bare(words: str) -> str:
    """Return words without case, accents, and marks and space around them."""
    parted = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join(letter for letter in parted if not unicodedata.combining(letter))
    return " ".join(plain.strip(_AROUND).split())


def believable(date: datetime | None, received_at: datetime) -> datetime:
    """Return when a mail was written: its date, unless a wrong clock must have set it."""
    if date is None or not received_at - _LATEST_BELIEVED <= date <= received_at:
        return received_at
    return date.astimezone(UTC)


def _body(mail: Mail, raw: bytes) -> Body:
    name = ids.raw_name(raw)
    files = [
        FileRef(
            name=file.name,
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            remote=ids.part_id(name, position),
            content_id=file.content_id,
            is_inline=file.is_inline,
        )
        for position, file in enumerate(mail.attachments)
    ]
    if any(len(part) > MAX_TEXT_CHARS for part in (mail.visible, mail.quoted, mail.signature)):
        # The rest is not lost: the whole text comes along as a file, after the mail's own.
        files.append(
            FileRef(
                name="mail.txt",
                media_type="text/plain",
                size_bytes=len(mail.text.encode("utf-8", "replace")),
                remote=ids.part_id(name, len(mail.attachments)),
            )
        )
    passed_on = mail.forwarded.text if mail.forwarded and not mail.visible else ""
    words = (mail.visible or passed_on, mail.invitation)
    return Body(
        text=_cut("\n\n".join(word for word in words if word)),
        html=mail.html if mail.html and len(mail.html) <= _LONGEST_HTML else None,
        quoted=_cut(mail.quoted) or None,
        signature=_cut(mail.signature) or None,
        files=tuple(files),
        unsupported=(ENCRYPTED,) if mail.is_locked else (),
    )


def _cut(text: str) -> str:
    """Return what a message can hold of a text; the mail itself is kept whole."""
    return text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 1] + "…"


def part_of(mail: Mail, position: int) -> bytes | None:
    """Return the file that `_body` has put at `position`, or None where there is none."""
    if position < len(mail.attachments):
        return mail.attachments[position].content
    if position == len(mail.attachments):
        return mail.text.encode("utf-8", "replace")
    return None


def _detail(refused: FailedRecipient) -> str:
    return one_line(" ".join(part for part in (refused.status, refused.detail) if part), 500)


def _is_same(one: MailAddress, other: MailAddress | None) -> bool:
    return other is not None and ids.address(one.address) == ids.address(other.address)


def _language(mail: Mail) -> str | None:
    """Return the language that the author's program names, if the desk speaks it."""
    for name in ("content-language", "accept-language"):
        found = _LANGUAGE.match(mail.header(name) or "")
        if found and found[1].lower() in LANGUAGES:
            return found[1].lower()
    return None
