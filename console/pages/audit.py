"""The audit log: searched, read newest first, exported as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from console.audit_details import Details, named_in
from console.desk import ConsoleDesk, desk_of
from console.heads import is_head
from console.pages.reports import day_of
from console.pages.session import Readers
from console.pages.view import ZONE_COOKIE, language_of, page, translator
from console.tables.audit import FILE, exported, filter_of
from console.tables.files import table_head
from console.times import Times, zone
from console.words.audit import choices_in_words, sentence
from console.words.changes import who_in_words
from console.words.errors import error_in_words
from core.domain.errors import Forbidden, InvalidInput
from core.storage.engine import storage_errors
from core.storage.queries.audit import AuditFilter, audit_choices, audit_entries
from core.storage.queries.feed import feed_end
from core.storage.queries.names import names_of

router = APIRouter(prefix="/console/admin/audit")

_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the log is searched for, as the form has it."""

    q: str
    actor: str
    action: str
    first: str
    last: str

    @property
    def is_narrow(self) -> bool:
        """Whether something is asked for."""
        return any((self.q, self.actor, self.action, self.first, self.last))

    def query(self) -> str:
        """Return it as a part of an address."""
        return urlencode(
            {
                "q": self.q,
                "actor": self.actor,
                "action": self.action,
                "from": self.first,
                "to": self.last,
            }
        )

    def wanted(self, request: Request) -> AuditFilter:
        """Return the filter; days are those of the reader's clock."""
        days = (day_of(self.first), day_of(self.last))
        clock = zone(request.cookies.get(ZONE_COOKIE))
        return filter_of(self.q, self.actor, self.action, *days, clock)


def _search(
    q: Annotated[str, Query(max_length=200)] = "",
    actor: Annotated[str, Query(max_length=60)] = "",
    action: Annotated[str, Query(max_length=60)] = "",
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
) -> Search:
    return Search(q=q, actor=actor, action=action, first=first, last=last)


Wanted = Annotated[Search, Depends(_search)]


@router.get("/export.csv")
async def export_audit(request: Request, signed_in: Readers, search: Wanted) -> Response:
    """Give out what was changed as a table."""
    if not signed_in.may_audit:
        raise Forbidden("only admins and auditors may do this")
    if is_head(request):
        return table_head(FILE)
    return await exported(desk_of(request), search.wanted(request))


@router.get("")
async def show_audit(
    request: Request,
    signed_in: Readers,
    search: Wanted,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """List what was changed in the desk, newest first."""
    if not signed_in.may_audit:
        raise Forbidden("only admins and auditors may do this")
    async with storage_errors(), desk_of(request).sessions() as session:
        position = await feed_end(session)
        wrong = None
        try:
            wanted = search.wanted(request)
        except InvalidInput as error:
            wrong, wanted = error_in_words(error, translator(request)), AuditFilter()
        entries = await audit_entries(session, wanted, before=before, limit=_SHOWN + 1)
        choices = await audit_choices(session)
        language = language_of(request)
        names = await names_of(session, named_in(entries), language)
    return page(
        request,
        "audit.html",
        status=200 if wrong is None else 422,
        wrong=wrong,
        choices=choices,
        who_in_words=who_in_words,
        deeds=choices_in_words(choices.actions, translator(request)),
        sentence=sentence,
        details=Details(
            t=translator(request),
            language=language,
            times=Times(language, request.cookies.get(ZONE_COOKIE)),
            names=names,
            settings=_settings_called(desk_of(request)),
        ),
        position=position,
        entries=entries[:_SHOWN],
        next=entries[_SHOWN - 1].id if len(entries) > _SHOWN else None,
        search=search,
    )


def _settings_called(desk: ConsoleDesk) -> dict[str, str]:
    """Return what the settings of accounts are called, whatever their kind."""
    forms = (desk.accounts.blank(kind) for kind in desk.accounts.kinds)
    return {field.name: field.label for form in forms for field in form.fields}
