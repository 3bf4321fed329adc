"""Files in a message, and the messages that people pass on, as content of ours."""

from __future__ import annotations

from collections.abc import Sequence

from channels.slack import ids, mrkdwn
from channels.slack.fields import Fields
from core.domain.content import FileRef

_LONGEST_NAME = 255
_UNKNOWN_TYPE = "application/octet-stream"


def read_files(files: Sequence[Fields]) -> tuple[tuple[FileRef, ...], list[str], list[str]]:
    """Return files to fetch, links to files that live elsewhere, and kinds that cannot be had."""
    hosted: list[FileRef] = []
    links: list[str] = []
    lost: list[str] = []
    for file in files:
        match file.text("mode"):
            case "tombstone":
                lost.append("deleted file")
            case "hidden_by_limit":
                lost.append("file beyond the workspace's limit")
            case "external":
                links.append(mrkdwn.link(file.text("external_url"), _name(file)))
            case _ if ids.is_file(file.text("id")):
                hosted.append(_file_ref(file))
            case _:
                lost.append("file")
    return tuple(hosted), [link for link in links if link], lost


def shared_in(attachments: Sequence[Fields]) -> Sequence[Fields]:
    """Return the messages that were passed on with a message.

    Previews of links are attachments too; they say nothing that the link does not.
    """
    return [one for one in attachments if one.flag("is_share") or one.flag("is_msg_unfurl")]


def read_shared(shared: Sequence[Fields]) -> str | None:
    """Return messages that were passed on as a quotation; None for none."""
    quoted = []
    for attachment in shared:
        author = attachment.text("author_name") or attachment.text("author_id")
        text = mrkdwn.to_commonmark(attachment.text("text") or attachment.text("fallback"))
        quoted.append(f"{author}: {text}" if author else text)
    return "\n\n".join(quoted) or None


def _file_ref(file: Fields) -> FileRef:
    return FileRef(
        name=_name(file),
        media_type=file.text("mimetype")[:_LONGEST_NAME] or _UNKNOWN_TYPE,
        size_bytes=file.number("size"),
        remote=file.text("id"),
    )


def _name(file: Fields) -> str:
    return (file.text("name") or file.text("title") or file.text("id"))[:_LONGEST_NAME]
