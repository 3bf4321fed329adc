"""The words on the chat page, in each of its languages."""

from core.domain.languages import by_preference, spoken
from core.texts import Catalogue

words = Catalogue("channels.webchat").words


def choose_language(asked: str | None, accepted: str | None, default: str) -> str:
    """Return the page language for a `lang` parameter and an `Accept-Language` header."""
    return spoken(asked, *by_preference(accepted), default=default)
