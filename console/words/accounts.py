"""What the states of accounts are called, and what is said of wrong settings; English, as keys."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.account import AccountState

STATE: Mapping[str, str] = {
    AccountState.CONNECTING: "Connecting",
    AccountState.CONNECTED: "Connected",
    AccountState.DEGRADED: "Troubled",
    AccountState.BAD_CREDENTIALS: "Needs an admin",
    AccountState.PAUSED: "Paused",
}

CHIP: Mapping[str, str] = {
    AccountState.CONNECTED: "up",
    AccountState.DEGRADED: "warn",
    AccountState.BAD_CREDENTIALS: "down",
}
"""How a state's mark looks, where it is not plain."""

SAID = (
    "an account's name is 1 to 40 small letters, digits and hyphens",
    "there is an account of this name already",
    "this name is for rehearsals, and what has it is erased: take another",
    "this account is set in the environment; change it there",
    "this is needed",
    "this is not JSON",
    "the desk's secret key is not the one its secrets were kept under",
    "Enter the account's secrets again, or set DESK_SECRET_KEY back.",
    "its settings are not usable",
    "Look through the account's settings and save them again.",
    "The log of the desk says more; it is tried again at the next start.",
    "these credentials are another bot's: connect an account for it",
    "Give the account in these settings another name.",
    "its connection ended",
    "The desk tries again by itself; its log says more.",
)
"""What the desk itself says of an account."""

WRONG = (
    "{imap_host} or {lmtp_host} has to say where mail comes from",
    "{after_processing} set to move needs a folder in {move_to}",
    "{move_to} must not be one of the folders that are read",
    "{sent_folder} needs {imap_host}",
    "{sent_folder} must not be one of the folders that are read",
    "{imap_security} set to none is only for a server on this machine",
    "{smtp_security} set to none is only for a server on this machine",
    "{lmtp_host} has to be an address of this machine or a private network",
    "{oauth_provider} needs {oauth_client_id} and {oauth_refresh_token}",
    "{oauth_provider} set to custom needs {oauth_token_url}",
    "DKIM needs {dkim_domain}, {dkim_selector} and {dkim_private_key}",
    "is not a mail address of plain characters",
    "must not hold control characters",
    "is not a mailto or https address",
    "{app_token} (Socket Mode) or {signing_secret} (Events API) is needed",
    "must begin with xoxb-",
    "must begin with xapp-",
    "must be an http or https address",
    "a bot's token looks like 123456:ABC-DEF, as @BotFather shows it",
    "1 to 256 characters: letters, digits, _ and -",
)
"""What kinds of account say of their settings; in braces the settings, by their labels."""
