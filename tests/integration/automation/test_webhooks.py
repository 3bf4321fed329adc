"""Webhooks are called with a signature, and again where that fails."""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
import ssl
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from core.domain.automation.calls import CallProblem
from core.domain.errors import Conflict, InvalidInput
from core.domain.ids import new_id
from core.domain.networks import own_hosts
from core.runtime.webhooks import WebhookCalls
from core.services.automation.webhooks import (
    SIGNATURE,
    WebhookForm,
    Webhooks,
    WebhooksOfTickets,
)
from core.services.reactions import Reactions
from core.storage.tables import AuditEntry, Category, FormField, Ticket, Webhook
from tests.integration.automation.listener import ANYWHERE, Listener, calls, opened
from tests.support.certificates import self_signed
from tests.support.desk import Rig


def calling(hooks: Webhooks, allowed: str = "127.0.0.1") -> WebhookCalls:
    return WebhookCalls(hooks, own_hosts(allowed))


async def test_what_it_asked_for_is_told_with_a_signature(rig: Rig, listener: Listener) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    form = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"])
    _, secret = await hooks.add(form, await rig.agent())
    await opened(rig)
    await calling(hooks).make_due()
    ((headers, body),) = listener.heard
    told = json.loads(body)
    assert (told["event"], told["ticket"]["status"]) == ("ticket.opened", "new")
    stamp, tag = (part.partition("=")[2] for part in headers[SIGNATURE].split(","))
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    assert hmac.compare_digest(tag, expected)
    assert [call.status for call in await calls(rig)] == ["done"]


@pytest.mark.parametrize("status", [302, 404, 503])
async def test_a_call_that_fails_is_made_again_later_and_given_up_at_last(
    rig: Rig, listener: Listener, status: int
) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    form = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"])
    boss = await rig.agent()
    await hooks.add(form, boss)
    await opened(rig)
    listener.status = status
    for _ in range(12):
        await calling(hooks).make_due()
        rig.clock.advance(hours=9)
    (call,) = await calls(rig)
    assert (call.status, call.attempts, len(listener.heard)) == ("failed", 10, 10)
    assert str(status) in (call.answer or "")
    assert call.problem == (CallProblem.REDIRECTED if status == 302 else CallProblem.REFUSED)
    listener.status = 200
    await hooks.repeat(call.webhook_id, call.id, boss)
    await calling(hooks).make_due()
    assert [call.status for call in await calls(rig)] == ["done"]


async def test_nobody_listening_is_a_failed_call(rig: Rig) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    form = WebhookForm(name="gone", url="http://127.0.0.1:9/x", events=["ticket.opened"])
    await hooks.add(form, await rig.agent())
    await opened(rig)
    await calling(hooks).make_due()
    (call,) = await calls(rig)
    assert (call.status, call.attempts) == ("waiting", 1)
    assert call.problem == CallProblem.UNREACHABLE


async def test_a_call_that_waits_is_made_at_once_when_asked_for_and_never_twice(
    rig: Rig, listener: Listener
) -> None:
    hooks, boss = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE), await rig.agent()
    form = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"])
    await hooks.add(form, boss)
    await opened(rig)
    listener.status = 500
    await calling(hooks).make_due()
    (call,) = await calls(rig)
    assert (call.problem, call.answer) == (CallProblem.REFUSED, "500 heard")
    assert call.next_at is not None
    assert call.next_at > rig.clock()
    listener.status = 200
    await calling(hooks).make_due()
    assert len(listener.heard) == 1
    await hooks.repeat(call.webhook_id, call.id, boss)
    (taken,) = await hooks.due()
    with pytest.raises(Conflict, match="being made just now"):
        await hooks.repeat(call.webhook_id, call.id, boss)
    assert await hooks.due() == []
    await hooks.settle(taken.delivery, answer="200")
    (call,) = await calls(rig)
    assert (call.status, call.attempts, call.problem, call.next_at) == ("done", 2, None, None)


async def test_a_call_in_hand_while_its_webhook_is_turned_off_can_be_made_again_once_it_is_over(
    rig: Rig, listener: Listener
) -> None:
    hooks, boss = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE), await rig.agent()
    form = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"])
    name, _ = await hooks.add(form, boss)
    await opened(rig)
    (taken,) = await hooks.due()
    await hooks.change(name, replace(form, is_on=False), boss)
    with pytest.raises(Conflict, match="being made just now"):
        await hooks.repeat(name, taken.delivery, boss)
    await hooks.settle(taken.delivery, answer="200")
    (call,) = await calls(rig)
    assert (call.status, call.taken_until) == ("failed", None)
    await hooks.repeat(name, taken.delivery, boss)
    (call,) = await calls(rig)
    assert call.status == "waiting"


async def test_a_call_made_again_waits_while_its_webhook_is_off(
    rig: Rig, listener: Listener
) -> None:
    hooks, boss = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE), await rig.agent()
    form = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"])
    name, _ = await hooks.add(form, boss)
    await opened(rig)
    await hooks.change(name, replace(form, is_on=False), boss)
    (call,) = await calls(rig)
    assert (call.status, call.problem) == ("failed", CallProblem.TURNED_OFF)
    await hooks.repeat(name, call.id, boss)
    await calling(hooks).make_due()
    assert listener.heard == []
    await hooks.change(name, form, boss)
    await calling(hooks).make_due()
    assert len(listener.heard) == 1


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://nowhere.invalid/x", CallProblem.UNKNOWN_HOST),
        ("https://127.0.0.1:{port}/x", CallProblem.INSECURE),
        ("http://127.0.0.1:{port}/elsewhere", CallProblem.REFUSED),
    ],
)
async def test_what_stood_in_the_way_of_a_call_is_known(
    rig: Rig,
    listener: Listener,
    url: str,
    problem: CallProblem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look_up = socket.getaddrinfo

    def no_name_server(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", no_name_server)
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    address = url.format(port=urlsplit(listener.url).port)
    form = WebhookForm(name="CRM", url=address, events=["ticket.opened"])
    await hooks.add(form, await rig.agent())
    await opened(rig)
    await calling(hooks).make_due()
    assert [call.problem for call in await calls(rig)] == [problem]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_an_internal_address_is_not_called_unless_an_admin_allows_it(
    rig: Rig, listener: Listener, host: str
) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    url = listener.url.replace("127.0.0.1", host)
    await hooks.add(WebhookForm(name="CRM", url=url, events=["ticket.opened"]), await rig.agent())
    await opened(rig)
    await WebhookCalls(hooks).make_due()
    (call,) = await calls(rig)
    assert (call.status, call.problem) == ("waiting", CallProblem.INTERNAL)
    assert listener.heard == []


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "0xa000001", "[fd00::1]"])
async def test_an_internal_address_is_not_saved_unless_an_admin_allows_it(
    rig: Rig, host: str
) -> None:
    boss = await rig.agent()
    form = WebhookForm(name="CRM", url=f"http://{host}/in")
    hooks = Webhooks(rig.sessions, b"key", rig.clock)
    with pytest.raises(InvalidInput, match="DESK_WEBHOOK_OWN_HOSTS"):
        await hooks.add(form, boss)
    saved, _ = await hooks.add(replace(form, url="https://crm.example/in"), boss)
    with pytest.raises(InvalidInput, match="DESK_WEBHOOK_OWN_HOSTS"):
        await hooks.change(saved, form, boss)
    await Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE).change(saved, form, boss)


async def test_a_webhook_whose_address_is_allowed_no_more_can_still_be_turned_off(
    rig: Rig,
) -> None:
    boss = await rig.agent()
    form = WebhookForm(name="CRM", url="http://10.0.0.1/in")
    saved, _ = await Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE).add(form, boss)
    await Webhooks(rig.sessions, b"key", rig.clock).change(saved, replace(form, is_on=False), boss)
    async with rig.sessions() as session:
        assert not (await session.get_one(Webhook, saved)).is_on


async def test_what_a_name_led_to_when_it_was_looked_at_is_what_is_called(
    rig: Rig, listener: Listener
) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    port = urlsplit(listener.url).port
    form = WebhookForm(name="CRM", url=f"http://crm.example:{port}/hook", events=["ticket.opened"])
    await hooks.add(form, await rig.agent())
    await opened(rig)
    answers = iter([["169.254.169.254", "127.0.0.1"]])

    async def changing(host: str, port: int) -> list[str]:
        assert host == "crm.example"
        return next(answers)  # asked a second time it fails

    await WebhookCalls(hooks, own_hosts("127.0.0.0/8"), changing).make_due()
    ((headers, _),) = listener.heard
    assert headers["Host"] == f"crm.example:{port}"


async def test_a_host_that_does_not_answer_at_one_address_is_called_at_the_next(
    rig: Rig, listener: Listener
) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    await hooks.add(
        WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"]), await rig.agent()
    )
    await opened(rig)

    async def two(_host: str, _port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]  # the listener has only the second

    await WebhookCalls(hooks, own_hosts("127.0.0.0/8"), two).make_due()
    assert len(listener.heard) == 1


async def test_the_certificate_must_be_that_of_the_name_though_its_address_is_called(
    rig: Rig, tmp_path: Path
) -> None:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path, "other.example"))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
        form = WebhookForm(
            name="CRM", url=f"https://crm.example:{port}/hook", events=["ticket.opened"]
        )
        await hooks.add(form, await rig.agent())
        await opened(rig)

        async def here(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        await WebhookCalls(hooks, own_hosts("crm.example"), here).make_due()
    assert asked == ["crm.example"]
    assert [call.problem for call in await calls(rig)] == [CallProblem.INSECURE]


async def test_two_workers_do_not_make_one_call_twice(rig: Rig, listener: Listener) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    form = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"])
    await hooks.add(form, await rig.agent())
    await opened(rig)
    await asyncio.gather(*(calling(hooks).make_due() for _ in range(4)))
    assert len(listener.heard) == 1


async def test_what_was_turned_off_is_told_nothing_more(rig: Rig, listener: Listener) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    ana = await rig.agent()
    form = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"])
    name, _ = await hooks.add(form, ana)
    await opened(rig)
    off = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"], is_on=False)
    await hooks.change(name, off, ana)
    await calling(hooks).make_due()
    assert listener.heard == []


async def test_a_secret_kept_under_another_key_fails_the_call_and_no_other(
    rig: Rig, listener: Listener
) -> None:
    ana = await rig.agent()
    for key in (b"an old key", b"key"):
        form = WebhookForm(name=key.decode(), url=listener.url, events=["ticket.opened"])
        await Webhooks(rig.sessions, key, rig.clock, ANYWHERE).add(form, ana)
    await opened(rig)
    await calling(Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)).make_due()
    assert sorted(call.status for call in await calls(rig)) == ["done", "failed"]


async def signatures(listener: Listener, secret: str) -> list[bool]:
    """Say of each signature of the last call whether it was made with `secret`."""
    headers, body = listener.heard[-1]
    stamp, *tags = (part.partition("=")[2] for part in headers[SIGNATURE].split(","))
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return [hmac.compare_digest(tag, expected) for tag in tags]


async def test_a_renewed_secret_signs_beside_the_old_one_for_a_day(
    rig: Rig, listener: Listener
) -> None:
    hooks, ana = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE), await rig.agent()
    form = WebhookForm(name="CRM", url=listener.url, events=["ticket.opened"])
    name, old = await hooks.add(form, ana)
    new = await hooks.renew_secret(name, ana, at_once=False)
    await opened(rig)
    await calling(hooks).make_due()
    assert await signatures(listener, new) == [True, False]
    assert await signatures(listener, old) == [False, True]
    (call,) = await calls(rig)
    rig.clock.advance(hours=25)
    await hooks.repeat(name, call.id, ana)
    await calling(hooks).make_due()
    assert await signatures(listener, new) == [True]
    newest = await hooks.renew_secret(name, ana, at_once=True)
    await hooks.repeat(name, call.id, ana)
    await calling(hooks).make_due()
    assert await signatures(listener, newest) == [True]
    async with rig.sessions() as session:
        entries = await session.scalars(
            select(AuditEntry).where(AuditEntry.action == "webhook.secret_renewed")
        )
        assert all(new not in str(one.new) for one in entries)


async def test_a_call_tells_who_asked_what_and_what_was_said(rig: Rig, listener: Listener) -> None:
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    events = ["ticket.opened", "ticket.message"]
    await hooks.add(WebhookForm(name="CRM", url=listener.url, events=events), await rig.agent())
    conversation = await opened(rig)
    category, floor = new_id(), new_id()
    async with rig.sessions.begin() as session:
        session.add(Category(id=category, name="Hardware"))
        await session.flush()
        session.add(
            FormField(id=floor, category_id=category, label="Floor", kind="number", position=0)
        )
        ticket = (await session.scalars(select(Ticket))).one()
        ticket.category_id, ticket.fields = category, {str(floor): 3}
    await rig.hear("it is on the third floor")
    await Reactions(rig.sessions, rig.accounts, [WebhooksOfTickets()], rig.clock).advance(
        conversation
    )
    await calling(hooks).make_due()
    told = sorted((json.loads(body) for _, body in listener.heard), key=lambda one: one["event"])
    assert [call["event"] for call in told] == ["ticket.message", "ticket.opened"]
    last, first = told
    assert first["message"] is None
    assert first["requester"]["name"] == "Somebody"
    assert (last["message"]["speaker"], last["message"]["text"]) == (
        "customer",
        "it is on the third floor",
    )
    assert last["ticket"]["level"] == 1
    assert last["ticket"]["fields"] == [{"id": str(floor), "label": "Floor", "value": 3}]


async def test_the_audit_log_tells_where_a_webhook_leads_without_what_opens_it(rig: Rig) -> None:
    hooks, ana = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE), await rig.agent()
    one, other = (f"https://chat.example:8443/T0/{word}?key={word}" for word in ("hush", "quiet"))
    name, _ = await hooks.add(WebhookForm(name="Chat", url=one), ana)
    await hooks.change(name, WebhookForm(name="Chat", url=other), ana)
    await hooks.change(name, WebhookForm(name="Talk", url=other), ana)
    await hooks.remove(name, ana)
    async with rig.sessions() as session:
        entries = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
    said = [values for one in entries for values in (one.old, one.new) if values]
    assert not [values for values in said if "hush" in str(values) or "quiet" in str(values)]
    urls = [values["url"] for values in said if "url" in values]
    assert all(url.startswith("https://chat.example:8443/… (") for url in urls)
    assert len(set(urls)) == 2  # that it was changed is seen
