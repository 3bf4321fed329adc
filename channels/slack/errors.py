"""What Slack's errors mean to the desk, once for all calls.

https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from core.domain.errors import (
    BadCredentials,
    DeliveryError,
    Rejected,
    Throttled,
    ThrottleScope,
    Unavailable,
    Uncertain,
)

SETTINGS_PAGE = "https://api.slack.com/apps"
_DEFAULT_WAIT_SECONDS = 30.0
_LONGEST_WAIT_SECONDS = 3600.0

_CREDENTIALS: Mapping[str, str] = MappingProxyType(
    {
        "account_inactive": "the bot's account or the workspace was deactivated",
        "app_uninstalled": "the app was removed from the workspace",
        "invalid_auth": "Slack does not know the token",
        "not_allowed_token_type": "the token is of the wrong kind",
        "not_authed": "no token was sent",
        "org_login_required": "the workspace is being moved to an organisation",
        "token_expired": "the token expired",
        "token_revoked": "the token was revoked",
        "team_access_not_granted": "the app has no access to the workspace",
        "two_factor_setup_required": "the workspace wants two-factor authentication first",
        "access_denied": "the app has no access",
        "app_missing_action_url": "the app's settings lack the address for buttons",
        "ekm_access_denied": "the workspace's admins suspended access to messages",
    }
)

_REJECTED: Mapping[str, str] = MappingProxyType(
    {
        "as_user_not_supported": "Slack does not let the app write like this",
        "cannot_dm_bot": "the person is a bot, which cannot be written to",
        "cant_delete_message": "Slack does not let this message be deleted",
        "cant_update_message": "Slack does not let this message be changed",
        "channel_not_found": "the channel does not exist, or the desk was not invited to it",
        "duplicate_channel_not_found": "the channel does not exist any more",
        "edit_window_closed": "the workspace does not let messages be changed this late",
        "file_not_found": "the file does not exist any more",
        "file_deleted": "the file was deleted",
        "invalid_blocks": "Slack did not accept the form of the message",
        "is_archived": "the channel is archived",
        "is_inactive": "the channel is frozen",
        "message_not_found": "the message does not exist any more",
        "messages_tab_disabled": "the app's settings have the Messages tab switched off",
        "msg_too_long": "the message is too long for Slack",
        "msg_blocks_too_long": "the message is too long for Slack",
        "no_text": "the message is empty",
        "not_in_channel": "the desk is not a member of the channel: invite it",
        "restricted_action": "the workspace's admins restrict who may write there",
        "restricted_action_non_threadable_channel": "the channel does not take threads",
        "restricted_action_read_only_channel": "the channel is read-only",
        "restricted_action_thread_locked": "the thread is locked",
        "restricted_action_thread_only_channel": "the channel takes replies only",
        "storage_limit_reached": "the workspace has no room left for files",
        "file_upload_size_restricted": "the workspace restricts the size of files",
        "file_uploads_disabled": "the workspace does not take files",
        "file_uploads_except_images_disabled": "the workspace takes images only",
        "thread_not_found": "the thread does not exist any more",
        "user_disabled": "the person's account is deactivated",
        "user_not_found": "Slack does not know the person",
        "user_not_visible": "the desk may not see the person",
    }
)

_NOT_DONE = frozenset(
    {"request_timeout", "service_unavailable", "team_added_to_org", "invalid_form_data"}
)
"""Codes that say the request was not carried out: it was read in part, or before anything began."""

_PERHAPS_DONE = frozenset({"fatal_error", "internal_error"})
"""Codes of which Slack says that some of it may have succeeded."""

_PER_CHANNEL = frozenset({"chat.postMessage", "chat.update", "chat.delete"})
"""Methods limited by channel; the others are by workspace.
https://docs.slack.dev/apis/web-api/rate-limits"""


@contextmanager
def as_delivery_errors(method: str) -> Iterator[None]:
    """Raise what goes wrong in a call of `method` as one of `core.domain.errors.DeliveryError`."""
    try:
        yield
    except SlackApiError as error:
        raise _of_answer(method, error) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Unavailable("Slack could not be reached") from error
    except aiohttp.InvalidURL as error:
        raise Rejected("Slack named an address that is none") from error
    except AttributeError as error:
        # The SDK takes any answer of the kind text/plain for an object: a gateway's, not Slack's.
        raise Uncertain("Slack gave no proper answer, and may have done it") from error
    except (aiohttp.ClientError, TimeoutError, SlackClientError, OSError) as error:
        # The request may have left: also where the other side closed before it answered.
        raise Uncertain("the connection to Slack broke during the call") from error


def code_of(error: SlackApiError) -> str:
    """Return Slack's name of an error; empty where the answer was not Slack's."""
    content = getattr(error.response, "data", None)
    code = content.get("error") if isinstance(content, dict) else None
    return code if isinstance(code, str) else ""


def is_answer(error: DeliveryError, code: str) -> bool:
    """Say whether `error` is what Slack's answer `code` was translated to."""
    cause = error.__cause__
    return isinstance(cause, SlackApiError) and code_of(cause) == code


def bad_credentials(code: str, needed: str = "") -> BadCredentials:
    """Return the error for a token that Slack refuses, with what an admin has to do."""
    if code == "missing_scope":
        return BadCredentials(
            f"the app lacks the scope {needed}",
            f"add the bot scope {needed} on {SETTINGS_PAGE} (OAuth & Permissions), reinstall the "
            "app to the workspace and enter its bot token again",
        )
    return BadCredentials(
        _CREDENTIALS.get(code, "Slack does not accept the token"),
        f"reinstall the app to the workspace on {SETTINGS_PAGE} (Install App) and enter its "
        "tokens again",
    )


def wait_of(headers: Mapping[str, str]) -> float:
    """Return the seconds that an answer asks to wait."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return min(max(float(value), 1.0), _LONGEST_WAIT_SECONDS)
            except ValueError:
                break
    return _DEFAULT_WAIT_SECONDS


def _of_answer(method: str, error: SlackApiError) -> DeliveryError:
    code = code_of(error)
    status = _status_of(error)
    if code in {"ratelimited", "rate_limited"} or status == 429:
        scope = ThrottleScope.THREAD if method in _PER_CHANNEL else ThrottleScope.ACCOUNT
        return Throttled(wait_of(getattr(error.response, "headers", {})), scope)
    if code == "missing_scope":
        content = error.response.data
        needed = content.get("needed") if isinstance(content, dict) else None
        return bad_credentials(code, str(needed or "that the method needs"))
    if code in _CREDENTIALS:
        return bad_credentials(code)
    if code in _PERHAPS_DONE:
        return Uncertain("Slack failed within, and may have done it")
    if code in _NOT_DONE or status == 503:
        return Unavailable("Slack cannot do this now")
    if status >= 500 or not code:
        # A gateway in front of Slack answered: what is behind it may have been reached.
        return Uncertain("Slack gave no proper answer, and may have done it")
    return Rejected(_REJECTED.get(code, f"Slack said no: {code}"))


def _status_of(error: SlackApiError) -> int:
    response = error.response
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    return status if isinstance(status, int) else 0
