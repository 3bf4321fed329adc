"""Through Slack and back: the desk beside Rasa's own Slack channel, on the same simulated Slack."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import random
import secrets
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.channels.postman import Postman
from bench.channels.rasa_on_slack import RasaOnSlack, rasa_on_slack
from bench.desk import RunningDesk, running_desk
from bench.footprint import process_of
from bench.intake import until_alive
from bench.questions import distinct_questions
from bench.report import Figure, at_most
from bench.timings import percentile
from channels.simulator.slack import News, SlackPlatform
from core.settings import Settings

_WARM_UP = 10
_BLOCKS = 3
_PATIENCE_SECONDS = 20.0
_RATE = 100.0  # events a second
_PEOPLE = 200  # who write them
_ACKNOWLEDGED_SECONDS = 0.5
_GREETING = "Good morning"  # answered without a search, which is of the desk that is killed
_BURST = 20  # messages around a kill
_BURST_SECONDS = 1.0
_SEED = 20260101


@dataclass(slots=True, kw_only=True)
class _Side:
    """One of the two that are compared."""

    name: str
    postman: Postman
    kill: Callable[[], Awaitable[None]]  # the process that receives; returns once it is back
    seconds: float = 0.0  # of all blocks
    answered: int = 0
    told: int = 0
    channels: set[str] = field(default_factory=set)  # of the messages told around kills


async def measure(
    home: Path, *, messages: int, seconds: float, kills: int, say: Callable[[str], None]
) -> list[Figure]:
    """Measure messages end to end, acknowledgements at a rate, and what kills cost."""
    folder = home / "bench"
    # Another one each time: a home that is kept knows the conversations of the last run, whose
    # people have the same ids.
    account = f"bench-{secrets.token_hex(3)}"
    # A program that is killed breaks its calls off; the server would print a traceback for each.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    async with AsyncExitStack() as stack:
        for_desk = await stack.enter_async_context(SlackPlatform())
        for_rasa = await stack.enter_async_context(SlackPlatform())
        for_rasa.server.is_strict = False  # Rasa sends an argument that Slack does not have
        say("Slack: starting the desk")
        desk = await stack.enter_async_context(running_desk(home, _settings(account, for_desk)))
        await desk.all_is_up()
        await desk.all_is_embedded()
        say("Slack: starting Rasa")
        folder.mkdir(exist_ok=True)
        rasa = await stack.enter_async_context(
            rasa_on_slack(
                folder,
                for_rasa,
                model=desk.model,
                desk_url=f"http://127.0.0.1:{desk.port}",
                bot_token=Settings(home=home).shared_bot_token,
            )
        )
        address = f"http://127.0.0.1:{desk.port}/channels/slack/{account}/events"
        ours = _Side(
            name="the desk",
            postman=await stack.enter_async_context(Postman(for_desk, address)),
            kill=lambda: _kill_web(desk),
        )
        theirs = _Side(
            name="Rasa's own Slack channel",
            postman=await stack.enter_async_context(Postman(for_rasa, rasa.address)),
            kill=lambda: _kill_rasa(rasa),
        )
        figures = await _end_to_end(ours, theirs, messages, say)
        say(f"Slack: {kills} kills of each")
        figures += await _killed((ours, theirs), kills)
        say(f"Slack: {_RATE:.0f} events a second")
        return figures + await _at_rate((ours, theirs), seconds)


def _settings(account: str, platform: SlackPlatform) -> dict[str, str]:
    prefix = f"DESK_SLACK__{account.upper().replace('-', '_')}__"
    return {
        f"{prefix}BOT_TOKEN": platform.bot_token,
        f"{prefix}SIGNING_SECRET": platform.signing_secret,
        f"{prefix}API_URL": platform.url,
    }


async def _end_to_end(
    ours: _Side, theirs: _Side, messages: int, say: Callable[[str], None]
) -> list[Figure]:
    """Let people write, block by block in turn; each one question, each a person of their own."""
    questions = iter(distinct_questions(2 * (messages + _WARM_UP)))
    say("Slack: messages end to end")
    for side in (ours, theirs):
        await _block(side, questions, _WARM_UP)
        side.seconds, side.told, side.answered = 0.0, 0, 0
    for size in _parts(messages, _BLOCKS):
        for side in (ours, theirs):
            await _block(side, questions, size)
    rates = [side.answered / side.seconds for side in (ours, theirs)]
    return [
        Figure(
            what=f"messages through Slack and back, {side.name}",
            measured=f"{rate:.1f} messages/s ({side.answered} of {side.told} answered)",
        )
        for side, rate in zip((ours, theirs), rates, strict=True)
    ] + [Figure(what="… the desk over Rasa's own", measured=f"{rates[0] / rates[1]:.2f} x")]


async def _block(side: _Side, questions: Iterator[str], size: int) -> None:
    written = dict(side.postman.written(text) for text in itertools.islice(questions, size))
    began = time.time()
    await side.postman.tell_all(written.values())
    found = await side.postman.answered(set(written), patience=_PATIENCE_SECONDS)
    side.told += size
    side.answered += len(found)
    side.seconds += max(found.values(), default=began + _PATIENCE_SECONDS) - began
    await side.postman.settled(quiet=1.0, seconds=_PATIENCE_SECONDS)


async def _killed(sides: tuple[_Side, ...], kills: int) -> list[Figure]:
    """Kill both in the middle of bursts, each as soon as it has recovered from the last time."""
    chance = random.Random(_SEED)
    moments = [chance.uniform(0.2, _BURST_SECONDS + 0.2) for _ in range(kills)]
    async with asyncio.TaskGroup() as group:
        for side in sides:
            group.create_task(_rounds(side, moments))
    figures = []
    for side in sides:
        found = await side.postman.answered(side.channels, patience=_PATIENCE_SECONDS)
        lost = len(side.channels) - len(found)
        figures.append(
            Figure(
                what=f"lost when the process that receives is killed {kills} times, {side.name}",
                measured=f"{lost} of {len(side.channels)} messages never answered "
                f"({side.postman.given_up} never acknowledged), {_doubled(side)} answered twice",
                target="0" if side is sides[0] else "",
                is_met=lost == 0 if side is sides[0] else None,
            )
        )
    return figures


async def _rounds(side: _Side, moments: list[float]) -> None:
    for moment in moments:
        written = dict(side.postman.written(_GREETING) for _ in range(_BURST))
        side.channels |= set(written)
        async with asyncio.TaskGroup() as group:
            group.create_task(_kill_after(side, moment))
            for number, news in enumerate(written.values()):
                group.create_task(_tell_later(side, news, number * _BURST_SECONDS / _BURST))


async def _kill_after(side: _Side, seconds: float) -> None:
    await asyncio.sleep(seconds)
    side.postman.is_up.clear()
    await side.kill()
    side.postman.is_up.set()


async def _tell_later(side: _Side, news: News, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await side.postman.tell(news)


def _doubled(side: _Side) -> int:
    """Return in how many channels the same words were said twice."""
    said = Counter(
        (message.channel, message.text)
        for message in side.postman.platform.sent()
        if message.channel in side.channels
    )
    return len({channel for (channel, _), count in said.items() if count > 1})


async def _at_rate(sides: tuple[_Side, ...], seconds: float) -> list[Figure]:
    """Tell events at a steady rate while answers are given, as fast as they can be."""
    figures = []
    for side in sides:
        found = await side.postman.tell_at(_RATE, _chatter(side, int(_RATE * seconds)))
        p50, p99 = (percentile(found.waits, percent) for percent in (50, 99))
        note = f" (p50 {p50 * 1000:.0f} ms, {found.refused} of {len(found.waits)} refused or late)"
        what = f"acknowledgement p99 at {_RATE:.0f} events/s, {side.name}"
        if side is sides[0]:
            figures.append(at_most(what, p99 * 1000, _ACKNOWLEDGED_SECONDS * 1000, "ms", note=note))
            await side.postman.settled(quiet=3.0, seconds=120.0)
        else:
            figures.append(Figure(what=what, measured=f"{p99 * 1000:.0f} ms{note}"))
    return figures


def _chatter(side: _Side, count: int) -> list[News]:
    platform = side.postman.platform
    people = [platform.person(f"Talker {number}") for number in range(_PEOPLE)]
    questions = itertools.cycle(distinct_questions(_PEOPLE))
    pairs = itertools.islice(zip(itertools.cycle(people), questions, strict=False), count)
    return [platform.posting(platform.compose(person, text)) for person, text in pairs]


def _parts(total: int, count: int) -> list[int]:
    return [total // count + (number < total % count) for number in range(count)]


async def _kill_web(desk: RunningDesk) -> None:
    web = process_of(desk.supervisor, "web")
    if web is not None:
        os.kill(web, signal.SIGKILL)
    while process_of(desk.supervisor, "web") == web:
        await asyncio.sleep(0.02)
    await until_alive(desk.port)


async def _kill_rasa(rasa: RasaOnSlack) -> None:
    await rasa.kill()
    await rasa.start()
