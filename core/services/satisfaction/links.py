"""Links by which a requester answers a survey without signing in."""

from __future__ import annotations

from uuid import UUID

from core.services.signed_links import SignedLinks


class SurveyLinks:
    """Makes the links and reads them back."""

    def __init__(self, key: bytes, base_url: str) -> None:
        self._links = SignedLinks(key, "survey", base_url)

    def link(self, survey: UUID, score: int | None = None) -> str:
        """Return the address of `survey`'s page; with `score`, that one is chosen already."""
        choice = "" if score is None else f"?score={score}"
        return f"{self._links.link(survey)}{choice}"

    def survey(self, token: str) -> UUID:
        """Return the survey that `token` was made for.

        Raises:
            NotFound: it was not made here.
        """
        return self._links.record(token)
