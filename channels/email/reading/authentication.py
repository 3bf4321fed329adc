"""Reads what the desk's own relay found about a sender (RFC 8601).

Only headers of relays that an admin trusts count, and of those only the ones that stand where
a relay writes them: above the `Received` header it wrote when it took the mail, or right below it
among other marks of the way. What a sender put in stands below, and where a relay is silent that
may be next to it: of each method the topmost result counts, and DMARC passes only if what the
relay found of SPF and DKIM bears it out. A relay that leaves such headers of strangers in, and
looks at one of the two alone, can still be spoken for: it must take them out (RFC 8601, 5).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import authres

from channels.email.reading.defects import Defects
from channels.email.reading.headers import raw_text
from channels.email.reading.mail import Authentication, MailAddress
from channels.email.reading.parts import Part
from channels.email.reading.plain import single_line

_LONGEST_HEADER = 8_000
_TRACE = frozenset(
    {
        *("return-path", "delivered-to", "envelope-to", "delivery-date", "received-spf"),
        *("dkim-filter", "dmarc-filter", "authentication-results-original"),
    }
)
_WORDS = frozenset(
    {
        *("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy"),
        *("bestguesspass", "hardfail", "discard", "skipped"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    method: str
    result: str
    domains: tuple[str, ...]  # what the result vouches for


def read_authentication(
    root: Part, *, author: MailAddress | None, trusted: Collection[str], defects: Defects
) -> Authentication:
    """Return the results of the relays in `trusted` (their authserv-ids) about `author`."""
    findings = _findings(root, {one.strip().lower() for one in trusted}, defects)
    if not findings:
        return Authentication()
    domain = author.address.rpartition("@")[2].lower() if author else ""
    results = {
        method: _best([one for one in findings if one.method == method], domain)
        for method in ("spf", "dkim", "dmarc")
    }
    return Authentication(
        spf=results["spf"],
        dkim=results["dkim"],
        dmarc=results["dmarc"],
        is_verified=bool(domain) and _is_verified(findings, domain),
    )


def _is_verified(findings: list[_Finding], domain: str) -> bool:
    dmarc = [one for one in findings if one.method == "dmarc"]
    if dmarc and any(one.result in {"fail", "hardfail"} for one in dmarc):
        return False
    if any(one.result == "pass" and (not one.domains or domain in one.domains) for one in dmarc):
        return _is_borne_out(findings, domain)
    return any(
        one.result == "pass" and any(_is_aligned(vouched, domain) for vouched in one.domains)
        for one in findings
        if one.method in {"spf", "dkim"}
    )


def _is_borne_out(findings: list[_Finding], domain: str) -> bool:
    """Return whether DMARC can have passed: with SPF or DKIM, for a name near `domain`.

    A relay that says nothing of either, or not for which name, is taken at its word.
    """
    others = [one for one in findings if one.method in {"spf", "dkim"}]
    near = domain.split(".")[-2:]  # at least as wide as DMARC's "relaxed" (RFC 7489, 3.1)
    return not others or any(
        one.result == "pass"
        and (not one.domains or any(name.split(".")[-2:] == near for name in one.domains))
        for one in others
    )


def _is_aligned(vouched: str, domain: str) -> bool:
    """Return whether `vouched` is the domain or one above it; stricter than DMARC's "relaxed"."""
    return bool(vouched) and (
        vouched == domain or (domain.endswith(f".{vouched}") and "." in vouched)
    )


def _best(findings: list[_Finding], domain: str) -> str | None:
    """Return the result that says most for the sender: an aligned pass, a pass, the first."""
    for one in findings:
        if one.result == "pass" and any(_is_aligned(vouched, domain) for vouched in one.domains):
            return "pass"
    return next((one.result for one in findings if one.result == "pass"), None) or (
        findings[0].result if findings else None
    )


def _findings(root: Part, trusted: set[str], defects: Defects) -> list[_Finding]:
    """Return what trusted relays found: of each method what the topmost of them says."""
    found: list[_Finding] = []
    has_begun = has_passed = False
    for name, value in root.headers if trusted else ():
        if name == "received":
            if has_begun:
                break
            has_passed = True
        elif name == "authentication-results":
            text = single_line(raw_text(value[:_LONGEST_HEADER]))
            identity = text.partition(";")[0].split(" ")[0].strip().strip('"').lower()
            if identity in trusted:
                has_begun = True
                known = {one.method for one in found}
                found += [one for one in _read(text, defects) if one.method not in known]
        elif has_passed and not _is_trace(name):
            break  # from here on it is the sender's
    return found


def _is_trace(name: str) -> bool:
    """Return whether relays and their filters write headers of this name."""
    return name in _TRACE or name.startswith(("x-", "arc-"))


def _read(text: str, defects: Defects) -> list[_Finding]:
    try:
        header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
    except (authres.AuthResError, ValueError, IndexError, AttributeError, RecursionError):
        return _read_loosely(text, defects)
    return [
        _Finding(
            method=str(result.method).lower(),
            result=str(result.result).lower(),
            domains=_domains(
                [(f"{one.type}.{one.name}", str(one.value or "")) for one in result.properties]
            ),
        )
        for result in header.results
        if getattr(result, "method", None) and result.result
    ]


def _read_loosely(text: str, defects: Defects) -> list[_Finding]:
    """Read what some relays write beside the grammar: ``method=result key=value …; …``."""
    defects.note("malformed Authentication-Results")
    found: list[_Finding] = []
    depth = 0
    plain: list[str] = []
    for char in text:  # comments may hold anything, "dmarc=pass" too
        depth += (char == "(") - (char == ")" and depth > 0)
        if depth == 0 and char != ")":
            plain.append(char)
    for piece in "".join(plain).split(";")[1:]:
        pairs = [word.partition("=") for word in piece.split() if "=" in word]
        if not pairs or pairs[0][2].lower() not in _WORDS:
            continue
        method = pairs[0][0].lower().partition("/")[0]
        found.append(
            _Finding(
                method=method,
                result=pairs[0][2].lower(),
                domains=_domains([(key, value) for key, _, value in pairs[1:]]),
            )
        )
    return found


def _domains(properties: list[tuple[str, str]]) -> tuple[str, ...]:
    wanted = {"header.d", "header.i", "header.from", "smtp.mailfrom", "smtp.mail", "smtp.helo"}
    return tuple(
        value.strip("\"'<>").rpartition("@")[2].lower().rstrip(".")
        for key, value in properties
        if key.lower() in wanted and not (key.lower() == "smtp.helo" and "." not in value)
    )
