"""The rules about asking, as they are stored."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.satisfaction import SurveyRules
from core.services import audit
from core.services.revisions import check_content
from core.storage.tables import SurveyRule

_ONLY = 1
SUBJECT = ("satisfaction", _ONLY)
"""What the audit log calls them."""


async def survey_rules(session: AsyncSession) -> SurveyRules:
    """Return the rules that count; the built-in ones where none were set."""
    row = await session.get(SurveyRule, _ONLY)
    if row is None:
        return SurveyRules()
    return SurveyRules(
        is_on=row.is_on,
        delay=timedelta(seconds=row.delay),
        remind_after=None if row.remind_after is None else timedelta(seconds=row.remind_after),
        lasts=timedelta(seconds=row.lasts),
        quiet=timedelta(seconds=row.quiet),
        low_score=row.low_score,
        asks_of_assistant=row.asks_of_assistant,
    )


async def set_survey_rules(
    session: AsyncSession, rules: SurveyRules, by: Agent, *, revision: int | None = None
) -> None:
    """Replace the rules; surveys under way keep their times.

    Raises:
        Outdated: they do not have the version `revision` any more.
    """
    lock = func.hashtextextended("survey_rule", 0)  # there may be no row to lock yet
    await session.execute(select(func.pg_advisory_xact_lock(lock)))
    old = await survey_rules(session)
    check_content(old, revision)
    values = _as_row(rules)
    await session.execute(
        upsert(SurveyRule)
        .values(id=_ONLY, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
    audit.record(
        session,
        by.actor,
        "satisfaction.rules_changed",
        (*SUBJECT, "Satisfaction"),
        old=_as_row(old),
        new=values,
    )


def _as_row(rules: SurveyRules) -> dict[str, int | bool | None]:
    return {
        "is_on": rules.is_on,
        "delay": int(rules.delay.total_seconds()),
        "remind_after": (
            None if rules.remind_after is None else int(rules.remind_after.total_seconds())
        ),
        "lasts": int(rules.lasts.total_seconds()),
        "quiet": int(rules.quiet.total_seconds()),
        "low_score": rules.low_score,
        "asks_of_assistant": rules.asks_of_assistant,
    }
