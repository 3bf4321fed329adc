"""What becomes of what Slack tells, and what Slack is asked and told for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from channels.simulator.faults import Fault
from channels.simulator.slack import News, Person, SlackPlatform
from channels.simulator.slack.workspace import APP, TEAM
from channels.slack.channel import Slack
from core.domain.account import AccountState
from core.domain.assistant import TicketBrief
from core.domain.content import Choice, Intent
from core.domain.events import MessageEdited, MessagePosted
from core.domain.ids import (
    ChoiceId,
    new_id,
)
from core.ports import Refusal
from core.runtime.machine.polling import until
from tests.support.slack import Shelf
from tests.unit.slack.rig import Kept, outbound


async def _told(slack: SlackPlatform, count: int = 1) -> None:
    async def told() -> bool:
        return len(slack.telling.acknowledged) >= count

    assert await until(told, every=0.01, seconds=10)


def _asked_about(slack: SlackPlatform) -> list[str]:
    """Return about whom Slack was asked."""
    return [arguments["user"] for method, arguments in slack.server.calls if method == "users.info"]


async def test_a_mention_brings_what_was_said_before_it(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    bea = slack.person("Bea")
    general = slack.workspace.channel("general")
    root = slack.compose(bea, "the *printer* is on fire", channel=general)
    await slack.mention(ana, "what now?", thread=root, channel=general)
    await _told(slack, 2)
    (event, _) = inbox.events
    assert event.body.quoted == "@Bea: the **printer** is on fire"  # type: ignore[union-attr]


async def test_who_is_mentioned_is_called_by_name_in_what_is_said_and_its_corrections(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    bea = slack.person("Bea *x* Ruiz")
    said = await slack.write(ana, f"ask <@{bea.id}> or <@UNOBODY99>, a@U12345678.example")
    await _told(slack)
    await slack.edit(said, f"ask <@{bea.id}>")
    await _told(slack, 2)
    posted, edited = inbox.events
    assert isinstance(posted, MessagePosted)
    assert posted.body.text == "ask @Bea \\*x\\* Ruiz or @UNOBODY99, a@U12345678.example"
    assert isinstance(edited, MessageEdited)
    assert edited.body.text == "ask @Bea \\*x\\* Ruiz"


async def test_ids_in_code_stay_as_they_were_typed(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    bea = slack.person("Ana_B `x`")
    await slack.write(
        ana, f"<@{bea.id}> ran `grep @{bea.id}` and\n```\nid\n\n@{bea.id}\n```\nso <@{bea.id}>"
    )
    await _told(slack)
    await slack.write(ana, "see `it` and `@U12345678`")
    await _told(slack, 2)
    first, second = (event.body.text for event in inbox.events)  # type: ignore[union-attr]
    name = r"@Ana_B \`x\`"
    fence = f"```\nid\n\n@{bea.id}\n```"
    assert first == f"{name} ran `grep @{bea.id}` and\n\n{fence}\n\nso {name}"
    assert second == "see `it` and `@U12345678`"
    assert _asked_about(slack) == [bea.id]


async def test_words_that_only_look_like_ids_are_not_asked_about(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    words = "@URGENTE " + " ".join(f"@U{number:08}" for number in range(20))
    await slack.write(ana, words)
    await _told(slack)
    (event,) = inbox.events
    assert event.body.text == words  # type: ignore[union-attr]
    assert _asked_about(slack) == []


async def test_a_mention_of_whom_slack_does_not_know_is_asked_about_once(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    for number in range(3):
        await slack.write(ana, f"ask <@UNOBODY99> {number}")
        await _told(slack, number + 1)
    assert [event.body.text for event in inbox.events] == [  # type: ignore[union-attr]
        f"ask @UNOBODY99 {number}" for number in range(3)
    ]
    assert _asked_about(slack) == ["UNOBODY99"]


async def test_names_that_come_late_hold_up_no_acknowledgement_and_are_there_for_later_messages(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    bea = slack.person("Bea")
    slack.faults.delay_seconds = 1.0
    slack.faults.plan(Fault.SLOW, method="users.info")
    written = 0

    async def is_named() -> bool:
        nonlocal written
        written += 1
        await slack.write(ana, f"ask <@{bea.id}>")
        await _told(slack, written)
        return inbox.events[-1].body.text == "ask @Bea"  # type: ignore[union-attr]

    assert await until(is_named, every=0.01, seconds=10)
    assert inbox.events[0].body.text == f"ask @{bea.id}"  # type: ignore[union-attr]
    assert _asked_about(slack) == [bea.id]


async def test_a_mention_whose_name_slack_does_not_tell_keeps_its_id(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.faults.plan(Fault.CUT_BEFORE, method="users.info")
    await slack.write(ana, "ask <@U12345678>")
    await _told(slack)
    (event,) = inbox.events
    assert event.body.text == "ask @U12345678"  # type: ignore[union-attr]


async def test_a_mention_brings_what_was_said_just_before_it_however_long_the_thread_is(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.server.page_limit = 5
    general = slack.workspace.channel("general")
    root = slack.compose(ana, "word 0", channel=general)
    for number in range(1, 23):
        slack.compose(ana, f"word {number}", thread=root, channel=general)
    await slack.mention(ana, "what now?", thread=root, channel=general)
    await _told(slack, 2)
    (event, _) = inbox.events
    words = [f"@Ana Gil: word {number}" for number in range(3, 23)]
    assert event.body.quoted == "\n\n".join(words)  # type: ignore[union-attr]


async def test_a_reply_counts_wherever_in_its_thread_the_desk_was_mentioned(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.server.page_limit = 5
    general = slack.workspace.channel("general")
    root = slack.compose(ana, "the printer is on fire", channel=general)
    for number in range(12):
        words = "<@U0SIMBOT> and now?" if number == 11 else f"word {number}"
        slack.compose(ana, words, thread=root, channel=general)
    await slack.write(ana, "it still burns", thread=root)
    await _told(slack)
    (event,) = inbox.events
    assert event.body.text == "it still burns"  # type: ignore[union-attr]


async def test_a_thread_is_looked_at_for_ten_pages(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.server.page_limit = 1
    general = slack.workspace.channel("general")
    root = slack.compose(ana, "the printer is on fire", channel=general)
    for number in range(12):
        words = "<@U0SIMBOT> and now?" if number == 11 else f"word {number}"
        slack.compose(ana, words, thread=root, channel=general)
    await slack.write(ana, "it still burns", thread=root)
    await _told(slack)
    assert inbox.events == []


async def test_without_what_was_said_before_a_mention_still_counts(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    general = slack.workspace.channel("general")
    root = slack.compose(ana, "the printer is on fire", channel=general)
    slack.faults.plan(Fault.BROKEN, Fault.BROKEN, method="conversations.replies")
    await slack.mention(ana, "what now?", thread=root, channel=general)
    await _told(slack, 2)
    assert {event.body.quoted for event in inbox.events} == {None}  # type: ignore[union-attr]


async def test_the_shortcut_is_answered_where_it_was_used(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    message = slack.compose(ana, "how do I print?", channel=slack.workspace.channel("general"))
    await slack.ask_about(ana, message)
    await _told(slack)
    (event,) = inbox.events
    assert event.thread == ana.direct

    async def answered() -> bool:
        return len(slack.server.responses) == 1

    assert await until(answered, every=0.01, seconds=10)
    assert slack.server.responses[0]["response_type"] == "ephemeral"


async def test_hints_are_in_the_language_of_whoever_asked(
    slack: SlackPlatform, inbox: Kept
) -> None:
    luz = slack.person("Luz", locale="es-MX")
    await slack.command(luz, "no puedo imprimir")
    await _told(slack)
    ((_, answer),) = slack.telling.answers
    assert answer["text"].startswith("He recibido su pregunta")


async def test_hints_are_in_the_desks_language_where_slack_does_not_tell_the_persons(
    slack: SlackPlatform, inbox: Kept
) -> None:
    slack.faults.plan(Fault.BROKEN, method="users.info")
    await slack.command(slack.person("Luz", locale="es-MX"), "no puedo imprimir")
    await _told(slack)
    ((_, answer),) = slack.telling.answers
    assert answer["text"].startswith("I have your question")


async def test_a_command_counts_also_where_its_direct_channel_cannot_be_found(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.faults.plan(Fault.BROKEN, method="conversations.open")
    await slack.command(ana, "my screen is black")
    await _told(slack)
    assert [event.thread for event in inbox.events] == [ana.id]


async def test_of_commands_sent_at_once_the_first_is_stored_first(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.faults.plan(Fault.SLOW, method="conversations.open")
    words = ["my screen is black", "and the keyboard is dead", "are you there?"]
    for text in words:
        await slack.command(ana, text)
    await _told(slack, len(words))
    assert [event.body.text for event in inbox.events] == words  # type: ignore[union-attr]
    assert {event.thread for event in inbox.events} == {ana.direct}
    orders = [event.order for event in inbox.events]
    assert orders == sorted(set(orders))


async def test_a_person_who_wrote_before_need_not_be_looked_for(
    slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    slack.faults.plan(Fault.BROKEN, method="conversations.open")
    await slack.write(ana, "hello")
    await _told(slack)
    await slack.command(ana, "my screen is black")
    await _told(slack, 2)
    assert [event.thread for event in inbox.events] == [ana.direct, ana.direct]


async def test_the_home_tab_shows_a_persons_tickets_in_their_language(
    slack: SlackPlatform, ana: Person, inbox: Kept, shelf: Shelf
) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    shelf.tickets[ana.id] = [
        TicketBrief(
            number=7, status="on_hold", subject="<!here> black", created_at=at, updated_at=at
        )
    ]
    await slack.open_home(ana)

    async def shown() -> bool:
        return ana.id in slack.workspace.homes

    assert await until(shown, every=0.01, seconds=10)
    words = str(slack.workspace.homes[ana.id])
    assert "*#7* &lt;!here&gt; black" in words
    assert "en espera" in words
    assert f"slack://app?team={TEAM}&id={APP}&tab=messages" in words


async def test_a_choice_takes_the_place_of_the_buttons(
    channel: Slack, slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    choices = tuple(
        Choice(id=ChoiceId(new_id()), label=label, intent=Intent(name="affirm"))
        for label in ("Yes", "No")
    )
    await channel.deliver(outbound(ana, "Did this help?", choices=choices))
    await slack.press(ana, slack.sent()[0], "Yes")

    async def replaced() -> bool:
        return [block["type"] for block in slack.sent()[0].blocks] == ["rich_text", "context"]

    assert await until(replaced, every=0.01, seconds=10)
    assert [type(event).__name__ for event in inbox.events] == ["ChoicePressed"]


async def test_a_choice_that_changed_nothing_is_not_shown_but_told_in_the_persons_language(
    channel: Slack, slack: SlackPlatform, ana: Person, inbox: Kept
) -> None:
    yes = Choice(id=ChoiceId(new_id()), label="Yes", intent=Intent(name="affirm"))
    await channel.deliver(outbound(ana, "Did this help?", choices=(yes,)))
    inbox.refusal = Refusal.ALREADY_CHOSEN
    await slack.press(ana, slack.sent()[0], "Yes")

    async def was_told() -> bool:
        return bool(slack.workspace.asides)

    assert await until(was_told, every=0.01, seconds=10)
    assert slack.workspace.asides == [
        (ana.id, "Esto ya se respondió. Escríbanos si necesita algo más.")
    ]
    assert [block["type"] for block in slack.sent()[0].blocks][-1] == "actions"


async def test_a_token_that_was_revoked_is_reported(slack: SlackPlatform, inbox: Kept) -> None:
    await slack.revoke()

    async def reported() -> bool:
        return inbox.health[-1].state is AccountState.BAD_CREDENTIALS

    assert await until(reported, every=0.01, seconds=10)
    assert "reinstall" in inbox.health[-1].remedy


async def test_events_that_slack_holds_back_are_reported(slack: SlackPlatform, inbox: Kept) -> None:
    payload = {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1518467820}
    await slack.telling.tell(News(id="limited", kind="events_api", payload=payload))
    await _told(slack)
    assert AccountState.DEGRADED in {health.state for health in inbox.health}


async def test_a_persons_own_token_is_none_of_the_accounts(
    slack: SlackPlatform, inbox: Kept
) -> None:
    event = {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}
    await slack.telling.tell(slack._event(event))
    await _told(slack)
    assert all(health.state is not AccountState.BAD_CREDENTIALS for health in inbox.health)


def _raw(slack: SlackPlatform, message: Any) -> bytes:
    return json.dumps(slack.posting(message).payload).encode()
