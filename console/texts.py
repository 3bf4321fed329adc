"""The console's words in the languages that agents read."""

from core.domain.languages import CONSOLE_LANGUAGES, by_preference, spoken
from core.texts import Catalogue

_CATALOGUE = Catalogue("console", CONSOLE_LANGUAGES)

catalogue = _CATALOGUE.words
translate = _CATALOGUE.text


def accepted_language(header: str | None) -> str:
    """Return the first language of an `Accept-Language` header that the console speaks."""
    return spoken(*by_preference(header), among=CONSOLE_LANGUAGES)
