"""Writes a message as a mail: who gets it, what it says, and the bytes that travel. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP

from channels.email import texts
from channels.email.headers import LOOP, checked_address, one_line, reply_subject
from channels.email.ids import remote_id
from channels.email.markdown import page, to_html, to_text
from channels.email.settings import EmailSettings
from channels.email.tokens import Tokens
from core.domain.channel import Outbound
from core.domain.content import Choice, FileRef
from core.domain.conversation import Speaker
from core.domain.errors import Rejected
from core.domain.ids import Address, RemoteId
from core.domain.languages import spoken

_MEDIA_TYPE = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}$")
_PLAIN_ID = re.compile(r"^[!-;=?-~]+$")  # printable ASCII without angle brackets
_MOST_REFERENCES = 20
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclosedFile:
    """A file to send, with its bytes."""

    file: FileRef
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as the SMTP server gets it."""

    message_id: RemoteId
    sender: str  # of the envelope: where bounces go
    to: tuple[str, ...]
    copies: tuple[str, ...]  # Cc and Bcc
    names: Mapping[str, Address]  # of all of them, as the desk has them: domains in any script
    content: bytes  # headers and body, lines end with CR LF


def render(
    message: Outbound,
    settings: EmailSettings,
    tokens: Tokens,
    files: Sequence[EnclosedFile],
    now: datetime,
) -> Letter:
    """Return `message` as a mail; the same message always has the same Message-ID.

    Raises:
        Rejected: there is nobody it could go to.
    """
    to, cc, bcc = _recipients(message, settings)
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _mailbox(settings.address, _sender_name(message, settings))
    mail["To"] = [_mailbox(checked_address(address)) for address in to]
    if cc:
        mail["Cc"] = [_mailbox(checked_address(address)) for address in cc]
    if settings.plus_addressing and (reply_to := tokens.reply_address(message.thread)):
        mail["Reply-To"] = _mailbox(reply_to, one_line(settings.name))
    mail["Subject"] = _subject(message)
    mail["Date"] = now
    if message.speaker in {Speaker.BOT, Speaker.SYSTEM}:
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
    if message.speaker is Speaker.SYSTEM and settings.unsubscribe:
        # A notice that nobody asked for (RFC 2369); with one click by https (RFC 8058).
        mail["List-Unsubscribe"] = f"<{settings.unsubscribe}>"
        if settings.unsubscribe.lower().startswith("https:"):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Content-Language"] = message.language if message.language.isascii() else "en"
    _write_body(mail, message, settings, files)
    name = tokens.message_id(message.thread, message.message)
    named = "".join(_identity(message, name, tokens)).encode("ascii")
    return Letter(
        message_id=name,
        sender=settings.address,
        to=tuple(map(checked_address, to)),
        copies=tuple(map(checked_address, (*cc, *bcc))),
        names={checked_address(address): address for address in (*to, *cc, *bcc)},
        content=named + mail.as_bytes(),
    )


def _identity(message: Outbound, name: RemoteId, tokens: Tokens) -> Iterator[str]:
    """Yield the headers that name messages.

    Written by hand: the library folds a long Message-ID into encoded words, and nobody would
    find it again.
    """
    yield f"Message-ID: <{name}>\r\n"
    known = [_plain(remote) for remote in message.thread_ids]
    answered = _plain(message.answers) if message.answers else None
    ids = [remote for remote in known if remote and remote != name]
    if answered:
        ids = [*(remote for remote in ids if remote != answered), answered]
    elif ids:
        answered = ids[-1]
    if answered:
        yield f"In-Reply-To: <{answered}>\r\n"
    if ids:
        # RFC 5322, 3.6.4: the first one names the thread, the last ones what is answered.
        kept = ids if len(ids) <= _MOST_REFERENCES else [ids[0], *ids[1 - _MOST_REFERENCES :]]
        yield "References: " + "\r\n ".join(f"<{remote}>" for remote in kept) + "\r\n"
    yield f"{LOOP}: {tokens.loop_mark()}\r\n"


def _plain(remote: RemoteId) -> RemoteId | None:
    bare = remote_id(remote)
    return bare if _PLAIN_ID.fullmatch(bare) else None


def _recipients(
    message: Outbound, settings: EmailSettings
) -> tuple[tuple[Address, ...], tuple[Address, ...], tuple[Address, ...]]:
    """Return To, Cc and Bcc: as the agent has them, else the requester and, of an agent's, all."""
    letter = message.envelope
    if letter is not None and (letter.to or letter.cc or letter.bcc):
        to, cc, bcc = letter.to, letter.cc, letter.bcc
    else:
        to = (message.requester,) if message.requester else ()
        # RFC 3834, 4: what a machine answers goes to nobody but the one who asked.
        is_for_all = settings.reply_all and message.speaker is Speaker.AGENT
        cc, bcc = (message.participants if is_for_all else ()), ()
    seen = set(settings.own_addresses)
    groups = tuple(tuple(_fresh(group, seen)) for group in (to, cc, bcc))
    if not any(groups):
        raise Rejected("there is no address to send this to")
    if not groups[0] and groups[1]:
        return groups[1], (), groups[2]
    return groups[0], groups[1], groups[2]


def _fresh(addresses: Sequence[Address], seen: set[str]) -> Iterator[Address]:
    for address in addresses:
        checked = checked_address(address).lower()
        if checked not in seen:
            seen.add(checked)
            yield address


def _mailbox(address: str, name: str = "") -> HeaderAddress:
    local, _, domain = address.rpartition("@")
    return HeaderAddress(display_name=one_line(name, 100), username=local, domain=domain)


def _sender_name(message: Outbound, settings: EmailSettings) -> str:
    if message.speaker is Speaker.AGENT and message.speaker_name and settings.name:
        return f"{message.speaker_name} ({settings.name})"
    if message.speaker is Speaker.AGENT and message.speaker_name:
        return message.speaker_name
    return settings.name


def _subject(message: Outbound) -> str:
    if message.envelope is not None and message.envelope.subject:
        return one_line(message.envelope.subject)
    return reply_subject(message.subject, texts.text(message.language, texts.YOUR_MESSAGE))


def _write_body(
    mail: EmailMessage,
    message: Outbound,
    settings: EmailSettings,
    files: Sequence[EnclosedFile],
) -> None:
    pictures = {
        _content_id(enclosed.file): enclosed
        for enclosed in files
        if enclosed.file.is_inline and _content_id(enclosed.file)
    }
    sections = list(_sections(message, settings))
    quoted = message.body.quoted if settings.quote_last else None
    plain = "\n\n".join(part for section in sections if (part := to_text(section)))
    inner = "\n".join(to_html(section, pictures.keys()) for section in sections)
    if quoted:
        wrote = texts.text(message.language, texts.WROTE)
        cited = "\n".join(f"> {line}".rstrip() for line in quoted.splitlines())
        plain += f"\n\n{wrote}\n{cited}"
        inner += f'\n{to_html(wrote)}\n<blockquote type="cite">{to_html(quoted)}</blockquote>'
    mail.set_content(plain + "\n", cte="quoted-printable")
    html = page(spoken(message.language), inner)
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    alternatives = mail.get_payload()
    assert isinstance(alternatives, list)
    body = alternatives[-1]
    assert isinstance(body, EmailMessage)
    for content_id, picture in pictures.items():
        maintype, subtype = _media_type(picture.file)
        body.add_related(
            picture.content,
            maintype=maintype,
            subtype=subtype,
            cid=f"<{content_id}>",
            filename=_file_name(picture.file),
            disposition="inline",
        )
    for enclosed in files:
        if enclosed not in pictures.values():
            maintype, subtype = _media_type(enclosed.file)
            mail.add_attachment(
                enclosed.content,
                maintype=maintype,
                subtype=subtype,
                filename=_file_name(enclosed.file),
            )


def _sections(message: Outbound, settings: EmailSettings) -> Iterator[str]:
    """Yield the parts of the body in order, as Markdown."""
    language = spoken(message.language)
    if header := settings.in_language("header", language):
        yield header
    if message.speaker is Speaker.BOT:
        yield texts.text(language, texts.GREETING)
    yield message.body.text
    if message.choices:
        lines = [f"{n}. {_linked(c)}" for n, c in enumerate(message.choices, start=1)]
        can_click = all(choice.link for choice in message.choices)
        asked = texts.CHOOSE_OR_CLICK if can_click else texts.CHOOSE
        yield "\n".join([texts.text(language, asked), "", *lines])
    if message.speaker is Speaker.BOT:
        yield texts.text(language, texts.IF_IT_DOES_NOT_HELP)
    if message.speaker is Speaker.AGENT and (
        signature := settings.in_language("signature", language)
    ):
        # In two lines, so that readers' programs know where to fold it (RFC 3676, 4.3).
        yield signature.replace("{agent}", _label(message.speaker_name or settings.name))
    if footer := settings.in_language("footer", language):
        yield footer


def _linked(choice: Choice) -> str:
    return f"[{_label(choice.label)}]({choice.link})" if choice.link else _label(choice.label)


def _label(words: str) -> str:
    """Return `words` on one line, with what Markdown would read as marks made harmless."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", one_line(words))


def _content_id(file: FileRef) -> str:
    bare = (file.content_id or "").strip("<>")
    return bare if _PLAIN_ID.fullmatch(bare) else ""


def _media_type(file: FileRef) -> tuple[str, str]:
    kind = file.media_type.partition(";")[0].strip().lower()
    main, _, sub = kind.partition("/")
    # Mails within mails must not be encoded (RFC 2046, 5.2.1), and theirs may need it.
    if _MEDIA_TYPE.fullmatch(kind) is None or main in {"multipart", "message"}:
        return "application", "octet-stream"
    return main, sub


def _file_name(file: FileRef) -> str:
    return one_line(file.name, 150).replace("/", "_").replace("\\", "_") or "file"
