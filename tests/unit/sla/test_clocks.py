"""Clocks of tickets in histories one can check by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.domain.calendars.arithmetic import BusinessHours
from core.domain.calendars.calendar import ALWAYS, calendar_from
from core.domain.sla.clocks import Clock, History, Moment, Turn, clocks_of
from core.domain.sla.policy import ClockKind, ClockStart, Policy, PolicyId

HOUR = timedelta(hours=1)
ROUND_THE_CLOCK = BusinessHours(ALWAYS)
OFFICE = BusinessHours(
    calendar_from(
        zone="Europe/Madrid", week=("09:00-17:00",) * 5 + ("", ""), country=None, region=None,
        own_days=(),
    )
)  # fmt: skip


def at(hour: float) -> datetime:
    """Return so many hours after midnight (UTC) of a Monday."""
    return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour)


def clocks(
    *moments: tuple[float, Turn],
    now: float,
    start: ClockStart = ClockStart.HAND_OFF,
    hours: BusinessHours = ROUND_THE_CLOCK,
    **targets: timedelta,
) -> dict[tuple[ClockKind, int], Clock]:
    """Return the clocks of a ticket first asked at nine and handed off at ten."""
    policy = Policy(
        id=PolicyId(UUID(int=1)),
        name="any",
        targets={ClockKind(kind): target for kind, target in targets.items()},
        start=start,
    )
    history = History(
        asked_at=at(9),
        opened_at=at(10),
        moments=[Moment(at=at(10), turn=Turn.RUNS)]
        + [Moment(at=at(hour), turn=turn) for hour, turn in moments],
    )
    return {
        (clock.kind, clock.round): clock for clock in clocks_of(policy, hours, history, at(now))
    }


def first(found: dict[tuple[ClockKind, int], Clock]) -> Clock:
    return found[ClockKind.FIRST_RESPONSE, 1]


def resolution(found: dict[tuple[ClockKind, int], Clock]) -> Clock:
    return found[ClockKind.RESOLUTION, 1]


def test_a_clock_begins_at_the_hand_off_or_at_the_first_message_as_the_policy_says() -> None:
    assert first(clocks(now=10, first_response=HOUR)).due_at == at(11)
    asked = clocks(now=10, first_response=HOUR, start=ClockStart.FIRST_MESSAGE)
    assert first(asked).due_at == at(10)


def test_an_agents_answer_keeps_the_promise_of_a_first_response() -> None:
    clock = first(clocks((10.5, Turn.ANSWERED), now=12, first_response=HOUR))
    assert (clock.met_at, clock.breached_at, clock.due_at) == (at(10.5), None, None)
    assert clock.spent == HOUR / 2


def test_an_answer_at_the_very_moment_is_in_time_and_one_after_it_is_not() -> None:
    assert first(clocks((11, Turn.ANSWERED), now=12, first_response=HOUR)).breached_at is None
    late = first(clocks((11.01, Turn.ANSWERED), now=12, first_response=HOUR))
    assert late.breached_at == at(11)


def test_a_merge_that_is_undone_has_answered_nothing() -> None:
    def promised(*moments: tuple[float, Turn], now: float) -> dict[tuple[ClockKind, int], Clock]:
        return clocks(
            *moments, now=now, first_response=HOUR, next_response=HOUR, resolution=4 * HOUR
        )

    merged = (10.5, Turn.LEAVES)
    over = promised(merged, now=11)
    assert (first(over).met_at, resolution(over).met_at) == (at(10.5), at(10.5))
    back = promised(merged, (12, Turn.RUNS), now=12)
    assert (first(back).met_at, first(back).due_at) == (None, at(12.5))
    assert (resolution(back).met_at, resolution(back).due_at) == (None, at(15.5))
    asked = ((10.1, Turn.ANSWERED), (10.2, Turn.ASKED), merged)
    again = ClockKind.NEXT_RESPONSE, 1
    assert promised(*asked, now=11)[again].met_at == at(10.5)
    undone = promised(*asked, (12, Turn.RUNS), now=12)[again]
    assert (undone.met_at, undone.spent) == (None, timedelta(hours=0.3))


def test_a_ticket_solved_without_a_word_owes_no_first_response() -> None:
    assert first(clocks((10.5, Turn.ENDS), now=12, first_response=HOUR)).met_at == at(10.5)


def test_each_further_question_has_a_clock_of_its_own() -> None:
    found = clocks(
        (10.5, Turn.ANSWERED),
        (11, Turn.ASKED),
        (11.2, Turn.ASKED),
        (11.5, Turn.ANSWERED),
        (13, Turn.ASKED),
        now=14,
        next_response=2 * HOUR,
    )
    assert found[ClockKind.NEXT_RESPONSE, 1].met_at == at(11.5)
    assert found[ClockKind.NEXT_RESPONSE, 1].started_at == at(11)
    assert found[ClockKind.NEXT_RESPONSE, 2].due_at == at(15)


def test_questions_before_the_first_answer_have_no_clock() -> None:
    assert clocks((10.5, Turn.ASKED), now=12, next_response=HOUR) == {}


def test_clocks_stand_still_while_a_ticket_waits() -> None:
    waiting = resolution(clocks((11, Turn.WAITS), now=20, resolution=4 * HOUR))
    assert (waiting.running_since, waiting.due_at, waiting.spent) == (None, None, HOUR)
    again = resolution(clocks((11, Turn.WAITS), (20, Turn.RUNS), now=20, resolution=4 * HOUR))
    assert again.due_at == at(23)


def test_a_ticket_that_is_opened_again_goes_on_where_it_was() -> None:
    found = clocks((11, Turn.ENDS), (20, Turn.RUNS), now=20, resolution=4 * HOUR)
    assert resolution(found).met_at is None
    assert resolution(found).due_at == at(23)


def test_time_outside_hours_does_not_count() -> None:
    # Ten o'clock in UTC is eleven in Madrid: six hours are left of that day.
    found = clocks(now=10, resolution=8 * HOUR, hours=OFFICE)
    assert resolution(found).due_at == at(24 + 10)


def test_a_warning_comes_before_the_target() -> None:
    assert first(clocks(now=10, first_response=10 * HOUR)).warn_at == at(18)


def test_what_was_late_stays_late_when_it_is_opened_again() -> None:
    found = clocks((13, Turn.ENDS), (20, Turn.RUNS), now=20, resolution=2 * HOUR)
    assert resolution(found).breached_at == resolution(found).due_at == at(12)
