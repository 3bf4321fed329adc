"""What the desk says to people, in their language; the English sentences are the keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import resources
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from babel.messages.pofile import read_po

from core.domain.languages import LANGUAGES, SOURCE, spoken


class Catalogue:
    """The sentences of one package, in `locale/XX/LC_MESSAGES/*.po` beside its modules."""

    def __init__(self, package: str, languages: Collection[str] = LANGUAGES) -> None:
        self._package = package
        self._languages = languages
        self._words: dict[str, Mapping[str, str]] = {}

    def words(self, language: str) -> Mapping[str, str]:
        """Return what each English sentence is in `language`; nothing for English."""
        if language == SOURCE or language not in self._languages:
            return MappingProxyType({})
        if language not in self._words:
            self._words[language] = MappingProxyType(self._read(language))
        return self._words[language]

    def text(self, language: str | None, key: str, /, **values: object) -> str:
        """Return `key`, an English sentence, in `language`, with `{name}`s filled in.

        A language that is not spoken, and a key without a translation, give English.
        """
        known = spoken(language, default=SOURCE, among=self._languages)
        words = self.words(known).get(key) or key
        return words.format(**values) if values else words

    def _read(self, language: str) -> dict[str, str]:
        words: dict[str, str] = {}
        room = resources.files(self._package) / "locale" / language / "LC_MESSAGES"
        for file in room.iterdir():
            with file.open("rb") as opened:
                messages = read_po(opened, locale=language)
            words |= {str(message.id): str(message.string) for message in messages if message.id}
        return words


text = Catalogue("core").text
"""See `Catalogue.text`: the sentences of the desk itself."""


def language_name(language: str, reader: str) -> str:
    """Return what `language` is called in the language of `reader`: "es" is "Spanish" in "en".

    A language that Unicode's data does not know is called by its code.
    """
    try:
        return Locale.parse(language).get_display_name(reader) or language
    except (ValueError, UnknownLocaleError):
        return language
