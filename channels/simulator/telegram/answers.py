"""How the Bot API says yes and no."""

from __future__ import annotations

from typing import Any

from aiohttp import web


class Refused(Exception):
    """The Bot API says no."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def bad_request(reason: str, **parameters: int) -> Refused:
    """Return the answer to arguments that do not do."""
    return Refused(400, f"Bad Request: {reason}", **parameters)


def too_many_requests(seconds: int) -> Refused:
    """Return the answer to calls that come too fast."""
    return Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def granted(result: Any) -> web.Response:
    """Return `result` as the Bot API wraps it."""
    return web.json_response({"ok": True, "result": result})


def refused(error: Refused) -> web.Response:
    """Return `error` as the Bot API words it."""
    answer: dict[str, Any] = {
        "ok": False,
        "error_code": error.code,
        "description": error.description,
    }
    if error.parameters:
        answer["parameters"] = error.parameters
    return web.json_response(answer, status=error.code)
