"""Public mail providers are told from domains of organisations."""

from __future__ import annotations

import pytest

from core.domain.mail_providers import is_for_anybody


@pytest.mark.parametrize(
    "domain",
    [
        *("gmail.com", "googlemail.com", "outlook.com", "outlook.es", "outlook.com.mx"),
        *("hotmail.com", "hotmail.es", "hotmail.co.uk", "live.com", "yahoo.com", "yahoo.es"),
        *("yahoo.com.pe", "icloud.com", "proton.me", "gmx.de", "gmx.es", "terra.es", "ya.com"),
        *("telefonica.net", "movistar.es", "prodigy.net.mx", "aol.com", "zoho.com"),
    ],
)
def test_anybody_can_have_an_address_at_a_provider(domain: str) -> None:
    assert is_for_anybody(domain)


@pytest.mark.parametrize(
    "domain",
    [
        *("example.org", "microsoft.com", "google.com", "clinicadelvalle.example", "ugr.es"),
        *("mail.yahoo.example", "notgmail.com", "outlook.travel", "hotmail.example.org"),
    ],
)
def test_domains_of_organisations_are_not(domain: str) -> None:
    assert not is_for_anybody(domain)
