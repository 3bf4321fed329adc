"""The `desk user` and `desk token` commands: who may come in, people and programs."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import typer

from core.domain.actor import Scope
from core.wiring.program import with_database

# Each command imports what it runs when it runs: every other command reads this module, too.

user_app = typer.Typer(help="People who work at the desk.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens for the JSON API.", no_args_is_help=True)

AgentRole = Literal["agent", "lead", "admin", "auditor"]


@user_app.command("add")
def user_add(
    email: Annotated[str, typer.Option(help="Address the person is known by.")],
    name: Annotated[str, typer.Option(help="Name that others see.")] = "",
    role: Annotated[AgentRole, typer.Option(help="What they may do.")] = "agent",
) -> None:
    """Add somebody who works at the desk and print their one-time sign-in link."""
    from core.wiring import commands

    print(
        with_database(
            lambda settings: commands.add_user(settings, email=email, name=name, role=role)
        )
    )


@user_app.command("link")
def user_link(
    email: Annotated[str, typer.Option(help="Address the person is known by.")],
) -> None:
    """Print a new one-time sign-in link of somebody who works at the desk."""
    from core.wiring import commands

    print(with_database(lambda settings: commands.sign_in_link(settings, email=email)))


@token_app.command("create")
def token_create(
    email: Annotated[str, typer.Option(help="Whose token; made if unknown.")],
    role: Annotated[AgentRole, typer.Option(help="What it may do.")] = "agent",
    name: Annotated[str, typer.Option(help="What it is for, in your words.")] = "",
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may be used for; without it, all. May be given several times."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="How long it lasts; without it, until it is revoked.")
    ] = None,
) -> None:
    """Print a new token for the JSON API; it is shown this once."""
    from core.services.access.tokens import TokenTerms
    from core.wiring import commands

    terms = TokenTerms(name=name, scopes=scope or list(Scope), days=days)
    print(
        with_database(
            lambda settings: commands.create_token(settings, email=email, role=role, terms=terms)
        )
    )


@token_app.command("list")
def token_list() -> None:
    """List the tokens: id, whose, role, what for, last use and end."""
    from core.wiring import commands

    for token in with_database(commands.all_tokens):
        used = token.last_used_at.date().isoformat() if token.last_used_at else "never used"
        end = f"until {token.expires_at.date().isoformat()}" if token.expires_at else "no end"
        state = "revoked" if token.revoked_at else end
        print(token.id, token.email, token.role, ",".join(token.scopes), used, state, token.name)


@token_app.command("revoke")
def token_revoke(
    token: Annotated[UUID, typer.Argument(help="Its id, as `desk token list` shows it.")],
) -> None:
    """Let a token not be valid any more."""
    from core.wiring import commands

    with_database(lambda settings: commands.revoke_token(settings, token))
