"""Languages are told where the text tells them, and foreign ones only where it is certain."""

from __future__ import annotations

import pytest

from core.adapters.language import LinguaDetector
from core.domain.languages import LANGUAGES


@pytest.fixture(scope="module")
def detector() -> LinguaDetector:
    return LinguaDetector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hola", "es"),
        ("thanks", "en"),
        ("la impresora no imprime", "es"),
        ("my laptop does not start", "en"),
        ("no puedo entrar al server, me da ERR_CONNECTION_REFUSED", "es"),
        ("please reset MFA for José Fernández", "en"),
        ("", None),
        ("k", None),
        ("🙂🙂", None),
        ("María José", None),
        ("ERR-404 / LT-2291", None),
        ("vpn " * 12_000, None),
        ("\u200b\u200b", None),
    ],
)
def test_names_and_codes_do_not_tell_a_language(
    detector: LinguaDetector, text: str, language: str | None
) -> None:
    assert detector.detect(text) == language
    assert detector.detect_foreign(text) is None


_FOREIGN = [
    ("Bonjour, je n'arrive pas à me connecter au VPN depuis ce matin", "fr"),
    ("Bonjour, la connexion VPN ne marche plus depuis hier", "fr"),
    ("Guten Tag, mein Drucker funktioniert nicht mehr", "de"),
    ("Olá, não consigo entrar na minha conta desde ontem", "pt"),
    ("Buongiorno, non riesco ad accedere alla mia posta", "it"),
    ("не могу войти в почту", "ru"),
    ("パスワードを忘れました", "ja"),
    ("我忘记了密码", "zh"),
    ("نسيت كلمة المرور", "ar"),
]


@pytest.mark.parametrize(
    ("text", "language"), [case for case in _FOREIGN if case[1] not in LANGUAGES]
)
def test_a_whole_message_in_another_language_is_foreign(
    detector: LinguaDetector, text: str, language: str
) -> None:
    assert detector.detect_foreign(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "necesito resetear el password de mi account en el server",
        "please reset MFA for José Fernández in Azure AD",
        "the file Über uns.docx cannot be opened in SharePoint",
        "VPN kaputt",
        "quiero cambiar mi cuenta bancaria",
        "Bon dia, no puc entrar al meu compte de correu",
        "the folder Договор 2026 is gone",
        "p\u0430ssw\u043erd r\u0435set",
        "a" * 50_000,
        "\ud800" * 100,
    ],
)
def test_mixed_words_names_and_look_alike_letters_are_not_foreign(
    detector: LinguaDetector, text: str
) -> None:
    assert detector.detect_foreign(text) not in {"fr", "de", "pt", "it", "nl", "ru"}
