"""Signs our mail with DKIM (RFC 6376), for those without a relay that does."""

from __future__ import annotations

import dkim

from core.domain.addresses import ascii_domain
from core.domain.errors import BadCredentials

_SIGNED = (
    *(b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"message-id", b"in-reply-to"),
    *(b"references", b"mime-version", b"content-type", b"content-transfer-encoding"),
)


def signed(content: bytes, *, domain: str, selector: str, private_key: str) -> bytes:
    """Return a mail with a DKIM-Signature header in front.

    Raises:
        BadCredentials: the key cannot sign.
    """
    present = {
        line.partition(b":")[0].lower() for line in content.split(b"\r\n\r\n")[0].split(b"\n")
    }
    try:
        signature: bytes = dkim.sign(
            content,
            selector.encode("ascii"),
            ascii_domain(domain).encode("ascii"),
            private_key.encode("ascii"),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name for name in _SIGNED if name in present],
        )
    except (dkim.DKIMException, UnicodeError, ValueError) as error:
        raise BadCredentials(
            f"mail cannot be signed: {type(error).__name__}",
            "Enter an RSA key in PEM form as dkim_private_key, or leave the DKIM fields empty.",
        ) from error
    return signature + content
