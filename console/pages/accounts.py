"""The admins' page of channels: accounts on platforms, how they do, and what they are set to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from console.desk import desk_of
from console.markdown import to_page
from console.pages.session import Admins, form_of, text_field
from console.pages.view import page, translator
from console.words import accounts as account_words
from console.words.errors import error_in_words
from console.words.states import Translate
from core.domain.errors import Conflict, DeskError, InvalidInput, NotFound
from core.domain.ids import AccountId
from core.services.accounts.accounts import AccountForm
from core.services.accounts.fields import (
    FieldShape,
    InvalidSettings,
    SettingField,
    as_text,
    named_in,
)
from core.storage.engine import storage_errors
from core.storage.queries.accounts.accounts import AccountView
from core.storage.queries.feed import feed_end

router = APIRouter(prefix="/console/admin")

_LIST = "/console/admin/channels"
_DOCS = (Path(__file__).parents[2] / "docs").resolve()
_GUIDE_TYPES = frozenset({".md", ".yaml"})


def _named(account: str) -> AccountId:
    if "\x00" in account:
        raise NotFound("there is no such account")
    return AccountId(account)


Named = Annotated[AccountId, Depends(_named)]


@router.get("/channels")
async def show_accounts(request: Request, _: Admins) -> Response:
    """List the accounts."""
    return await _accounts(request)


@router.get("/connect/{kind}")
async def show_blank(request: Request, _: Admins, kind: str) -> Response:
    """Show the form of a new account."""
    form = desk_of(request).accounts.blank(kind)
    return await _form(request, form, account=None, texts=_shown(form))


@router.post("/connect/{kind}")
async def add_account(request: Request, _: Admins, kind: str) -> Response:
    """Connect an account."""
    book = desk_of(request).accounts
    form = book.blank(kind)
    name, texts = text_field(await form_of(request), "name").strip(), await _texts(request, form)
    try:
        await book.add(name, kind, texts)
    except (InvalidInput, Conflict) as error:
        return await _form(request, form, account=None, texts=texts, name=name, error=error)
    return RedirectResponse(_LIST, 303)


@router.get("/channels/{account}")
async def show_account(request: Request, _: Admins, account: Named) -> Response:
    """Show what an account is set to."""
    form = await desk_of(request).accounts.form(account)
    return await _form(request, form, account=await _view(request, account), texts=_shown(form))


@router.post("/channels/{account}")
async def change_account(request: Request, _: Admins, account: Named) -> Response:
    """Give an account other settings."""
    book = desk_of(request).accounts
    form = await book.form(account)
    texts = await _texts(request, form)
    sent = await form_of(request)
    forget = [name for name in form.kept if text_field(sent, f"forget.{name}") == "yes"]
    try:
        await book.change(account, texts, forget=forget)
    except InvalidInput as error:
        view = await _view(request, account)
        return await _form(request, form, account=view, texts=texts, error=error)
    return RedirectResponse(_LIST, 303)


@router.post("/channels/{account}/enabled")
async def set_enabled(request: Request, _: Admins, account: Named) -> Response:
    """Pause an account, or let it go on."""
    enabled = text_field(await form_of(request), "enabled") == "yes"
    await desk_of(request).accounts.set_enabled(account, enabled=enabled)
    return RedirectResponse(_LIST, 303)


@router.post("/channels/{account}/remove")
async def remove_account(request: Request, _: Admins, account: Named) -> Response:
    """Disconnect an account; its conversations stay."""
    try:
        await desk_of(request).accounts.remove(account)
    except Conflict as error:
        return await _accounts(request, status=409, error=error)
    return RedirectResponse(_LIST, 303)


@router.get("/guides/{path:path}")
async def show_guide(request: Request, _: Admins, path: str) -> Response:
    """Show a page of the documentation: how an account is set up, and what that page leads to."""
    try:
        found = (_DOCS / path).resolve()
        is_guide = found.is_relative_to(_DOCS) and found.is_file() and found.suffix in _GUIDE_TYPES
    except (ValueError, OSError):  # no file can have such a name
        is_guide = False
    if not is_guide:
        raise NotFound("there is no such page")
    content = found.read_text("utf-8")
    if found.suffix != ".md":
        return PlainTextResponse(content)
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
    title, body = content.partition("\n")[0].lstrip("# "), to_page(content)
    return page(request, "guide.html", position=position, title=title, body=body)


def _guide(kind: str) -> str | None:
    """Return the address of the page about setting up a kind, where this desk has one."""
    path = f"channels/{kind}.md"
    return f"/console/admin/guides/{path}" if (_DOCS / path).is_file() else None


async def _view(request: Request, account: str) -> AccountView:
    known = await desk_of(request).accounts.list()
    found = next((view for view in known if view.id == account), None)
    if found is None:
        raise NotFound("there is no such account")
    return found


def _shown(form: AccountForm) -> dict[str, str]:
    return {
        field.name: as_text(form.values[field.name]) if field.name in form.values else field.default
        for field in form.fields
    }


async def _texts(request: Request, form: AccountForm) -> dict[str, str]:
    sent = await form_of(request)
    texts = {field.name: text_field(sent, f"field.{field.name}") for field in form.fields}
    for field in form.fields:
        if field.shape is FieldShape.FLAG and not texts[field.name]:
            texts[field.name] = "false"  # an empty box sends nothing
    return texts


def problems_in_words(
    error: DeskError | None, t: Translate, fields: Iterable[SettingField] = ()
) -> tuple[dict[str, str], str | None]:
    """Return what to say beside each of `fields`, and what to say of the form as a whole.

    What is about several fields stands beside the first; nothing is said beside the others.
    """
    if not isinstance(error, InvalidSettings):
        return {}, None if error is None else error_in_words(error, t)
    beside = {name: t(said) for name, said in error.problems if name}
    labels = {field.name: f"“{t(field.label)}”" for field in fields}
    whole = []
    for said in (said for name, said in error.problems if not name):
        named = [name for name in named_in(said) if name in labels]
        words = t(said, **{name: labels[name] for name in named})
        whole.append(words)
        for name in named:
            beside.setdefault(name, words if name == named[0] else "")
    return beside, "; ".join(whole) or t("Some settings are not right yet.")


async def _form(
    request: Request,
    form: AccountForm,
    *,
    account: AccountView | None,
    texts: Mapping[str, str],
    name: str = "",
    error: DeskError | None = None,
) -> Response:
    beside, wrong = problems_in_words(error, translator(request), form.fields)
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
    return page(
        request,
        "account_edit.html",
        status=200 if error is None else 422,
        position=position,
        form=form,
        account=account,
        name=name,
        texts=texts,
        beside=beside,
        wrong=wrong,
        guide=_guide(form.kind),
        address=None if account is None else _address(request, form, account),
    )


async def _accounts(
    request: Request, *, status: int = 200, error: DeskError | None = None
) -> Response:
    desk = desk_of(request)
    _, wrong = problems_in_words(error, translator(request))
    async with storage_errors(), desk.sessions() as session:
        position = await feed_end(session)
    values: dict[str, Any] = {
        "position": position,
        "accounts": await desk.accounts.list(),
        "kinds": {kind: _guide(kind) for kind in desk.accounts.kinds},
        "refused": desk.refused,
        "wrong": wrong,
        "now": datetime.now(UTC),
        "said": account_words,
    }
    return page(request, "accounts.html", status=status, **values)


def _address(request: Request, form: AccountForm, account: AccountView) -> str | None:
    if form.called_at is None:
        return None
    return f"{desk_of(request).base_url}/channels/{account.kind}/{account.id}{form.called_at}"
