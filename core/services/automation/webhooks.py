"""Outgoing webhooks: what is to be told to whom, and what became of it."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.domain.actor import Agent
from core.domain.automation.calls import CallProblem
from core.domain.backoff import Backoff
from core.domain.errors import Conflict, InvalidInput, NotFound
from core.domain.ids import AccountId, new_id
from core.domain.networks import OwnHosts, address_in
from core.services import audit
from core.services.accounts.secrets import SecretsUnreadable, seal, unseal
from core.services.automation.payloads import payload_of
from core.services.case import Case
from core.services.reactions.reactor import TicketChange
from core.services.revisions import revise
from core.storage.engine import Sessions, storage_errors
from core.storage.once import once
from core.storage.tables import Webhook, WebhookDelivery

EVENTS = ("ticket.opened", "ticket.changed", "ticket.message", "ticket.rated")
"""What a webhook can ask to be told."""

SIGNATURE = "Ventanilla-Signature"
_ATTEMPTS = 10
# 14 to 28 hours in all.
_BACKOFF = Backoff(first_seconds=10.0, longest_seconds=28_800.0, factor=4.0)
_BATCH = 20
_LEASE = timedelta(seconds=60)  # whoever took a call makes it within this time
_MAX_ANSWER_CHARS = 500
_SECRETS = AccountId("webhooks")
_BOTH_SIGN = timedelta(hours=24)  # the old secret beside the new one


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to be made."""

    delivery: UUID
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookForm:
    """A webhook as an admin describes it."""

    name: str
    url: str
    events: Sequence[str] = ()
    is_on: bool = True

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= 120 or "\x00" in self.name:
            raise InvalidInput("a name has 1 to 120 characters")
        try:
            parts = urlsplit(self.url)
        except ValueError:
            raise InvalidInput("a webhook's address begins with https:// or http://") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or len(self.url) > 2_000:
            raise InvalidInput("a webhook's address begins with https:// or http://")
        if parts.username or parts.password:
            raise InvalidInput("a webhook's address holds no password")
        if unknown := set(self.events) - set(EVENTS):
            raise InvalidInput(f"there is no event {min(unknown)}")


class WebhooksOfTickets:
    """Has webhooks told of the changes they asked for."""

    name = "webhooks"

    async def react(self, case: Case, change: TicketChange) -> None:
        """Leave a call for each webhook that wants this kind of change."""
        event = event_of(change)
        all_on = await once(case.session, "webhooks", lambda: _all_on(case.session))
        wanting = [webhook for webhook in all_on if event in webhook.events]
        if wanting:
            payload = await payload_of(case, event, change)
            for webhook in wanting:
                _leave(case, webhook, event, payload)


async def _all_on(session: AsyncSession) -> Sequence[Webhook]:
    return (await session.scalars(select(Webhook).where(Webhook.is_on))).all()


class Webhooks:
    """Admins' webhooks, and the calls that are due."""

    def __init__(
        self,
        sessions: Sessions,
        key: bytes,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        own_hosts: OwnHosts = OwnHosts(),  # noqa: B008  # it cannot be changed
    ) -> None:
        self._sessions = sessions
        self._key = key
        self._now = now
        self._own_hosts = own_hosts

    async def add(self, form: WebhookForm, by: Agent) -> tuple[UUID, str]:
        """Add a webhook; return its id and the secret it signs with, which is shown this once.

        Raises:
            InvalidInput: its URL holds an internal address that is not one of `own_hosts`.
        """
        self._check_address(form.url)
        name, secret = new_id(), secrets.token_urlsafe(32)
        async with storage_errors(), self._sessions.begin() as session:
            session.add(
                Webhook(
                    id=name,
                    name=form.name.strip(),
                    url=form.url,
                    secret=seal(self._key, _SECRETS, {"secret": secret}),
                    events=list(form.events),
                    is_on=form.is_on,
                    created_at=self._now(),
                )
            )
            audit.record(
                session,
                by.actor,
                "webhook.added",
                ("webhook", name, form.name),
                new=self._said(form),
            )
        return name, secret

    async def change(
        self, webhook: UUID, form: WebhookForm, by: Agent, *, revision: int | None = None
    ) -> None:
        """Replace a webhook's form; its secret stays.

        Raises:
            InvalidInput: its new URL holds an internal address that is not one of `own_hosts`.
            Outdated: it is not of revision `revision` any more.
        """
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, webhook)
            revise(row, revision)
            if form.url != row.url:  # else one that was allowed once could not be turned off
                self._check_address(form.url)
            old = WebhookForm(name=row.name, url=row.url, events=row.events, is_on=row.is_on)
            row.name, row.url = form.name.strip(), form.url
            row.events, row.is_on = list(form.events), form.is_on
            if not form.is_on:
                await stop_calls(session, webhook)
            audit.record(
                session,
                by.actor,
                "webhook.changed",
                ("webhook", webhook, form.name),
                old=self._said(old),
                new=self._said(form),
            )

    async def renew_secret(
        self, webhook: UUID, by: Agent, *, at_once: bool, revision: int | None = None
    ) -> str:
        """Give a webhook another secret; return it, which is shown this once.

        Unless `at_once`, calls of the next day are signed with the old one too, so that whoever
        hears them can change over in between.

        Raises:
            Outdated: it is not of revision `revision` any more.
        """
        secret = secrets.token_urlsafe(32)
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, webhook)
            revise(row, revision)
            row.old_secret = None if at_once else row.secret
            row.old_secret_until = None if at_once else self._now() + _BOTH_SIGN
            row.secret = seal(self._key, _SECRETS, {"secret": secret})
            audit.record(
                session,
                by.actor,
                "webhook.secret_renewed",
                ("webhook", webhook, row.name),
                new={"secret": "changed", "old_secret": "void" if at_once else "valid for a day"},
            )
        return secret

    async def remove(self, webhook: UUID, by: Agent) -> None:
        """Delete a webhook with what was told to it."""
        async with storage_errors(), self._sessions.begin() as session:
            row = await _locked(session, webhook)
            old = WebhookForm(name=row.name, url=row.url, events=row.events, is_on=row.is_on)
            audit.record(
                session,
                by.actor,
                "webhook.removed",
                ("webhook", webhook, row.name),
                old=self._said(old),
            )
            await session.delete(row)

    async def repeat(self, webhook: UUID, delivery: UUID, by: Agent) -> None:
        """Make a call of a webhook again that is over, or one that waits at once.

        Of a webhook that is off it is made once that is on. Raise `Conflict` for a call that is
        being made just now: it would be made twice.
        """
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(WebhookDelivery, delivery, with_for_update=True)
            if row is None or row.webhook_id != webhook:
                raise NotFound("there is no such call")
            if row.taken_until is not None and row.taken_until > now:
                raise Conflict("this call is being made just now")
            if row.status != "waiting":
                row.status, row.attempts, row.finished_at = "waiting", 0, None
                row.answer = row.problem = None
            row.available_at = now
            name = (await session.get_one(Webhook, webhook)).name
            audit.record(
                session,
                by.actor,
                "webhook.repeated",
                ("webhook", webhook, name),
                new={"call": str(delivery), "event": row.event},
            )

    async def due(self) -> Sequence[Call]:
        """Take calls that are due; nobody else takes them for a minute."""
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            rows = (
                await session.execute(
                    select(WebhookDelivery, Webhook)
                    .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
                    .where(
                        WebhookDelivery.status == "waiting",
                        WebhookDelivery.available_at <= now,
                        Webhook.is_on,
                    )
                    .order_by(WebhookDelivery.available_at)
                    .limit(_BATCH)
                    .with_for_update(of=WebhookDelivery, skip_locked=True)
                )
            ).all()
            calls = []
            for delivery, webhook in rows:
                delivery.attempts += 1
                delivery.available_at = delivery.taken_until = now + _LEASE
                try:
                    calls.append(self._call(delivery, webhook, now))
                except SecretsUnreadable as error:
                    delivery.status, delivery.finished_at = "failed", now
                    delivery.answer, delivery.problem = str(error), CallProblem.UNREADABLE
                    delivery.taken_until = None
            return calls

    async def settle(
        self, delivery: UUID, *, answer: str, problem: CallProblem | None = None
    ) -> None:
        """Keep what became of a call: it was taken unless there was a `problem`.

        One that was not is made again later, ten times in all. `answer` is what was answered, or
        the error's own words.
        """
        now = self._now()
        async with storage_errors(), self._sessions.begin() as session:
            row = await session.get(WebhookDelivery, delivery, with_for_update=True)
            if row is None:
                return
            row.taken_until = None
            if row.status != "waiting":  # its webhook was turned off meanwhile
                return
            row.answer = answer[:_MAX_ANSWER_CHARS].replace("\x00", "")
            row.problem = problem
            if problem is None or row.attempts >= _ATTEMPTS:
                row.status, row.finished_at = ("done" if problem is None else "failed"), now
            else:
                row.available_at = now + timedelta(seconds=_BACKOFF.pause_seconds(row.attempts))

    async def forget_old(self, age: timedelta = timedelta(days=30)) -> None:
        """Delete calls that were over long ago."""
        async with storage_errors(), self._sessions.begin() as session:
            await session.execute(
                delete(WebhookDelivery).where(WebhookDelivery.finished_at < self._now() - age)
            )

    def _check_address(self, url: str) -> None:
        """Refuse what is internal as it is written; where a name leads is known at each call."""
        host = urlsplit(url).hostname or ""
        address = address_in(host)
        if address is not None and not self._own_hosts.allow(host, address):
            raise InvalidInput(
                "this address is internal: whoever runs the desk can allow it in"
                " DESK_WEBHOOK_OWN_HOSTS"
            )

    def _said(self, form: WebhookForm) -> dict[str, Any]:
        return {
            "name": form.name,
            "url": _shown(form.url, self._key),
            "events": list(form.events),
            "is_on": form.is_on,
        }

    def _call(self, delivery: WebhookDelivery, webhook: Webhook, now: datetime) -> Call:
        body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
        sealed = [webhook.secret]
        if webhook.old_secret_until is not None and webhook.old_secret is not None:
            sealed += [webhook.old_secret] if now < webhook.old_secret_until else []
        known = [unseal(self._key, _SECRETS, one)["secret"] for one in sealed]
        return Call(
            delivery=delivery.id,
            url=webhook.url,
            body=body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "Ventanilla",
                "Ventanilla-Event": delivery.event,
                "Ventanilla-Delivery": str(delivery.id),
                SIGNATURE: signature(known, body, int(now.timestamp())),
            },
        )


def signature(known: Sequence[str], body: bytes, at: int) -> str:
    """Return what shows that `body` is ours, and when it was signed (seconds since 1970).

    HMAC-SHA256 over the time, a dot and the body, in hexadecimal, with each secret that is valid,
    the newest first: `t=1700000000,v1=…,v1=…`.
    """
    signed = f"{at}.".encode() + body
    tags = (hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in known)
    return ",".join([f"t={at}", *(f"v1={tag}" for tag in tags)])


def event_of(change: TicketChange) -> str:
    """Return what webhooks call a change."""
    match change.field:
        case "message":
            return "ticket.message"
        case "satisfaction":
            return "ticket.rated"
        case _:
            return "ticket.opened" if change.is_opening else "ticket.changed"


async def call_later(
    case: Case, webhook: Webhook, event: str, change: TicketChange | None = None
) -> None:
    """Leave a call of `webhook` about the locked `case`, to be made after the commit."""
    _leave(case, webhook, event, await payload_of(case, event, change))


def _leave(case: Case, webhook: Webhook, event: str, payload: Mapping[str, Any]) -> None:
    case.session.add(
        WebhookDelivery(
            id=new_id(),
            webhook_id=webhook.id,
            event=event,
            payload=dict(payload),
            available_at=case.ledger.now,
            created_at=case.ledger.now,
        )
    )


async def stop_calls(session: AsyncSession, webhook: UUID) -> None:
    """Give up the calls of `webhook` that still wait."""
    await session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook, WebhookDelivery.status == "waiting")
        .values(status="failed", problem=CallProblem.TURNED_OFF, finished_at=func.now())
    )


async def _locked(session: AsyncSession, webhook: UUID) -> Webhook:
    row = await session.get(Webhook, webhook, with_for_update=True)
    if row is None:
        raise NotFound("there is no such webhook")
    return row


def _shown(url: str, key: bytes) -> str:
    """Return what the audit log says of an address: its server, and whether it is the same.

    Whoever knows the path or the query of such an address may often write there.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    bare = f"{parts.scheme}://{host}"
    if url in {bare, f"{bare}/"}:
        return url
    mark = hmac.new(key, f"webhook address\n{url}".encode(), sha256).hexdigest()[:8]
    return f"{bare}/… ({mark})"
