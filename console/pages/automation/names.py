"""What rules and macros keep by id or key, and how their forms say it: by name, translated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from console.named_values import FIXED, KINDS
from console.words.automation import YES_NO
from console.words.states import Translate
from core.domain.actor import WORKING
from core.domain.automation.actions import ActionKind
from core.domain.automation.fields import Field, custom_key
from core.domain.classification import FieldKind
from core.domain.errors import WrongName
from core.storage.queries.classification.categories import CategoryTree, category_tree, spec_of
from core.storage.tables import AgentRow, FormField, Organisation, SupportPlan, Team, Webhook

_NAMED = frozenset({FieldKind.YES_NO, FieldKind.CHOICE})
_FREE = frozenset({"reason", "channel"})
"""Names beside which anything else may stand: what is not there yet, or no more.

So it is with the choices of a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """A field that a category's form asks for."""

    key: str
    label: str  # with its category
    kind: FieldKind
    is_archived: bool

    @property
    def setting(self) -> str:
        """Return how the action that sets the field is called."""
        return f"{ActionKind.SET_FIELD}:{self.key.partition(':')[2]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What teams, agents, statuses and the like are called, by kind and by id or key."""

    of: Mapping[str, Mapping[str, str]]
    customs: Sequence[CustomField] = ()
    shorter: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Other names, small letters, by kind: the id or key that each stands for."""

    def kinds(self, of: str) -> tuple[str, ...]:
        """Return which names the values of a field or an action may be."""
        for one in self.customs:
            if of in (one.key, one.setting) and one.kind in _NAMED:
                return ("yes_no",) if one.kind == FieldKind.YES_NO else (one.key,)
        return KINDS.get(of, ())

    def shown(self, of: str, value: str) -> str:
        """Return a stored value as it is shown: names for ids."""
        known = self._known(of)
        return " | ".join(known.get(part, part) for part in _parts(value)) if known else value

    def kept(self, of: str, value: str) -> str:
        """Return a shown value as it is kept: ids for names.

        Raises:
            WrongName: nothing is called that, or several things are.
        """
        kinds = self.kinds(of)
        if not kinds:
            return value
        return " | ".join(self._one_kept(kinds, self._known(of), part) for part in _parts(value))

    def _one_kept(self, kinds: Sequence[str], known: Mapping[str, str], part: str) -> str:
        exactly = [key for key, name in known.items() if name == part]
        if len(exactly) == 1:
            return exactly[0]
        if part in known:
            return part
        wanted = part.casefold()
        found = [key for key, name in known.items() if name.casefold() == wanted]
        found = found or [
            key for kind in kinds if (key := self.shorter.get(kind, {}).get(wanted)) is not None
        ]
        if len(found) > 1:
            raise WrongName("several are called “{name}”: rename one", part)
        if not found:
            if any(kind in _FREE or kind.startswith(f"{Field.CUSTOM}:") for kind in kinds):
                return part
            raise WrongName("nothing here is called “{name}”", part)
        return found[0]

    def _known(self, of: str) -> dict[str, str]:
        return {key: name for kind in self.kinds(of) for key, name in self.of[kind].items()}

    def offered(self, chosen: str) -> Sequence[CustomField]:
        """Return the fields of forms that can be chosen; one that is chosen stays one."""
        return [
            one for one in self.customs if not one.is_archived or chosen in (one.key, one.setting)
        ]

    def label_of(self, key: str) -> str:
        """Return what a field of a form is called, by the key of a condition or action; or ""."""
        return next((one.label for one in self.customs if key in (one.key, one.setting)), "")

    @property
    def groups(self) -> Sequence[tuple[str, ...]]:
        """Return the kinds of names that stand together."""
        of_customs = (self.kinds(one.key) for one in self.customs)
        return sorted(
            {kinds for kinds in (*KINDS.values(), *of_customs) if kinds and {*kinds} <= {*self.of}}
        )

    def of_kinds(self, kinds: Sequence[str]) -> Sequence[str]:
        """Return the names of several kinds, for completion."""
        return [name for kind in kinds for name in self.of[kind].values()]

    @property
    def all(self) -> Sequence[str]:
        """Return every name, for completion."""
        return sorted({name for names in self.of.values() for name in names.values()})


async def load_names(session: AsyncSession, t: Translate, language: str) -> Names:
    """Read what can be named in rules and macros, in a reader's language."""
    rows = {
        "team": select(Team.id, Team.name).where(Team.archived_at.is_(None)),
        "agent": select(AgentRow.id, AgentRow.name).where(
            AgentRow.disabled_at.is_(None), AgentRow.role.in_(WORKING)
        ),
        "organisation": select(Organisation.id, Organisation.name),
        "webhook": select(Webhook.id, Webhook.name),
        "plan": select(SupportPlan.id, SupportPlan.name),
    }
    read = {
        kind: {str(key): name for key, name in await session.execute(query.distinct())}
        for kind, query in rows.items()
    }
    fixed = {kind: {key: t(one) for key, one in table.items()} for kind, table in FIXED.items()}
    tree = await category_tree(session)
    paths = {str(one.id): tree.path(one.id, language) for one in tree.choosable()}
    called = [(one.named(language).casefold(), str(one.id)) for one in tree.choosable()]
    counts = Counter(name for name, _ in called)
    ends = {name: key for name, key in called if counts[name] == 1}
    customs = await load_custom_names(session, tree, t, language)
    return replace(
        customs, of={**customs.of, **read, **fixed, "category": paths}, shorter={"category": ends}
    )


async def load_custom_names(
    session: AsyncSession, tree: CategoryTree, t: Translate, language: str
) -> Names:
    """Read the fields that categories ask for alone, with what their values are called."""
    asked = (
        await session.scalars(
            select(FormField)
            .where(FormField.category_id.is_not(None))
            .order_by(FormField.category_id, FormField.position)
        )
    ).all()
    choices = {
        custom_key(row.id): {one: spec_of(row).choice_named(one, language) for one in row.choices}
        for row in asked
        if row.kind == FieldKind.CHOICE
    }
    customs = (_custom(row, tree, language) for row in asked)
    return Names(
        of={"yes_no": {key: t(one) for key, one in YES_NO.items()}, **choices},
        customs=sorted(customs, key=lambda one: one.label),
    )


def _custom(row: FormField, tree: CategoryTree, language: str) -> CustomField:
    label = spec_of(row).named(language)
    return CustomField(
        key=custom_key(row.id),
        label=f"{label} ({tree.path(row.category_id, language)})",
        kind=FieldKind(row.kind),
        is_archived=row.archived_at is not None,
    )


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split("|") if part.strip()]
