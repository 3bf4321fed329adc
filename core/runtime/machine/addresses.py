"""Which addresses on this machine are free, and how to reach what listens on one."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from contextlib import ExitStack, suppress

# Below the ports that Linux gives outgoing connections (ip_local_port_range, 32768 and up): between
# the choice of a port and the start of what listens on it, no connection takes it.
_CHOICE = range(20_000, 32_768)
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


def why_taken(host: str, port: int) -> str | None:
    """Return why nothing can listen on `host` and `port`, or None when it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        return f"{host} is not an address of this machine ({error.strerror})"
    with socket.socket(family, kind, protocol) as probe:
        # As web servers do: connections of an earlier server that still fade away do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"port {port} on {host} is in use by another program"
            return f"port {port} on {host} cannot be used ({error.strerror})"
    return None


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return ports, all different, that nobody listens on now.

    Raises:
        OSError: there are not so many.
    """
    found: list[int] = []
    with ExitStack() as probes:
        for port in random.sample(_CHOICE, len(_CHOICE)):
            with suppress(OSError):
                probes.enter_context(socket.socket()).bind((host, port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"{host} has no {count} free ports from {_CHOICE.start} to {_CHOICE.stop - 1}")


def local_url(host: str, port: int) -> str:
    """Return where a program on this machine reaches what listens on `host`."""
    reachable = _ANY.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


async def http_get(host: str, port: int, path: str, *, seconds: float = 5.0) -> tuple[int, bytes]:
    """Return status and body of a GET; small, because a supervisor should be.

    Raises:
        OSError: nobody answers there, or not in time, or not in HTTP.
    """
    host = _ANY.get(host, host)
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                answer = await reader.read(1 << 20)
                while more := await reader.read(1 << 20):
                    answer += more
            finally:
                writer.close()
    except TimeoutError:
        raise OSError(f"{host}:{port} did not answer within {seconds:g} s") from None
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        return int(head.split(maxsplit=2)[1]), body
    except (IndexError, ValueError):
        raise OSError(f"{host}:{port} did not answer in HTTP") from None
