"""Adds the organisations and people who write to the demonstration's desk, and their computers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

from core.domain.assets import AssetDraft
from core.domain.ids import AccountId, Address, ContactId, new_id
from core.services.requester_records.assets import Assets
from core.storage.engine import storage_errors
from core.storage.tables import Contact, ContactAddress, Organisation
from core.wiring.demo.office import Office
from core.wiring.demo.people import ORGANISATIONS, REQUESTERS, Requester
from core.wiring.demo.support import AGREED
from core.wiring.parts import Parts

ACCOUNT = AccountId("webchat")
"""Where they write from."""


def address_of(requester: Requester) -> Address:
    """Return the address that `requester` writes from."""
    return Address(f"demo:{requester.email}")


async def add_requesters(parts: Parts, office: Office) -> Mapping[str, ContactId]:
    """Add them; return their ids by e-mail address."""
    contacts: dict[str, ContactId] = {}
    organisations: dict[str, UUID] = {}
    async with storage_errors(), parts.sessions.begin() as session:
        for name, domains in ORGANISATIONS.items():
            organisations[name] = new_id()
            row = Organisation(id=organisations[name], name=name, domains=list(domains))
            if (agreed := AGREED.get(name)) is not None:
                term = agreed.term(date.today())  # noqa: DTZ011 - of the machine's day
                row.plan_id = office.plans[agreed.plan]
                row.plan_from, row.plan_until = term.starts, term.ends
            session.add(row)
        await session.flush()
        for one in REQUESTERS:
            contact = ContactId(new_id())
            contacts[one.email] = contact
            session.add(
                Contact(
                    id=contact,
                    name=one.name,
                    email=one.email,
                    language=one.language,
                    time_zone=one.zone,
                    organisation_id=organisations[one.organisation],
                    is_vip=one.is_vip,
                )
            )
            await session.flush()
            session.add(
                ContactAddress(
                    account_id=ACCOUNT,
                    address=address_of(one),
                    contact_id=contact,
                    name=one.name,
                    verified_email=one.email,
                )
            )
    assets = Assets(parts.sessions)
    for number, one in enumerate(REQUESTERS):
        tag, model = one.laptop
        draft = AssetDraft(
            tag=tag,
            kind="laptop",
            model=model,
            serial=f"SN{tag[3:]}{number}7X",
            warranty_until=date.today() + timedelta(days=200 + 90 * number),  # noqa: DTZ011
            owner=one.email,
            organisation=one.organisation,
        )
        await assets.add(draft, office.staff.boss)
    return contacts
