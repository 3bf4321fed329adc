"""A small knowledge base for tests."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.ids import ArticleId
from core.domain.knowledge import Article, Audience


@dataclass
class Clock:
    """Shows the seconds that a test lets pass."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def article(name: str, title: str, body: str = "", **fields: object) -> Article:
    """Return an English article; `fields` are the rest of it."""
    given: dict[str, object] = {"language": "en", **fields}
    return Article(id=ArticleId(name), title=title, body=body, **given)  # type: ignore[arg-type]


ARTICLES = (
    article(
        "reset-password",
        "Reset a forgotten password",
        "Open the sign-in page and choose **Forgot password**. A link comes by mail.",
        questions=("I forgot my password", "password does not work any more"),
    ),
    article(
        "restablecer-contrasena",
        "Restablecer una contraseña olvidada",
        "Abra la página de acceso y elija **Olvidé mi contraseña**.",
        language="es",
        questions=("No recuerdo mi contraseña",),
        translation_of=ArticleId("reset-password"),
    ),
    article(
        "connect-vpn",
        "Connect to the VPN",
        "Start the VPN client, choose Connect and confirm with your second factor.",
        questions=("How do I reach the network drive from home?",),
    ),
    article(
        "book-room",
        "Book a meeting room",
        "In the calendar, add a room to the event.",
        questions=("I need a room for ten people",),
    ),
    article(
        "printer-jam",
        "Clear a paper jam in the printer",
        "Open the flap at the back and pull the sheet out gently.",
        questions=("the printer is stuck",),
    ),
    article(
        "admin-passwords",
        "Vault for administrator passwords",
        "Administrator passwords live in the vault.",
        questions=("Where are administrator passwords kept?",),
        audience=Audience.INTERNAL,
    ),
)
