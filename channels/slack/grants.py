"""What the app must be granted in a workspace, and what for; the manifest holds the same."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

BOT_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "app_mentions:read": "hear when somebody mentions the desk",
        "channels:history": "read replies in threads of public channels the desk takes part in",
        "chat:write": "answer",
        "chat:write.customize": "show an agent's name and picture",
        "commands": "the slash command and the message shortcut",
        "files:read": "fetch files that people send",
        "files:write": "send files",
        "groups:history": "read replies in threads of private channels the desk takes part in",
        "im:history": "read direct messages to the desk",
        "im:write": "open the direct conversation after a command",
        "mpim:history": "read replies in group conversations the desk takes part in",
        "reactions:read": "see reactions to messages",
        "users:read": "names of people",
        "users:read.email": "e-mail addresses, so that one person is one contact",
    }
)

BOT_EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
    "user_change",
)
"""Events the app subscribes to."""

METHODS: Mapping[str, str | None] = MappingProxyType(
    {
        "apps.connections.open": None,  # needs connections:write of the app-level token
        "auth.test": None,
        "chat.delete": "chat:write",
        "chat.postEphemeral": "chat:write",
        "chat.postMessage": "chat:write",
        "chat.update": "chat:write",
        "conversations.history": "im:history",
        "conversations.open": "im:write",
        "conversations.replies": "channels:history",
        "files.completeUploadExternal": "files:write",
        "files.delete": "files:write",
        "files.getUploadURLExternal": "files:write",
        "files.info": "files:read",
        "users.info": "users:read",
        "users.lookupByEmail": "users:read.email",
        "views.publish": None,
    }
)
"""Methods of the Web API that the channel calls, and the scope that each needs."""
