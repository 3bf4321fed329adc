"""Sorts the ticket of a report by the names that the report uses."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from core.domain.automation.alerts import Alert
from core.domain.classification import checked_tags
from core.domain.conversation import Speaker
from core.domain.errors import InvalidInput
from core.domain.ids import CategoryId, TeamId
from core.services.case import Case
from core.services.classification.sorting import Sorting, apply
from core.storage.queries.classification.categories import category_tree
from core.storage.tables import Team
from core.texts import text

UNKNOWN = "The report names what is not here: {names}"
_MOST_CHARS = 120


async def sort_as_reported(
    case: Case, alert: Alert, *, actor: str, unknown: Sequence[str] = ()
) -> None:
    """Give the locked ticket of `case` what the report names; what is not here is noted in it.

    `unknown` is what else it names that is not here.
    """
    unknown = list(unknown)
    await case.session.flush()
    await case.session.refresh(case.ticket)  # it is new: what the database fills in is not known
    if alert.category:
        category = await _category(case, alert.category)
        if category is None:
            unknown.append(alert.category)
        else:
            await apply(case, Sorting(category=category), actor=actor)
    if alert.team:
        team = await _team(case, alert.team)
        if team is None:
            unknown.append(alert.team)
        else:
            case.pass_to(team, actor=actor)
    for tag in alert.tags:
        try:
            await apply(case, Sorting(more_tags=checked_tags([tag])), actor=actor)
        except InvalidInput:
            unknown.append(tag)
    if alert.fields:
        unknown += await _fill_in(case, alert, actor)
    if unknown:
        names = ", ".join(name[:_MOST_CHARS] for name in unknown)
        words = text(case.conversation.language, UNKNOWN, names=names.replace("\x00", ""))
        case.ledger.remark(case.conversation, Speaker.SYSTEM, words)


async def _category(case: Case, name: str) -> CategoryId | None:
    """Return the category of that path, or of that name where there is one only."""
    tree, wanted = await category_tree(case.session), _plain(name)
    paths = {_plain(tree.path(one.id)): one.id for one in tree.choosable()}
    if wanted in paths:
        return paths[wanted]
    found = [one.id for one in tree.choosable() if _plain(one.name) == wanted]
    return found[0] if len(found) == 1 else None


async def _team(case: Case, name: str) -> TeamId | None:
    found = await case.session.scalar(
        select(Team.id).where(
            func.lower(Team.name) == _plain(name).replace("\x00", ""), Team.archived_at.is_(None)
        )
    )
    return None if found is None else TeamId(found)


async def _fill_in(case: Case, alert: Alert, actor: str) -> list[str]:
    """Fill in the form; return the fields that it does not have, or not with such a value."""
    tree = await category_tree(case.session)
    specs = {_plain(spec.label): spec for spec in tree.fields_of(case.ticket.category_id)}
    wrong = []
    for label, value in alert.fields.items():
        spec = specs.get(_plain(label))
        if spec is None:
            wrong.append(f"{label} = {value}")
            continue
        try:
            await apply(case, Sorting(fields={spec.key: value}), actor=actor)
        except InvalidInput:
            wrong.append(f"{label} = {value}")
    return wrong


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
