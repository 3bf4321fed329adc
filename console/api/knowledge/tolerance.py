"""How many of a hundred answers may be wrong, and what that would mean, in the API."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from console.api.preconditions import IfMatch, tag
from console.api.principal import AdminCaller, ReaderCaller
from console.api.put_back import PutBack
from console.api.shapes import Body
from console.desk import desk_of
from core.domain.tolerance import LOST, Outlook, Prospect

router = APIRouter(route_class=PutBack, prefix="/assistant/tolerance", tags=["assistant"])


class ToleranceIn(Body):
    """How many wrong answers in a hundred are accepted."""

    wrong_per_hundred: Annotated[
        float | None,
        Field(gt=0, lt=100, strict=False, description="Null: as many as installed."),
    ]


class ToleranceOut(BaseModel):
    """How many wrong answers in a hundred are accepted, and who says so."""

    wrong_per_hundred: float  # what counts
    installed: float  # DESK_WRONG_ANSWERS_PER_HUNDRED
    set: bool  # by an admin; false: what is installed counts


class ProspectOut(BaseModel):
    """What would become of the knowledge base's own questions; counts."""

    wrong_per_hundred: float
    answered_right: int
    answered_wrong: int
    offered_right: int
    offered_wrong: int
    handed_off: int
    lost_answered: int  # the same questions while no article answers them
    lost_offered: int
    lost_handed_off: int
    wrong_in_a_hundred: float | None  # answers, were one question in four lost; null: none given

    @classmethod
    def of(cls, found: Prospect) -> Self:
        """Return what the API tells of `found`."""
        wrong = found.wrong_in_a_hundred(lost=LOST)
        return cls(
            wrong_per_hundred=found.wrong_per_hundred,
            answered_right=found.answered_right,
            answered_wrong=found.answered_wrong,
            offered_right=found.offered_right,
            offered_wrong=found.offered_wrong,
            handed_off=found.handed_off,
            lost_answered=found.lost_answered,
            lost_offered=found.lost_offered,
            lost_handed_off=found.lost_handed_off,
            wrong_in_a_hundred=None if wrong is None else round(wrong, 2),
        )


class OutlookOut(BaseModel):
    """What tolerances would mean."""

    questions: int  # of the base's own that were asked
    current: bool  # false: articles changed since
    measurable: bool  # false: there are no sentence vectors to measure with
    together: list[ProspectOut]  # empty where there are too few questions
    by_language: dict[str, list[ProspectOut]]

    @classmethod
    def of(cls, found: Outlook) -> Self:
        """Return what the API tells of `found`."""
        told = {
            language: [ProspectOut.of(one) for one in prospects]
            for language, prospects in found.by_language.items()
        }
        return cls(
            questions=found.questions,
            current=found.is_current,
            measurable=found.can_be_measured,
            together=told.pop("", []),
            by_language=told,
        )


@router.get("")
async def get_tolerance(request: Request, response: Response, _: ReaderCaller) -> ToleranceOut:
    """Return how many wrong answers in a hundred are accepted."""
    return await _answer(request, response)


@router.put("")
async def set_tolerance(
    request: Request, response: Response, caller: AdminCaller, body: ToleranceIn, revision: IfMatch
) -> ToleranceOut:
    """Set how many wrong answers in a hundred are accepted; searches know it within seconds."""
    tolerance = desk_of(request).knowledge.tolerance
    await tolerance.set(body.wrong_per_hundred, caller, revision=revision)
    return await _answer(request, response)


@router.get("/outlook")
async def get_outlook(request: Request, _: ReaderCaller) -> OutlookOut:
    """Return what tolerances would mean for the knowledge base's own questions."""
    return OutlookOut.of(await desk_of(request).knowledge.tolerance.outlook())


async def _answer(request: Request, response: Response) -> ToleranceOut:
    found = await desk_of(request).knowledge.tolerance.get()
    tag(response, found.revision)
    return ToleranceOut(
        wrong_per_hundred=found.wrong_per_hundred,
        installed=found.installed,
        set=found.set_to is not None,
    )
