"""Webhooks go through a proxy where an admin names one."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.domain.automation.calls import CallProblem
from core.domain.networks import own_hosts
from core.runtime.webhooks import WebhookCalls
from core.services.automation.webhooks import WebhookForm, Webhooks
from core.storage.tables import WebhookDelivery
from tests.integration.automation.listener import ANYWHERE, Listener, calls, listening, opened
from tests.support.certificates import self_signed
from tests.support.desk import Rig
from tests.support.forward_proxy import forward_proxy


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk's machine can look no name up, as behind many proxies."""
    look_up = socket.getaddrinfo

    def refuse(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in {"127.0.0.1", "0x7f.1", "localhost", b"localhost"}:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


async def called(rig: Rig, url: str, proxy: str, allowed: str = "") -> WebhookDelivery:
    """Return what became of a call to `url`."""
    hooks = Webhooks(rig.sessions, b"key", rig.clock, ANYWHERE)
    form = WebhookForm(name="CRM", url=url, events=["ticket.opened"])
    await hooks.add(form, await rig.agent())
    await opened(rig)
    await WebhookCalls(hooks, own_hosts(allowed), proxy=proxy).make_due()
    (call,) = await calls(rig)
    return call


def port_of(listener: Listener) -> int:
    return urlsplit(listener.url).port or 0


async def test_a_plain_call_goes_through_the_proxy_by_its_name(
    rig: Rig, listener: Listener
) -> None:
    async with forward_proxy({"crm.example": port_of(listener)}) as proxy:
        call = await called(rig, "http://crm.example:8080/hook", proxy.url)
    assert call.status == "done"
    assert proxy.asked == ["POST http://crm.example:8080/hook"]
    ((headers, _),) = listener.heard
    assert headers["Host"] == "crm.example:8080"


async def test_an_encrypted_call_goes_through_a_tunnel_and_its_certificate_is_checked(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path, "crm.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with listening(context) as listener:
        hosts = {"crm.example": port_of(listener)}
        async with forward_proxy(hosts, "Basic ZGVzazpodXNo") as proxy:
            with_password = proxy.url.replace("//", "//desk:hush@")
            call = await called(rig, "https://crm.example/hook", with_password)
            assert (call.status, len(listener.heard)) == ("done", 1)
            assert proxy.asked == ["CONNECT crm.example:443"]


async def test_a_certificate_of_another_name_is_refused_through_a_tunnel(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path, "other.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with listening(context) as listener:
        async with forward_proxy({"crm.example": port_of(listener)}) as proxy:
            call = await called(rig, "https://crm.example/hook", proxy.url)
        assert (call.problem, listener.heard) == (CallProblem.INSECURE, [])


@pytest.mark.parametrize("name", ["localhost", "other.example"])
async def test_a_proxy_may_be_spoken_to_over_tls_and_its_certificate_is_checked(
    rig: Rig, listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    certificate, key = self_signed(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with forward_proxy({"crm.example": port_of(listener)}, context=context) as proxy:
        call = await called(rig, "http://crm.example/hook", proxy.url)
    assert call.problem == (None if name == "localhost" else CallProblem.INSECURE), call.answer
    assert len(listener.heard) == (1 if name == "localhost" else 0)


@pytest.mark.parametrize(
    ("url", "password", "said"),
    [
        ("https://internal.example/hook", None, "403"),
        ("https://crm.example/hook", "Basic other", "407"),
        ("http://crm.example/hook", "Basic other", "407"),
    ],
)
async def test_a_proxy_that_does_not_let_a_call_through_is_named(
    rig: Rig, listener: Listener, url: str, password: str | None, said: str
) -> None:
    async with forward_proxy({"crm.example": port_of(listener)}, password) as proxy:
        call = await called(rig, url, proxy.url)
    assert (call.status, call.problem) == ("waiting", CallProblem.PROXY)
    assert said in (call.answer or "")
    assert listener.heard == []


async def test_a_proxy_that_is_away_is_named(rig: Rig) -> None:
    call = await called(rig, "https://crm.example/hook", "http://127.0.0.1:9")
    assert (call.status, call.problem) == ("waiting", CallProblem.PROXY)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "2852039166", "[::1]", "localhost", "desk.localhost."]
)
async def test_an_internal_address_in_the_url_is_not_asked_of_the_proxy(
    rig: Rig, host: str
) -> None:
    async with forward_proxy({}) as proxy:
        call = await called(rig, f"http://{host}/hook", proxy.url)
    assert (call.problem, proxy.asked) == (CallProblem.INTERNAL, [])


@pytest.mark.parametrize(
    ("host", "allowed"),
    [("127.0.0.1", "127.0.0.0/8"), ("localhost", "localhost"), ("0x7f.1", "127.0.0.1")],
)
async def test_hosts_of_an_admins_own_are_called_without_the_proxy(
    rig: Rig, listener: Listener, host: str, allowed: str
) -> None:
    async with forward_proxy({}) as proxy:
        url = f"http://{host}:{port_of(listener)}/hook"
        call = await called(rig, url, proxy.url, allowed)
    assert (call.status, proxy.asked, len(listener.heard)) == ("done", [], 1)


async def test_a_host_of_an_admins_own_that_is_away_is_not_laid_at_the_proxys_door(
    rig: Rig,
) -> None:
    async with forward_proxy({}) as proxy:
        call = await called(rig, "http://127.0.0.1:9/hook", proxy.url, "127.0.0.1")
    assert (call.problem, proxy.asked) == (CallProblem.UNREACHABLE, [])


async def test_own_networks_say_nothing_of_names_while_a_proxy_looks_them_up(
    rig: Rig, listener: Listener
) -> None:
    async with forward_proxy({"crm.example": port_of(listener)}) as proxy:
        call = await called(rig, "http://crm.example/hook", proxy.url, "127.0.0.0/8")
    assert (call.status, len(proxy.asked)) == ("done", 1)
