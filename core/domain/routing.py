"""Routing rules: which tickets go to which team. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.domain.ids import CategoryId, OrganisationId, TeamId
from core.domain.plans import PlanId

_WORD = re.compile(r"\w+")


class LanguageNeed(StrEnum):
    """How much it matters that an agent answers in the ticket's language."""

    ANY = "any"
    PREFERRED = "preferred"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingFacts:
    """What rules look at of a ticket."""

    categories: frozenset[CategoryId] = frozenset()  # its own and those above it
    channel: str | None = None  # a kind, such as "email"
    account: str = ""
    organisation: OrganisationId | None = None
    plan: PlanId | None = None  # of support, that is in force
    language: str = ""
    said: str = ""  # subject and first message, folded
    reason: str = ""  # of the hand-off
    is_vip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a rule asks of a ticket: of each kind that is given, one must fit; none fits all."""

    categories: frozenset[CategoryId] = frozenset()
    channels: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    organisations: frozenset[OrganisationId] = frozenset()
    plans: frozenset[PlanId] = frozenset()
    languages: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()  # whole words or sequences of them; accents and case aside
    reasons: frozenset[str] = frozenset()
    vip_only: bool = False

    def fit(self, facts: RoutingFacts) -> bool:
        """Say whether a ticket is one of those."""
        return (
            (not self.categories or bool(self.categories & facts.categories))
            and (not self.channels or facts.channel in self.channels)
            and (not self.accounts or facts.account in self.accounts)
            and (not self.organisations or facts.organisation in self.organisations)
            and (not self.plans or facts.plan in self.plans)
            and (not self.languages or primary(facts.language) in self.languages)
            and (not self.reasons or facts.reason in self.reasons)
            and (not self.vip_only or facts.is_vip)
            and (not self.words or any(folded(words) in facts.said for words in self.words))
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept; what asks nothing is left out."""
        kept: dict[str, Any] = {
            "categories": sorted(map(str, self.categories)),
            "channels": sorted(self.channels),
            "accounts": sorted(self.accounts),
            "organisations": sorted(map(str, self.organisations)),
            "plans": sorted(map(str, self.plans)),
            "languages": sorted(self.languages),
            "words": list(self.words),
            "reasons": sorted(self.reasons),
            "vip_only": self.vip_only,
        }
        return {name: value for name, value in kept.items() if value}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Conditions:
        """Return what `as_json` gave."""
        return cls(
            categories=frozenset(CategoryId(UUID(i)) for i in kept.get("categories", ())),
            channels=frozenset(kept.get("channels", ())),
            accounts=frozenset(kept.get("accounts", ())),
            organisations=frozenset(OrganisationId(UUID(i)) for i in kept.get("organisations", ())),
            plans=frozenset(PlanId(UUID(i)) for i in kept.get("plans", ())),
            languages=frozenset(kept.get("languages", ())),
            words=tuple(kept.get("words", ())),
            reasons=frozenset(kept.get("reasons", ())),
            vip_only=bool(kept.get("vip_only", False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Where the tickets go that fit some conditions, and what their agent should bring."""

    id: UUID | None  # none: the rule for all others
    name: str
    conditions: Conditions
    team: TeamId
    level: int = 1
    category: CategoryId | None = None  # for tickets without one
    skills: tuple[str, ...] = ()
    skills_required: bool = False
    language: LanguageNeed = LanguageNeed.PREFERRED


def first_that_fits(rules: Sequence[Rule], facts: RoutingFacts) -> Rule | None:
    """Return the first of `rules`, in order, that fits."""
    return next((rule for rule in rules if rule.conditions.fit(facts)), None)


def folded(words: str) -> str:
    """Return the words of a text in small letters, without accents, with a space around each."""
    plain = unicodedata.normalize("NFKD", words.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return f" {' '.join(_WORD.findall(plain))} "


def primary(language: str) -> str:
    """Return the language of a code without its region."""
    return language.partition("-")[0].lower()
