"""Makes attachments of the parts of a mail that are not its text, and names those without name."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from channels.email.reading.defects import Defects
from channels.email.reading.headers import decode_words, parameterised
from channels.email.reading.limits import MAX_DEPTH, MAX_PARTS
from channels.email.reading.mail import Attachment
from channels.email.reading.parts import Part, take_apart
from channels.email.reading.plain import single_line
from channels.email.reading.tnef import DamagedTnef, Unpacked, unpack
from channels.email.reading.transfer import decoded_content
from core.domain.files import plain_name

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "application/pgp-signature": "signature.asc",
        "application/pgp-encrypted": "pgp-version.txt",
        "application/pgp-keys": "public-key.asc",
        "application/pkcs7-signature": "smime.p7s",
        "application/x-pkcs7-signature": "smime.p7s",
        "application/pkcs7-mime": "smime.p7m",
        "application/x-pkcs7-mime": "smime.p7m",
        "application/ms-tnef": "winmail.dat",
        "message/delivery-status": "delivery-status.txt",
        "message/global-delivery-status": "delivery-status.txt",
        "message/disposition-notification": "disposition-notification.txt",
        "message/feedback-report": "feedback-report.txt",
        "message/rfc822-headers": "headers.txt",
        "text/rfc822-headers": "headers.txt",
        "text/calendar": "invite.ics",
        "text/vcard": "contact.vcf",
        "text/x-vcard": "contact.vcf",
        "text/directory": "contact.vcf",
        "text/x-amp-html": "amp.html",
        "text/plain": "text.txt",
        "text/html": "text.html",
        "text/enriched": "text.txt",
        "application/octet-stream": "file.bin",
        "image/jpeg": "image.jpg",
        "image/pjpeg": "image.jpg",
        "image/jpg": "image.jpg",
        "image/png": "image.png",
        "image/gif": "image.gif",
        "image/tiff": "image.tif",
        "audio/mpeg": "audio.mp3",
        "audio/wav": "audio.wav",
        "audio/x-wav": "audio.wav",
    }
)
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/partial"})


def given_name(part: Part) -> str:
    """Return the file name that the mail gives to a part, or an empty string."""
    name = part.disposition.get("filename") or part.type.get("name")
    if not name and (description := part.header("content-description")):
        # Some programs put the name here; a description in words has no ending.
        text = decode_words(description)
        name = text if 2 < len(text) - text.rfind(".") < 7 and " " not in text else ""
    if not name and (location := part.header("content-location")) and "/" not in location:
        name = decode_words(location)
    return name


def content_id_of(part: Part) -> str | None:
    """Return a part's Content-ID without its angle brackets."""
    value = part.header("content-id")
    text = single_line(value).strip("<> ") if value else ""
    return text[:500] or None


def attachments_of(part: Part, defects: Defects, *, depth: int = 0) -> list[Attachment]:
    """Return the attachments that a leaf amounts to.

    A mail in a mail is attached whole, and what is attached to it as well; `winmail.dat` gives
    way to what is in it.
    """
    content = decoded_content(part, defects)
    media_type = part.media_type
    name = given_name(part)
    if media_type in _MESSAGES:
        return _enclosed_mail(part, content, name, defects, depth)
    if media_type == "application/ms-tnef" or name.lower() == "winmail.dat":
        unpacked = unpacked_tnef(content, defects)
        if unpacked is not None and unpacked.files:
            return [
                Attachment(
                    name=plain_name(file.name or "file.bin"),
                    media_type=file.media_type or _guessed_type(file.name),
                    content=file.content,
                    content_id=file.content_id,
                )
                for file in unpacked.files
            ]
    content_id = content_id_of(part)
    return [
        Attachment(
            name=plain_name(name or _made_up_name(part)),
            media_type=media_type,
            content=content,
            content_id=content_id,
            is_inline=part.disposition.value == "inline" and media_type.startswith("image/"),
        )
    ]


def unpacked_tnef(content: bytes, defects: Defects) -> Unpacked | None:
    """Return what is in a `winmail.dat`, or None if it cannot be read."""
    try:
        return unpack(content)
    except DamagedTnef:
        defects.note("winmail.dat cannot be unpacked")
        return None


def with_distinct_names(attachments: list[Attachment]) -> tuple[Attachment, ...]:
    """Return the attachments, those of the same made-up name numbered."""
    seen: dict[str, int] = {}
    named: list[Attachment] = []
    for attachment in attachments:
        count = seen[attachment.name] = seen.get(attachment.name, 0) + 1
        if count > 1 and attachment.name in _MADE_UP:
            stem, dot, ending = attachment.name.rpartition(".")
            attachment = replace(attachment, name=f"{stem}-{count}{dot}{ending}")
        named.append(attachment)
    return tuple(named)


_MADE_UP = frozenset({*_NAMES.values(), "message.eml"})


def _enclosed_mail(
    part: Part, content: bytes, name: str, defects: Defects, depth: int
) -> list[Attachment]:
    within = Defects()
    inner = take_apart(content, within, within=part)
    if not name:
        subject = decode_words(inner.header("subject") or "")
        name = f"{subject[:100]}.eml" if subject else "message.eml"
    found = [
        Attachment(
            name=plain_name(name),
            media_type=part.media_type,
            content=content,
            content_id=content_id_of(part),
        )
    ]
    is_too_deep = depth >= MAX_DEPTH // 5
    if is_too_deep or within.is_over_limits:
        defects.over_limits(
            "mails enclosed in mails too deep" if is_too_deep else "too much in enclosed mails"
        )
        return found
    for leaf in inner.walk():
        if len(found) > MAX_PARTS:
            defects.over_limits("too many parts")
            break
        if leaf.media_type.startswith("multipart/") or (is_text(leaf) and not is_file(leaf)):
            continue
        found += attachments_of(leaf, defects, depth=depth + 1)
    return found


def is_text(part: Part) -> bool:
    """Return whether a part is of a kind that people read as the mail itself."""
    return part.media_type in {"text/plain", "text/html", "text/enriched", "text/richtext"}


def is_file(part: Part) -> bool:
    """Return whether the mail says that a part is a file."""
    return part.disposition.value.startswith("attachment") or bool(given_name(part))


def _made_up_name(part: Part) -> str:
    known = _NAMES.get(part.media_type)
    if known is None:
        ending = mimetypes.guess_extension(part.media_type) or ".bin"
        if part.media_type.startswith("text/") and ending == ".bin":
            ending = ".txt"
        known = f"{'image' if part.media_type.startswith('image/') else 'file'}{ending}"
    if known == "file.bin":
        protocol = parameterised(part.header("content-type") or "").get("protocol")
        known = "encrypted.asc" if "pgp" in protocol else known
        if part.content[:40].lstrip().startswith(b"-----BEGIN PGP MESSAGE"):
            known = "encrypted.asc"
    return known


def _guessed_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
