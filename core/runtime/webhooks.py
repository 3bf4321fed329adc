"""Makes the calls of outgoing webhooks, to where an admin may have the desk call."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from core.domain.automation.calls import CallProblem
from core.domain.networks import OwnHosts, address_in, is_public
from core.services.automation.webhooks import Call, Webhooks

if TYPE_CHECKING:
    import httpx

_LOGGER = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
_MOST_ADDRESSES = 4  # of one name, tried one after the other
_LONGEST_SECONDS = 20.0
_READ_BYTES = 500
_PORTS = {"http": 80, "https": 443}
_WHO_ARE_YOU = "407 "  # RFC 9110, 15.5.8: a proxy says so, and nobody else


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host's name, best first; raises `socket.gaierror`."""


class WebhookCalls:
    """Tells webhooks what they asked for; a duty of its own, because others are slow to answer.

    Only public addresses are called, and of internal ones those of `own_hosts`: with the desk's
    help an admin would otherwise see into the network it stands in. Where calls go through `proxy`
    (its URL), that looks names up and judges what they lead to; only addresses that stand in a
    webhook's URL are judged here. Hosts that `own_hosts` names are called without it.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        own_hosts: OwnHosts = OwnHosts(),  # noqa: B008  # it cannot be changed
        resolve: Resolve | None = None,
        proxy: str | None = None,
    ) -> None:
        self._webhooks = webhooks
        self._own_hosts = own_hosts
        self._resolve = resolve or _look_up
        self._proxy = proxy

    async def make_due(self) -> None:
        """Make the calls that are due, side by side."""
        if not (calls := await self._webhooks.due()):
            return
        async with _new_client() as direct, _new_client(self._proxy) as through:
            made = await asyncio.gather(
                *(self._make(direct, through, call) for call in calls), return_exceptions=True
            )
        for call, outcome in zip(calls, made, strict=True):
            problem: CallProblem | None
            if isinstance(outcome, Exception):  # of this call alone: the others were made
                _LOGGER.error("call %s of a webhook", call.delivery, exc_info=outcome)
                problem, words = CallProblem.UNEXPECTED, _words_of(outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                problem, words = outcome
            if problem is not None:
                _LOGGER.info("call %s of a webhook failed: %s", call.delivery, problem)
            await self._webhooks.settle(call.delivery, problem=problem, answer=words)

    async def _make(
        self, direct: httpx.AsyncClient, through: httpx.AsyncClient, call: Call
    ) -> tuple[CallProblem | None, str]:
        """Make a call; return why it was not taken, and the beginning of the answer."""
        import httpx

        by_proxy = False
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                url = httpx.URL(call.url)
                host = url.raw_host.decode("ascii")
                by_proxy = self._proxy is not None and not self._own_hosts.name(host)
                if by_proxy:
                    return await self._send_by_proxy(through, call, url, host)
                addresses = await self._resolve(host, url.port or _PORTS.get(url.scheme, 0))
                allowed = [one for one in addresses if self._own_hosts.allow(host, ip_address(one))]
                if not allowed:
                    return CallProblem.INTERNAL, ""
                return await _send(direct, call, url, allowed[:_MOST_ADDRESSES])
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
            return CallProblem.ADDRESS, _words_of(error)
        except (httpx.TimeoutException, TimeoutError) as error:
            return CallProblem.SLOW, _words_of(error)
        except socket.gaierror as error:
            return CallProblem.UNKNOWN_HOST, _words_of(error)
        except httpx.ProxyError as error:
            return CallProblem.PROXY, _words_of(error)
        except httpx.ConnectError as error:
            return _unconnected(error, by_proxy=by_proxy), _words_of(error)
        except httpx.HTTPError as error:
            return CallProblem.BROKEN, _words_of(error)

    async def _send_by_proxy(
        self, client: httpx.AsyncClient, call: Call, url: httpx.URL, host: str
    ) -> tuple[CallProblem | None, str]:
        address = address_in(host)
        if address is not None and not is_public(address):
            return CallProblem.INTERNAL, ""
        problem, words = await _post(client, call, url, {})
        is_of_proxy = f"{words} ".startswith(_WHO_ARE_YOU)
        return (CallProblem.PROXY if is_of_proxy else problem), words


async def _look_up(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _send(
    client: httpx.AsyncClient, call: Call, url: httpx.URL, addresses: Sequence[str]
) -> tuple[CallProblem | None, str]:
    """Make a call to the first of `addresses` that lets itself be connected to."""
    import httpx

    *others, last = addresses
    for address in others:
        with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await _send_to(client, call, url, address)
    return await _send_to(client, call, url, last)


async def _send_to(
    client: httpx.AsyncClient, call: Call, url: httpx.URL, address: str
) -> tuple[CallProblem | None, str]:
    # By its address: a name could lead elsewhere than when it was looked at. The certificate is
    # still that of the name.
    headers = {"Host": url.netloc.decode("ascii")}
    name = {"sni_hostname": url.raw_host.decode("ascii")}
    return await _post(client, call, url.copy_with(host=address), headers, name)


async def _post(
    client: httpx.AsyncClient,
    call: Call,
    url: httpx.URL,
    headers: Mapping[str, str],
    extensions: Mapping[str, str] | None = None,
) -> tuple[CallProblem | None, str]:
    # Redirects are not followed: a signed body goes where an admin said.
    async with client.stream(
        "POST",
        url,
        content=call.body,
        headers={**call.headers, **headers},
        extensions=dict(extensions or {}),
    ) as answer:
        said = b""
        async for piece in answer.aiter_raw(_READ_BYTES):
            said = piece
            break
        words = f"{answer.status_code} {said.decode(errors='replace')}".rstrip()
        if answer.is_success:
            return None, words
        is_led_on = answer.has_redirect_location
        return (CallProblem.REDIRECTED if is_led_on else CallProblem.REFUSED), words


def _unconnected(error: BaseException, *, by_proxy: bool) -> CallProblem:
    """Return why there is no connection, which only what led to `error` tells."""
    for cause in _led_to(error):
        match cause:
            case ssl.SSLError():
                return CallProblem.INSECURE
    return CallProblem.PROXY if by_proxy else CallProblem.UNREACHABLE


def _led_to(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _new_client(proxy: str | None = None) -> httpx.AsyncClient:
    # Imported where it is used, so after `core.adapters.http` has kept its command line out.
    import httpx

    verify = httpx.create_ssl_context()
    through = None if proxy is None else httpx.Proxy(proxy)
    if through is not None and through.url.scheme == "https":
        through.ssl_context = verify
    return httpx.AsyncClient(
        proxy=through,
        timeout=httpx.Timeout(_TIMEOUT_SECONDS, connect=_CONNECT_SECONDS),
        # A proxy looks the name up again, where it likes: only one that an admin named for this.
        trust_env=False,
        verify=verify,
        # Two names may share an address: no connection made for one is used for the other.
        limits=httpx.Limits(max_keepalive_connections=0),
    )
