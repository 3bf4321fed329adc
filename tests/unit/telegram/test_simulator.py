"""The Bot API server for rehearsals says yes and no where Telegram does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import telegram
from aiohttp import web

from channels.simulator.faults import Fault
from channels.simulator.telegram import Person, TelegramPlatform
from channels.simulator.telegram.checks import METHODS
from channels.simulator.telegram.spec import Described, arguments_of, fields_of, told


@dataclass
class Caller:
    """A bot that calls without any library."""

    platform: TelegramPlatform
    http: httpx.AsyncClient

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        address = f"{self.platform.url}/bot{self.platform.token}/{method}"
        response = await self.http.post(address, json=arguments)
        answer: dict[str, Any] = response.json()
        assert answer["ok"] is (response.status_code == 200)
        assert answer.get("error_code", 200) == response.status_code
        return answer


@pytest.fixture
async def bot() -> AsyncIterator[Caller]:
    async with (
        TelegramPlatform() as platform,
        httpx.AsyncClient(trust_env=False, timeout=10) as http,
    ):
        yield Caller(platform, http)


@pytest.fixture
def ana(bot: Caller) -> Person:
    ana = bot.platform.person("Ana")
    ana.chat.has_spoken = True
    return ana


def media(kind: str, **more: str) -> dict[str, str]:
    """Return an `InputMedia` of a file that comes with the call."""
    return {"type": kind, "media": "attach://file", **more}


@pytest.mark.parametrize(
    ("method", "arguments", "reason"),
    [
        ("sendMessage", {"text": ""}, "message text is empty"),
        ("sendMessage", {"text": "x" * 4_097}, "message is too long"),
        ("sendMessage", {"text": "😀" * 2_049}, "message is too long"),
        ("sendMessage", {"text": "x", "colour": "red"}, 'unknown parameter "colour"'),
        ("sendMessage", {}, "message text is empty"),
        ("sendMessage", {"text": 5}, "text must be a String"),
        ("sendMessage", {"text": "x", "parse_mode": "HTML"}, '"parse_mode" of sendMessage is not'),
        ("sendMessage", {"text": "x", "protect_content": "maybe"}, "must be a Boolean"),
        ("sendMessage", {"text": "x", "entities": "bold"}, "can't parse it as JSON"),
        ("sendMessage", {"text": "x", "entities": [{"type": "bold", "offset": 0}]}, "'length' of"),
        (
            "sendMessage",
            {"text": "x", "entities": [{"type": "bold", "offset": "0", "length": 1}]},
            "entities[0].offset must be an Integer",
        ),
        ("sendMessage", {"text": "x", "reply_parameters": {"message_id": 1, "colour": 1}}, "'col"),
        ("sendMessage", {"text": "x", "link_preview_options": {"is_disabled": 1}}, "a Boolean"),
        ("sendMessage", {"text": "x", "message_thread_id": "x"}, "must be an Integer"),
        ("sendMessage", {"text": "x", "message_thread_id": 9}, "message thread not found"),
        (
            "sendMessage",
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "ENTITY_BOUNDS_INVALID",
        ),
        (
            "sendMessage",
            {"text": "😀", "entities": [{"type": "bold", "offset": 0, "length": 1}]},
            "cuts a character",
        ),
        (
            "sendMessage",
            {
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "é" * 33}]]},
            },
            "BUTTON_DATA_INVALID",
        ),
        (
            "sendMessage",
            {
                "text": "x",
                "reply_markup": r'{"inline_keyboard": [[{"text":"a","callback_data":"\ud800"}]]}',
            },
            "strings must be encoded in UTF-8",
        ),
        ("sendMessage", {"text": "x", "reply_markup": {"inline_keyboard": [{}]}}, "keyboard"),
        ("sendMessage", {"text": "x", "reply_parameters": {"message_id": 99}}, "replied not found"),
        ("sendPhoto", {"photo": "elsewhere"}, "wrong file identifier"),
        ("sendPhoto", {}, "there is no photo in the request"),
        (
            "sendMediaGroup",
            {"media": [{"type": "photo"}, {"type": "photo"}]},
            "'media' of media[0]",
        ),
        ("sendMediaGroup", {"media": [media("photo")]}, "2-10 items"),
        ("sendMediaGroup", {"media": [media("photo"), media("document")]}, "mixed"),
        ("sendMediaGroup", {"media": [media("photo", captoin="a")] * 2}, "unknown field 'captoin'"),
        ("editMessageText", {"message_id": 99, "text": "x"}, "message to edit not found"),
        ("deleteMessage", {}, "message identifier is not specified"),
        ("deleteMessage", {"message_id": 99}, "message to delete not found"),
        ("answerCallbackQuery", {"callback_query_id": "1"}, 'unknown parameter "chat_id"'),
        ("setMyCommands", {}, 'unknown parameter "chat_id"'),
        ("sendChatAction", {"action": "dance"}, "wrong parameter"),
    ],
)
async def test_what_telegram_does_not_take_is_a_bad_request(
    bot: Caller, ana: Person, method: str, arguments: dict[str, Any], reason: str
) -> None:
    answer = await bot.call(method, chat_id=ana.id, **arguments)
    assert answer["error_code"] == 400
    assert reason in answer["description"]
    assert not bot.platform.posted


async def test_a_call_without_its_chat_is_a_bad_request(bot: Caller) -> None:
    answer = await bot.call("sendMessage", text="x")
    assert answer["description"] == "Bad Request: chat_id is empty"


async def test_arguments_of_a_form_have_their_types(bot: Caller, ana: Person) -> None:
    given = {"chat_id": str(ana.id), "text": "5", "protect_content": "true", "entities": "[]"}
    address = f"{bot.platform.url}/bot{bot.platform.token}/sendMessage"
    assert (await bot.http.post(address, data=given)).json()["ok"]
    ((_, arguments),) = bot.platform.calls
    assert arguments == {
        "chat_id": ana.id,
        "text": "5",
        "protect_content": True,
        "entities": [],
    }


def test_every_object_of_the_bot_api_can_be_described() -> None:
    public: list[object] = list(vars(telegram).values())
    for kind in public:
        if isinstance(kind, type) and issubclass(kind, telegram.TelegramObject):
            described: Callable[[type], Mapping[str, Described]] = fields_of
            assert all(told(of.kind) for of in described(kind).values())


def test_what_is_simulated_are_arguments_of_the_bot_api() -> None:
    for method, simulated in METHODS.items():
        assert simulated <= arguments_of(method).keys(), method


async def test_a_bot_cannot_write_first_or_to_who_is_not_there(bot: Caller) -> None:
    stranger = bot.platform.person("Eva")
    assert (await bot.call("sendMessage", chat_id=stranger.id, text="x"))["error_code"] == 403
    assert (await bot.call("sendMessage", chat_id=5, text="x"))["error_code"] == 400


async def test_a_wrong_token_and_an_unknown_method_are_refused(bot: Caller) -> None:
    assert (await bot.call("sendPigeon"))["error_code"] == 404
    response = await bot.http.post(f"{bot.platform.url}/bot1:wrong/getMe")
    assert response.status_code == 401


async def test_updates_come_again_until_a_later_offset_confirms_them(
    bot: Caller, ana: Person
) -> None:
    for text in ("one", "two"):
        await ana.write(text)
    first = (await bot.call("getUpdates"))["result"]
    again = (await bot.call("getUpdates", offset=first[0]["update_id"]))["result"]
    assert first == again
    rest = (await bot.call("getUpdates", offset=first[0]["update_id"] + 1))["result"]
    assert [update["message"]["text"] for update in rest] == ["two"]
    assert [update["message"]["text"] for update in bot.platform.acknowledged] == ["one"]


async def test_a_poll_waits_for_news(bot: Caller, ana: Person) -> None:
    waiting = asyncio.create_task(bot.call("getUpdates", timeout=10))
    await _until(lambda: bot.platform.updates._poll == 1)
    await ana.write("hello")
    assert (await waiting)["result"][0]["message"]["text"] == "hello"


async def test_a_second_poll_ends_the_first(bot: Caller) -> None:
    first = asyncio.create_task(bot.call("getUpdates", timeout=10))
    await _until(lambda: bot.platform.updates._poll == 1)
    assert (await bot.call("getUpdates"))["ok"]
    assert (await first)["error_code"] == 409


async def test_only_asked_for_kinds_are_told(bot: Caller, ana: Person) -> None:
    await bot.call("getUpdates", allowed_updates=["message_reaction"])
    message = await ana.write("hello")
    await ana.react(ana.id, message["message_id"], "👍")
    (update,) = (await bot.call("getUpdates"))["result"]
    assert "message_reaction" in update


async def test_news_can_be_told_twice_and_out_of_order(bot: Caller, ana: Person) -> None:
    bot.platform.faults.plan(Fault.DUPLICATED, Fault.REORDERED)
    for text in ("one", "two", "three"):
        await ana.write(text)
    updates = (await bot.call("getUpdates"))["result"]
    assert [update["message"]["text"] for update in updates] == ["one", "one", "three", "two"]
    assert updates[0] == updates[1]


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.THROTTLED, 429), (Fault.BROKEN, 500), (Fault.BAD_CREDENTIALS, 401)],
)
async def test_a_planned_fault_happens_once_to_a_send(
    bot: Caller, ana: Person, fault: Fault, status: int
) -> None:
    bot.platform.faults.plan(fault)
    assert (await bot.call("getMe"))["ok"]
    assert (await bot.call("sendMessage", chat_id=ana.id, text="x"))["error_code"] == status
    assert (await bot.call("sendMessage", chat_id=ana.id, text="x"))["ok"]
    assert len(bot.platform.posted) == 1


@pytest.mark.parametrize(("fault", "arrived"), [(Fault.CUT_BEFORE, 0), (Fault.CUT_AFTER, 1)])
async def test_a_connection_can_be_cut(
    bot: Caller, ana: Person, fault: Fault, arrived: int
) -> None:
    bot.platform.faults.plan(fault)
    with pytest.raises(httpx.TransportError):
        await bot.call("sendMessage", chat_id=ana.id, text="x")
    assert len(bot.platform.posted) == arrived


@dataclass
class Address:
    """Where a webhook leads, which says no for a while."""

    statuses: list[int] = field(default_factory=lambda: [500])
    got: list[tuple[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.got.append(
            (
                update["message"]["text"],
                request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""),
            )
        )
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


async def test_a_webhook_is_called_in_order_with_its_secret_until_it_says_yes(
    bot: Caller, ana: Person
) -> None:
    address = Address()
    app = web.Application()
    app.router.add_post("/hook", address.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await ana.write("one")
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await bot.call("setWebhook", url=url, secret_token="s3cret")
    await ana.write("two")
    await _until(lambda: len(bot.platform.acknowledged) == 2)
    assert address.got == [("one", "s3cret"), ("one", "s3cret"), ("two", "s3cret")]
    info = (await bot.call("getWebhookInfo"))["result"]
    assert "500" in info["last_error_message"]
    assert (await bot.call("getUpdates"))["error_code"] == 409
    await bot.call("deleteWebhook")
    assert (await bot.call("getUpdates"))["result"] == []
    await runner.cleanup()


async def _until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)
