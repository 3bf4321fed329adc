"""What a mail server's refusals mean for the desk, translated once, by phase."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import aiosmtplib

from channels.email.headers import one_line
from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)

SMTP_REMEDY = (
    "Check the SMTP user and password (or app password, or OAuth sign-in) of the account; "
    "for a relay that asks for none, set smtp_signs_in to false."
)
IMAP_REMEDY = "Check the IMAP user and password (or app password, or OAuth sign-in) of the account."
_NEEDS_SIGN_IN = frozenset({530, 534, 535, 538})
_OF_THEIR_NUMBER = frozenset({452, 552})
_LONGEST_DETAIL = 300
_WAIT = re.compile(r"(\d{1,5})\s*(s\b|sec|min|h\b|hour)", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3_600}
_LIMITS = re.compile(
    r"too (?:many|much|fast)|\brate\b|rate.?limit|throttl|quota|limit (?:exceeded|reached)"
    r"|exceeded .{0,40}limit|slow(?:ing)? down|4\.7\.28|4\.7\.650",
    re.IGNORECASE,
)
_GREYLISTED = re.compile(r"gr[ea]y.?list", re.IGNORECASE)
_OF_ONE_MAILBOX = re.compile(r"\b4\.2\.\d|\bmail ?box\b|\bover ?quota\b", re.IGNORECASE)
_TOO_MANY_RECIPIENTS = re.compile(r"\b[45]\.5\.3\b|too many recipients", re.IGNORECASE)
_USUAL_WAIT_SECONDS = 60
_LONGEST_WAIT_SECONDS = 3_600


class Phase(StrEnum):
    """How far a send has come."""

    BEFORE_CONTENT = "before_content"  # nothing can have been sent
    CONTENT = "content"  # the mail is on its way, and its fate is open until the server speaks


@contextmanager
def as_delivery_error(server: str, phase: Phase) -> Iterator[None]:
    """Let what goes wrong while talking to `server` be a `DeliveryError`."""
    try:
        yield
    except DeliveryError:
        raise
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise refused_by_all(error) from error
    except aiosmtplib.SMTPAuthenticationError as error:
        if 400 <= error.code < 500:
            raise Unavailable(said(error.code, error.message)) from error
        raise BadCredentials(said(error.code, error.message), SMTP_REMEDY) from error
    except aiosmtplib.SMTPResponseException as error:
        raise meaning(error.code, error.message) from error
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(server, error) from error
    except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPReadTimeoutError) as error:
        if phase is Phase.CONTENT:
            raise Uncertain(f"the connection to {server} broke during the mail") from error
        raise Unavailable(f"{server} ended the connection") from error
    except (aiosmtplib.SMTPConnectError, TimeoutError, OSError) as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise _untrusted(server, error.__cause__) from error
        if phase is Phase.CONTENT:
            raise Uncertain(f"the connection to {server} broke during the mail") from error
        raise Unavailable(f"{server} could not be reached") from error
    except aiosmtplib.SMTPNotSupported as error:
        raise Rejected(one_line(str(error), _LONGEST_DETAIL)) from error
    except aiosmtplib.SMTPException as error:
        # What remains is about signing in and STARTTLS that the server does not offer.
        raise BadCredentials(one_line(str(error), _LONGEST_DETAIL), SMTP_REMEDY) from error


def meaning(code: int, message: str) -> DeliveryError:
    """Return what a refusal with this SMTP reply code and text asks the outbox to do."""
    words = said(code, message)
    if code in _NEEDS_SIGN_IN:
        return BadCredentials(words, SMTP_REMEDY)
    if 500 <= code < 600:
        return Rejected(words)
    is_of_the_recipient = _GREYLISTED.search(message) or _OF_ONE_MAILBOX.search(message)
    if _LIMITS.search(message) and not is_of_the_recipient:
        return Throttled(_wait_in(message), ThrottleScope.ACCOUNT)
    # Greylisting and full mailboxes too: back-off finds the moment, a list that never ends is not
    # waited for, and mail to others is not held up.
    return Unavailable(words)


def refused_by_all(error: aiosmtplib.SMTPRecipientsRefused) -> DeliveryError:
    """Return what it means that no recipient was taken: what may pass, if any of it may."""
    refusals = sorted(error.recipients, key=lambda refusal: refusal.code)
    return meaning(refusals[0].code, refusals[0].message)


def is_of_their_number(code: int, message: str) -> bool:
    """Say whether a recipient was refused because the mail has so many (RFC 5321, 4.5.3.1.10)."""
    return code in _OF_THEIR_NUMBER and _TOO_MANY_RECIPIENTS.search(message) is not None


def said(code: int, message: str) -> str:
    """Return a server's reply in one line, for an agent."""
    return one_line(f"{code} {message}", _LONGEST_DETAIL)


def _wait_in(message: str) -> float:
    found = _WAIT.search(message)
    if found is None:
        return _USUAL_WAIT_SECONDS
    seconds = int(found[1]) * _UNITS[found[2][0].lower()]
    return float(min(max(seconds, 1), _LONGEST_WAIT_SECONDS))


def _untrusted(server: str, error: ssl.SSLCertVerificationError) -> BadCredentials:
    return BadCredentials(
        f"the certificate of {server} is not trusted: {one_line(error.verify_message)}",
        "Check the server's name, or set tls_ca_file to the certificates to trust.",
    )
