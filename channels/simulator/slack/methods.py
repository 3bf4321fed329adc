"""The methods of the simulated Web API: what each does in the workspace and answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from channels.simulator.slack.limits import (
    MAX_HOME_BLOCKS,
    SCOPES,
    Refused,
    check_arguments,
    check_blocks,
    check_message,
)
from channels.simulator.slack.workspace import (
    BOT,
    BOT_USER,
    TEAM,
    Message,
    Workspace,
)

Arguments = Mapping[str, Any]
Answer = dict[str, Any]

_TRUE = frozenset({True, "1", "true", "True"})


class Methods:
    """Answers calls with the rights that `scopes` give."""

    def __init__(
        self, workspace: Workspace, url: str, scopes: set[str], *, page_limit: int = 999
    ) -> None:
        self._workspace = workspace
        self._url = url
        self._scopes = scopes
        self._page_limit = page_limit

    def call(self, method: str, arguments: Arguments) -> Answer:
        """Return what `method` answers.

        Raises:
            Refused: it says no.
        """
        check_arguments(method, arguments)
        self._check_scope(SCOPES.get(method))
        answer = _METHODS[method](self, arguments)
        return {"ok": True, **answer}

    def _check_scope(self, scope: str | None) -> None:
        if scope is not None and scope not in self._scopes:
            raise Refused("missing_scope", needed=scope, provided=",".join(sorted(self._scopes)))

    def _check_history(self, channel: str) -> None:
        kind = {"D": "im", "G": "groups"}.get(channel[:1], "channels")
        self._check_scope(f"{kind}:history")
        if channel not in self._workspace.channels:
            raise Refused("channel_not_found")

    def _auth_test(self, _: Arguments) -> Answer:
        return {
            "url": self._url,
            "team": "Simulation",
            "team_id": TEAM,
            "user": "desk",
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def _post(self, arguments: Arguments) -> Answer:
        check_message(arguments)
        person = self._workspace.direct_of(arguments["channel"])
        channel = person.direct if person is not None else arguments["channel"]
        if channel not in self._workspace.channels:
            raise Refused("channel_not_found")
        if "username" in arguments or "icon_url" in arguments:
            self._check_scope("chat:write.customize")
        thread_ts = arguments.get("thread_ts")
        if thread_ts is not None and self._workspace.find(channel, thread_ts) is None:
            raise Refused("thread_not_found")
        message = self._workspace.add(
            Message(
                channel=channel,
                ts=self._workspace.ts(),
                user=BOT_USER,
                text=arguments.get("text", ""),
                thread_ts=thread_ts,
                blocks=arguments.get("blocks") or [],
                metadata=arguments.get("metadata"),
                username=arguments.get("username"),
                icon_url=arguments.get("icon_url"),
            )
        )
        return {"channel": channel, "ts": message.ts, "message": message.content()}

    def _post_ephemeral(self, arguments: Arguments) -> Answer:
        check_message(arguments)
        self._workspace.asides.append((arguments["user"], arguments["text"]))
        return {"message_ts": self._workspace.ts()}

    def _update(self, arguments: Arguments) -> Answer:
        check_message(arguments)
        message = self._ours(arguments, "cant_update_message")
        message.text = arguments.get("text", message.text)
        message.blocks = arguments.get("blocks") or []
        message.metadata = arguments.get("metadata", message.metadata)
        message.edited_ts = self._workspace.ts()
        return {"channel": message.channel, "ts": message.ts, "text": message.text}

    def _delete(self, arguments: Arguments) -> Answer:
        message = self._ours(arguments, "cant_delete_message")
        message.is_deleted = True
        return {"channel": message.channel, "ts": message.ts}

    def _ours(self, arguments: Arguments, refusal: str) -> Message:
        message = self._workspace.find(arguments["channel"], arguments["ts"])
        if message is None:
            raise Refused("message_not_found")
        if not message.is_ours:
            raise Refused(refusal)
        return message

    def _history(self, arguments: Arguments) -> Answer:
        channel = arguments["channel"]
        self._check_history(channel)
        found = [m for m in self._workspace.in_channel(channel) if m.thread_ts in {None, m.ts}]
        return self._page(list(reversed(found)), arguments)

    def _replies(self, arguments: Arguments) -> Answer:
        channel, root = arguments["channel"], arguments["ts"]
        self._check_history(channel)
        found = self._workspace.in_channel(channel, root)
        if not found:
            raise Refused("thread_not_found")
        return self._page(found, arguments)

    def _page(self, messages: list[Message], arguments: Arguments) -> Answer:
        oldest, latest = str(arguments.get("oldest", "0")), str(arguments.get("latest", "9" * 12))
        inside = [m for m in messages if float(oldest) < float(m.ts) < float(latest)]
        start = int(arguments.get("cursor") or 0)
        limit = min(int(arguments.get("limit", 100)), self._page_limit)
        with_metadata = arguments.get("include_all_metadata") in _TRUE
        page = inside[start : start + limit]
        has_more = start + limit < len(inside)
        answer: Answer = {
            "messages": [message.content(with_metadata=with_metadata) for message in page],
            "has_more": has_more,
        }
        if has_more:
            answer["response_metadata"] = {"next_cursor": str(start + limit)}
        return answer

    def _channel_info(self, arguments: Arguments) -> Answer:
        name = self._workspace.channels.get(arguments["channel"])
        if name is None:
            raise Refused("channel_not_found")
        return {"channel": {"id": arguments["channel"], "name": name, "is_member": True}}

    def _open(self, arguments: Arguments) -> Answer:
        person = self._workspace.people.get(arguments.get("users", ""))
        if person is None:
            raise Refused("user_not_found")
        return {"channel": {"id": person.direct}}

    def _user(self, arguments: Arguments) -> Answer:
        person = self._workspace.people.get(arguments["user"])
        if person is None:
            raise Refused("user_not_found")
        user = person.profile()
        if "users:read.email" not in self._scopes:
            del user["profile"]["email"]
        if arguments.get("include_locale") not in _TRUE:
            del user["locale"]
        return {"user": user}

    def _user_by_email(self, arguments: Arguments) -> Answer:
        email = str(arguments["email"]).casefold()
        for person in self._workspace.people.values():
            if person.email.casefold() == email:
                user = person.profile()
                del user["locale"]
                return {"user": user}
        raise Refused("users_not_found")

    def _publish(self, arguments: Arguments) -> Answer:
        view = arguments["view"]
        if not isinstance(view, dict) or view.get("type") != "home":
            raise Refused("invalid_arguments", detail="view")
        check_blocks(view.get("blocks"), MAX_HOME_BLOCKS)
        if arguments["user_id"] not in self._workspace.people:
            raise Refused("user_not_found")
        self._workspace.homes[arguments["user_id"]] = view
        return {"view": {"id": "V1", **view}}

    def _upload_url(self, arguments: Arguments) -> Answer:
        if int(arguments["length"]) <= 0:
            raise Refused("invalid_arguments", detail="length")
        file = self._workspace.store(arguments["filename"], "application/octet-stream", b"")
        return {"upload_url": f"{self._url}upload/{file.id}", "file_id": file.id}

    def _complete(self, arguments: Arguments) -> Answer:
        given = arguments["files"]
        entries = json.loads(given) if isinstance(given, str) else given
        files = [self._workspace.files.get(entry.get("id", "")) for entry in entries]
        if not all(file is not None and file.content for file in files):
            raise Refused("file_not_found")
        channel = arguments.get("channel_id")
        if channel is not None and channel not in self._workspace.channels:
            raise Refused("channel_not_found")
        for file, entry in zip(files, entries, strict=True):
            assert file is not None
            file.title, file.is_shared = entry.get("title", file.name), channel is not None
        objects = [self._file_object(entry["id"]) for entry in entries]
        if channel is not None:
            self._workspace.add(
                Message(
                    channel=channel,
                    ts=self._workspace.ts(),
                    user=BOT_USER,
                    text="",
                    thread_ts=arguments.get("thread_ts"),
                    files=objects,
                )
            )
        return {"files": [{"id": entry["id"], "title": entry.get("title")} for entry in entries]}

    def _file_info(self, arguments: Arguments) -> Answer:
        return {"file": self._file_object(arguments["file"])}

    def _file_delete(self, arguments: Arguments) -> Answer:
        self._file_object(arguments["file"])
        self._workspace.files[arguments["file"]].is_deleted = True
        return {}

    def _file_object(self, name: str) -> Answer:
        file = self._workspace.files.get(name)
        if file is None or file.is_deleted:
            raise Refused("file_not_found" if file is None else "file_deleted")
        return file_object(self._workspace, self._url, name)


def file_object(workspace: Workspace, url: str, name: str) -> Answer:
    """Return the file object. https://docs.slack.dev/reference/objects/file-object"""
    file = workspace.files[name]
    address = f"{url}files/{file.id}/{len(file.content)}"
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": file.media_type,
        "size": len(file.content),
        "mode": "hosted",
        "url_private": address,
        "url_private_download": address,
    }


_METHODS: Mapping[str, Callable[[Methods, Arguments], Answer]] = MappingProxyType(
    {
        "auth.test": Methods._auth_test,
        "chat.delete": Methods._delete,
        "chat.postEphemeral": Methods._post_ephemeral,
        "chat.postMessage": Methods._post,
        "chat.update": Methods._update,
        "conversations.history": Methods._history,
        "conversations.info": Methods._channel_info,
        "conversations.open": Methods._open,
        "conversations.replies": Methods._replies,
        "files.completeUploadExternal": Methods._complete,
        "files.delete": Methods._file_delete,
        "files.getUploadURLExternal": Methods._upload_url,
        "files.info": Methods._file_info,
        "users.info": Methods._user,
        "users.lookupByEmail": Methods._user_by_email,
        "views.publish": Methods._publish,
    }
)
