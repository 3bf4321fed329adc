"""Links by which somebody who was asked decides on a request without signing in."""

from __future__ import annotations

from uuid import UUID

from core.domain.catalogue import Decision
from core.services.signed_links import SignedLinks


class ApprovalLinks:
    """Makes the links and reads them back; each is for one person and one request."""

    def __init__(self, key: bytes, base_url: str) -> None:
        self._links = SignedLinks(key, "approval", base_url)

    def link(self, ask: UUID, decision: Decision | None = None) -> str:
        """Return the address of the page; with `decision`, that one stands first on it."""
        choice = "" if decision is None else f"?decision={decision}"
        return f"{self._links.link(ask)}{choice}"

    def ask(self, token: str) -> UUID:
        """Return what `token` was made for.

        Raises:
            NotFound: it was not made here.
        """
        return self._links.record(token)
