"""The first minutes of a desk, and its first case from report to satisfaction."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from channels.simulator.telegram import TelegramPlatform
from channels.simulator.telegram.people import Person
from channels.simulator.telegram.world import Posted
from core.runtime.machine.polling import until
from tests.support.running_desk import (
    PATIENCE_SECONDS,
    START_SECONDS,
    RunningDesk,
    desk_command,
    free_port,
    home_with_model,
    running_desk,
)
from tests.support.staff import Document, Staff
from tests.support.visitor import Visitor, texts

LAPTOP = "LT-2041"  # of the demonstration: Carmen's
_TAGS = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstMinutes:
    """A desk that has just begun, and what it said and was asked before it was ready."""

    desk: RunningDesk
    http: httpx.AsyncClient
    telegram: TelegramPlatform
    visitors: Sequence[Visitor]
    asked: Sequence[int]
    early_state: httpx.Response
    early_lines: Sequence[str]


@pytest.fixture(scope="module")
async def begun(
    trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FirstMinutes]:
    """A new desk with a Telegram bot, to which visitors wrote before it was ready."""
    home = home_with_model(tmp_path_factory.mktemp("first-day") / "home", trained)
    async with TelegramPlatform() as telegram:
        settings = {
            "DESK_TELEGRAM__HELP__TOKEN": telegram.token,
            "DESK_TELEGRAM__HELP__API_URL": telegram.url,
            "DESK_TAKE_BACK_SECONDS": "1",
        }
        async with running_desk(home, free_port(), **settings) as desk:
            await desk.until_it_takes_messages()
            async with httpx.AsyncClient(base_url=desk.url, trust_env=False, timeout=30.0) as http:
                visitors = [await Visitor.arrive(http, language) for language in ("en", "es", "en")]
                words = ("hello", "hola", "thanks")
                asked = [await v.say(text) for v, text in zip(visitors, words, strict=True)]
                assert (await http.get("/healthz")).status_code == 200
                state, lines = await http.get("/readyz"), list(desk.lines)
                await desk.command("seed", "demo", "--days", "30", seconds=START_SECONDS)
                await desk.until_ready()
                yield FirstMinutes(
                    desk=desk,
                    http=http,
                    telegram=telegram,
                    visitors=visitors,
                    asked=asked,
                    early_state=state,
                    early_lines=lines,
                )


async def test_a_desk_takes_messages_before_it_is_ready_and_answers_them_then(
    begun: FirstMinutes,
) -> None:
    desk = begun.desk
    assert begun.early_state.status_code == 503
    state = begun.early_state.json()
    assert (state["ready"], state["components"]["assistant"]) == (False, "down")
    assert not any(line.startswith("ready ") for line in begun.early_lines)

    code, _, errors = await desk_command(desk.home, free_port(), "run")
    assert code == 1
    assert "already runs" in errors

    for visitor, seq in zip(begun.visitors, begun.asked, strict=True):
        answer = await visitor.answers_after(seq)
        assert [message["from"] for message in answer] == ["bot"]
    assert "Hola" in texts(await begun.visitors[1].messages())

    async def announced() -> bool:
        return f"ready {desk.url}" in desk.lines

    await desk.wait_until(announced, "the desk does not say that it is ready")


@dataclass
class Colleague:
    """An agent of the demonstration at the console, in a browser of their own."""

    http: httpx.AsyncClient
    csrf: str = ""

    @classmethod
    @asynccontextmanager
    async def come(cls, desk: RunningDesk, email: str) -> AsyncIterator[Colleague]:
        """Sign in by a one-time link, and be there."""
        link = await desk.command("user", "link", "--email", email)
        async with httpx.AsyncClient(base_url=desk.url, trust_env=False, timeout=30.0) as http:
            colleague = cls(http)
            assert (await http.post(link)).status_code == 303
            await colleague.see("/console/queue")
            await colleague.send("/console/presence", presence="online")
            yield colleague

    async def see(self, path: str) -> str:
        """Return what a page says, without its marks."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.text):
            self.csrf = found[1]
        return answer.text

    async def send(self, path: str, **fields: str) -> None:
        answer = await self.http.post(path, data={"csrf": self.csrf, **fields})
        assert answer.status_code in {200, 303}, answer.text


class Requester:
    """Somebody on Telegram, and what the desk says to them."""

    def __init__(self, telegram: TelegramPlatform, person: Person) -> None:
        self._telegram = telegram
        self.person = person
        self._read = 0

    async def hears(self, *wanted: str) -> Posted:
        """Return the next message of the desk that holds one of the words `wanted`."""
        found: list[Posted] = []

        async def has_come() -> bool:
            mine = [one for one in self._telegram.posted if one.chat == self.person.id]
            for place, posted in enumerate(mine[self._read :], self._read):
                if any(word.casefold() in posted.text.casefold() for word in wanted):
                    self._read = place + 1
                    found.append(posted)
                    return True
            return False

        if not await until(has_come, every=0.05, seconds=PATIENCE_SECONDS):
            heard = [one.text for one in self._telegram.posted]
            raise AssertionError(f"nobody said {wanted} in {heard}")
        return found[0]

    async def reports(self, words: str) -> int:
        """Say what is wrong, and then ask for a person; return the ticket's number."""
        await self.person.write(words)
        await self.hears("")  # whatever the assistant makes of it
        await self.person.write("Quiero hablar con una persona")
        told = await self.hears("#")
        number = re.search(r"#(\d+)", told.text)
        assert number is not None, told.text
        return int(number[1])


async def ticket_once(staff: Staff, number: int, **wanted: object) -> Document:
    """Return a ticket once it is as `wanted`."""
    found: dict[str, Any] = {}

    async def is_so() -> bool:
        found.clear()
        found.update(await staff.ticket(number))
        return all(_called(found[name]) == value for name, value in wanted.items())

    if not await until(is_so, every=0.1, seconds=PATIENCE_SECONDS):
        raise AssertionError(f"ticket {number} is never {wanted}: {found}")
    return found


def _called(value: object) -> object:
    return value["name"] if isinstance(value, Mapping) else value


@pytest.fixture
async def marta(begun: FirstMinutes) -> AsyncIterator[Colleague]:
    """Of the first level, who speaks Spanish."""
    async with Colleague.come(begun.desk, "marta@desk.example") as colleague:
        yield colleague


@pytest.fixture
async def diego(begun: FirstMinutes) -> AsyncIterator[Colleague]:
    """Of the second."""
    async with Colleague.come(begun.desk, "diego@desk.example") as colleague:
        yield colleague


async def test_a_computer_that_does_not_start_from_the_report_to_the_figures(
    begun: FirstMinutes, marta: Colleague, diego: Colleague
) -> None:
    desk = begun.desk
    token = await desk.command("token", "create", "--email", "boss@desk.example", "--role", "admin")
    boss = Staff(begun.http, "boss@desk.example", token)
    began = datetime.now(UTC).date()
    before = await figures(desk, began)
    carmen = Requester(begun.telegram, begun.telegram.person("Carmen Ibáñez", language="es"))

    # Reception and registration: the assistant passes her on with a ticket.
    number = await carmen.reports(f"Mi ordenador {LAPTOP} no arranca, la pantalla queda negra")

    # The rule for computers that do not start sorts it, and finds who has room and her language.
    ticket = await ticket_once(boss, number, assignee="Marta Quiroga")
    assert (ticket["requester"]["name"], ticket["language"]) == ("Carmen Ibáñez", "es")
    assert (ticket["team"]["name"], ticket["level"]) == ("Service desk", 1)
    assert ticket["category"]["name"] == "Laptops"
    page = f"/console/tickets/{number}"

    # Beside the conversation stand the computer and earlier tickets like this one.
    shown: list[str] = []

    async def is_in_view() -> bool:
        shown[:] = [await marta.see(page)]
        return shown[0].count('id="similar-') >= 2 and LAPTOP in shown[0]

    assert await until(is_in_view, every=0.5, seconds=PATIENCE_SECONDS), shown
    asset = re.search(r'name="asset" value="([0-9a-f-]+)"', section(shown[0], "assets"))
    assert asset is not None
    await marta.send(f"{page}/sort", asset=asset[1])
    assert LAPTOP in section(await marta.see(page), "assets")
    assert len(re.findall("arranca", section(shown[0], "similar"))) >= 2

    # She answers; the reply leaves when it can no longer be taken back. Then she passes it on.
    await marta.send(
        f"{page}/say", text="Hola, Carmen. Le paso su caso a un técnico.", mode="reply"
    )
    await carmen.hears("Le paso su caso")
    await marta.send(f"{page}/escalate", to="next", reason="Ya ha probado a desconectar la batería")
    ticket = await ticket_once(boss, number, assignee="Diego Paz", level=2)
    assert ticket["team"]["name"] == "Devices"
    assert "Ya ha probado a desconectar la batería" in _TAGS.sub("", await diego.see(page))

    # He solves it within what was promised; she is told, asked, and content.
    await diego.send(f"{page}/say", text="Era la batería. Ya arranca.", mode="reply", then="solved")
    await carmen.hears("Era la batería")
    await carmen.hears("está resuelto")
    kinds: dict[str, Document] = {}

    async def is_kept() -> bool:
        promises = await boss.get(f"/tickets/{number}/promises")
        kinds.update({clock["kind"]: clock for clock in promises["clocks"]})
        return kinds.get("resolution", {}).get("met_at") is not None

    # The clocks follow a change in a step of their own.
    assert await until(is_kept, every=0.1, seconds=PATIENCE_SECONDS), kinds
    assert {"first_response", "resolution"} <= kinds.keys()
    assert all(clock["breached_at"] is None for clock in kinds.values())
    question = await carmen.hears("ayud")
    await carmen.person.press(question, question.buttons[-1]["text"])
    await carmen.hears("gracias")

    # The report has it: one solved, one promise kept, one answer of 5 more than before.
    after: dict[str, Any] = {}

    async def is_counted() -> bool:
        after.clear()
        after.update(await figures(desk, began))
        return bool(
            after["solved"] == before["solved"] + 1
            and fives(after) == fives(before) + 1
            and after["promises_kept"] > before["promises_kept"]
        )

    assert await until(is_counted, every=1.0, seconds=PATIENCE_SECONDS), (before, after)
    assert after["opened"] == before["opened"] + 1
    assert after["promises_broken"] == before["promises_broken"]
    rated = re.search(r'class="rated[^"]*">(.*?)</p>', await diego.see(page), re.DOTALL)
    assert rated is not None
    assert "5" in _TAGS.sub("", rated[1])


async def figures(desk: RunningDesk, first: date) -> dict[str, Any]:
    """Return what the desk's report says of the days from `first` to today."""
    today = datetime.now(UTC).date()
    printed = await desk.command("report", "--from", str(first), "--to", str(today), "--json")
    found: dict[str, Any] = json.loads(printed)["total"]
    return found


def fives(found: Mapping[str, Any]) -> int:
    """Return how many answers of 5 there were."""
    return int(found["scores"].get("5", 0))


def section(page: str, name: str) -> str:
    """Return the section of a page that has the id `name`."""
    _, _, rest = page.partition(f'id="{name}"')
    assert rest, f"there is no {name}"
    return rest.partition("</section>")[0]
