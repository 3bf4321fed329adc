"""How somebody in a chat says that an e-mail address is theirs, and what proves it.

The desk itself reads these words, in every channel but mail; the assistant never hears of them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import timedelta

from core.domain.content import Intent

LINK = "desk.link"
"""The wish to link an address; entities: `email`, where it is named."""

CODE = "desk.link_code"
"""A code that was mailed; entities: `code`."""

CODE_DIGITS = 6
LASTS = timedelta(minutes=15)
MOST_ATTEMPTS = 5
MOST_CODES = 3
"""That one person asks for, or one address is sent, within `WITHIN`."""
MOST_CODES_A_DAY = 6
"""That one address is sent, whoever asks."""
MOST_OF_ACCOUNT = 100
"""That all requesters of an account ask for within `WITHIN`."""
WITHIN = timedelta(hours=1)
REMEMBERED = timedelta(hours=1)
"""For how long after its end a code is still taken for one; then digits are plain words."""

_PART = r"[^\s@<>()\[\],;]"
_EMAIL = rf"(?P<email>{_PART}{{1,64}}@{_PART}{{1,190}}\.(?:(?!\.){_PART}){{2,63}})"
_WISH = re.compile(
    rf"""(?:
        /(?:link|vincular) (?:\s+{_EMAIL})?
      | (?:link|vincular) \s+ {_EMAIL.replace("email>", "bare>")}
      | (?:link|vincular) \s+ (?:my|mi) \s+
        (?:e-?mail(?:\s+address)? | correo(?:\s+electr[oó]nico)? | direcci[oó]n\s+de\s+correo)
        (?:\s+{_EMAIL.replace("email>", "named>")})?
    )\s*[.!]?""",
    re.IGNORECASE | re.VERBOSE,
)
# Clients make links of addresses that are typed.
_MAIL_LINK = re.compile(
    r"\[(?P<label>[^\[\]\s]+)\]\(mailto:(?P<target>[^()<>\s]+)\) | <mailto:(?P<bare>[^<>\s]+)>",
    re.IGNORECASE | re.VERBOSE,
)
_CODE = re.compile(rf"\s*([0-9]{{3}})[ -]?([0-9]{{{CODE_DIGITS - 3}}})\s*")


def wish_in(words: str) -> Intent | None:
    """Return the wish to link an e-mail address, where `words` are one and nothing else.

    The address may be a Markdown link to itself.
    """
    found = _WISH.fullmatch(_MAIL_LINK.sub(_unlinked, words.strip()))
    if found is None:
        return None
    email = found["email"] or found["bare"] or found["named"]
    return Intent(name=LINK, entities={"email": email.lower()} if email else {})


def code_in(words: str) -> str | None:
    """Return the code in `words`, where they may be one and nothing else."""
    found = _CODE.fullmatch(words)
    return None if found is None else f"{found[1]}{found[2]}"


def _unlinked(link: re.Match[str]) -> str:
    if link["bare"]:
        return link["bare"]
    is_plain = link["label"].lower() == link["target"].lower()
    return link["label"] if is_plain else link[0]


def digest_of(salt: bytes, code: str) -> bytes:
    """Return what is kept of a code, so that a table or a backup does not show it."""
    return hashlib.blake2b(code.encode(), key=salt).digest()


def is_code(digest: bytes, salt: bytes, code: str) -> bool:
    """Say whether `digest` is of `code`, in a time that says nothing of either."""
    return hmac.compare_digest(digest, digest_of(salt, code))


def masked(email: str) -> str:
    """Return an address so that who owns it knows it and others learn little."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"
