"""The `desk mail` commands: how mail is read, and a mail server to try the desk with."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from core.domain.errors import InvalidInput

# Each command imports what it runs when it runs: every other command reads this module, too.

mail_app = typer.Typer(
    help="How mail is read, and a mail server to try the desk with.", no_args_is_help=True
)

_DESK = "help@desk.example"
_ACCOUNT = "TRY"
Folder = Annotated[
    Path, typer.Option(file_okay=False, help="Where the mail server keeps what passed it.")
]
SmtpPort = Annotated[int, typer.Option(min=0, max=65_535, help="Port of the mail server.")]
_FOLDER = Path(".desk-mail")
_SMTP_PORT = 2525


@mail_app.command("parse")
def mail_parse(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Mails as they came.")
    ],
    trust: Annotated[
        list[str] | None,
        typer.Option(help="A relay whose Authentication-Results are believed; may be repeated."),
    ] = None,
    own: Annotated[
        list[str] | None, typer.Option(help="An address of the desk; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Show what the desk reads in mails; needs no database and stores nothing."""
    from channels.email.reading.json_lines import as_json as mail_as_json
    from channels.email.reading.read import read_mail

    for file in files:
        mail = read_mail(
            file.read_bytes(), trusted_authserv_ids=trust or (), own_addresses=own or ()
        )
        if as_json:
            typer.echo(json.dumps(mail_as_json(str(file), mail)))
        else:
            author = mail.author.address if mail.author else "nobody"
            words = f"{file}: {mail.kind} from {author}: {mail.subject}"
            typer.echo(words.encode("ascii", "backslashreplace").decode())


@mail_app.command("visible")
def mail_visible(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help='JSONL: {"id", "format": "text|html", "input"}.'
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Show what people wrote in replies, without what these repeat; needs no database."""
    from channels.email.reading.json_lines import visible_replies

    for reply in visible_replies(file):
        if as_json:
            typer.echo(json.dumps(reply))
        else:
            typer.echo(
                f"--- {reply['id']}\n{reply['visible']}".encode(
                    "ascii", "backslashreplace"
                ).decode()
            )


@mail_app.command("server")
def mail_server(
    address: Annotated[str, typer.Option(help="The desk's address.")] = _DESK,
    port: SmtpPort = _SMTP_PORT,
    lmtp_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port where the desk takes mail.")
    ] = 8024,
    folder: Folder = _FOLDER,
) -> None:
    """Run a mail server on this machine to try the desk with; shows all mail. Ctrl-C stops it.

    Nothing leaves the machine, whatever the addresses. It prints what the desk has to be set to.
    """
    from channels.simulator.email.correspondent import person
    from channels.simulator.email.kept import KeptMail
    from channels.simulator.email.post_office import PostOffice

    desk = person(address).address

    async def serve() -> None:
        try:
            async with PostOffice.running(
                desk, smtp_port=port, lmtp_port=lmtp_port, mails=KeptMail(folder), say=_say
            ) as office:
                _tell_settings(folder, office.settings())
                await asyncio.Event().wait()
        except OSError as error:
            raise InvalidInput(f"port {port}: {error.strerror or error}") from None

    asyncio.run(serve())


@mail_app.command("send")
def mail_send(
    text: Annotated[str, typer.Argument(help="What the mail says.")],
    author: Annotated[str, typer.Option("--from", help="Who writes: an address, or NAME <…>.")],
    subject: Annotated[str, typer.Option(help="What it is about.")] = "A question",
    to: Annotated[str, typer.Option(help="Whom to; the desk's address.")] = _DESK,
    port: SmtpPort = _SMTP_PORT,
) -> None:
    """Write a mail to the desk, through `desk mail server`."""
    from channels.simulator.email.correspondent import letter, person, post

    post(letter(person(author), person(to).address, subject, text), port)
    _say(f"sent to {to}; the desk's answer appears at the mail server")


@mail_app.command("reply")
def mail_reply(
    text: Annotated[str, typer.Argument(help="What the mail says.")],
    author: Annotated[
        str | None, typer.Option("--from", help="Who answers; else who got the last mail.")
    ] = None,
    port: SmtpPort = _SMTP_PORT,
    folder: Folder = _FOLDER,
) -> None:
    """Answer the last mail that the desk sent, through `desk mail server`."""
    from channels.simulator.email.correspondent import answer, person, post
    from channels.simulator.email.kept import KeptMail

    named = person(author) if author is not None else None
    kept = KeptMail(folder).last_of_desk(named.address if named else None)
    if kept is None:
        whom = named.address if named else "anybody"
        raise InvalidInput(f"the desk has written no mail to {whom} yet (looked into {folder})")
    who = named or person(kept.recipients[0])
    written = answer(kept, who, text)
    post(written, port)
    _say(f"{who.address} answers {str(kept.mail['Subject'])!r}")


def _tell_settings(folder: Path, settings: Mapping[str, str]) -> None:
    """Print what the desk has to be set to, and leave it in a file that a shell can read."""
    lines = [
        f"export DESK_EMAIL__{_ACCOUNT}__{name.upper()}={shlex.quote(value)}"
        for name, value in settings.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "settings.sh"
    file.write_text("\n".join(lines) + "\n")
    _say(
        "\n".join(
            [
                f"mail server at 127.0.0.1:{settings['smtp_port']}. Set the desk to it:",
                "",
                *(f"    {line}" for line in lines),
                "",
                f"or start it in another terminal by:  . {shlex.quote(str(file))} && make run",
            ]
        )
    )


def _say(words: str) -> None:
    """Print what a terminal of any encoding can show."""
    encoding = sys.stdout.encoding or "ascii"
    typer.echo(words.encode(encoding, "replace").decode(encoding))
