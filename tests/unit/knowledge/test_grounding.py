"""A composed answer is shown only where it says what its passages say, and nothing else."""

from __future__ import annotations

import pytest

from core.domain.grounding import MOST_CHARS, Passage, cited, faults
from core.domain.ids import ArticleId

VPN = Passage(
    article=ArticleId("vpn"),
    title="Connect to the VPN",
    text=(
        "Install **Relay Connect** 5.2 from the software centre. The address of the server is "
        "`vpn.example.com`. Sign in with your e-mail address and the code from your telephone. "
        "A connection ends after 12 hours. Write to vpn@example.com if it fails. "
        "Never share the code from your telephone with anybody."
    ),
)
CLAVE = Passage(
    article=ArticleId("clave"),
    title="Cambiar la contraseña",
    text=(
        "Abra https://cuenta.example.com y elija *Seguridad*. La contraseña nueva necesita 12 "
        "caracteres. No se puede repetir ninguna de las 5 anteriores."
    ),
)


@pytest.mark.parametrize(
    "answer",
    [
        "Install Relay Connect 5.2 from the software centre [1].",
        "Sign in with the code from your telephone.\nThe server's address: `vpn.example.com`. [1]",
        "1. Install Relay Connect.\n2. Sign in with the code from your telephone. [1]",
        "La contraseña nueva no puede repetir ninguna de las 5 anteriores. [2]",
        "LA CONTRASEÑA NUEVA necesita 12 caracteres [2]",
        "Abra https://cuenta.example.com. [2]",
        "Install Relay Connect 5.2 [1].\n\n---\n\nA connection ends after 12 hours [1].",
    ],
)
def test_what_the_passages_say_is_grounded(answer: str) -> None:
    assert faults(answer, [VPN, CLAVE]) == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "empty"),
        ("  \n ", "empty"),
        ("Install Relay Connect from the software centre.", "names no passage"),
        ("Install Relay Connect [1].\n\nThen restart your computer.", "names no passage"),
        ("Install Relay Connect [3].", "no passage 3"),
        ("Install Relay Connect [0].", "no passage 0"),
        ("Install Relay Connect 6.0 [1].", "6.0"),
        ("A connection ends after 24 hours [1].", "24"),
        ("The address of the server is `vpn.evil.com` [1].", "vpn.evil.com"),
        ("Sign in at https://vpn.example.org [1].", "vpn.example.org"),
        ("Sign in [here](https://evil.com) with your address [1].", "evil.com"),
        ("Write to help@example.com if it fails [1].", "help@example.com"),
        ("Do not sign in with your e-mail address [1].", "denies"),
        ("Don't install Relay Connect [1].", "denies"),
        ("La contraseña nueva necesita 12 caracteres [1].", "words"),
        ("Your manager must approve every installation by telephone first [1].", "words"),
        ("Install Relay Connect [1].\n\n+34 900 555 123", "names no passage"),
        ("4242", "names no passage"),
        ("👍", "names no passage"),
        ("Share the code from your telephone [1].", "denies"),
        ("Install <b>Relay Connect</b> [1].", "markup"),
        ("![x](vpn.example.com) Install Relay Connect [1].", "markup"),
        ("Install Relay Connect [1].\n```\ncode", "does not end"),
        ("Install Relay Connect. " * 200 + "[1]", str(MOST_CHARS)),
    ],
)
def test_what_they_do_not_say_is_found(answer: str, why: str) -> None:
    found = faults(answer, [VPN])
    assert any(why in fault for fault in found), found


def test_the_second_passage_does_not_vouch_for_the_first() -> None:
    assert faults("La contraseña nueva necesita 12 caracteres [1].", [VPN, CLAVE])
    assert not faults("La contraseña nueva necesita 12 caracteres [1, 2].", [VPN, CLAVE])


def test_links_are_no_citations() -> None:
    assert cited("See [1](https://a.example), [2], [2, 3] and [10][2].") == [2, 3, 10]
