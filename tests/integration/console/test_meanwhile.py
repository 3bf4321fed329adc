"""Two who save the same form: the second is told who changed what, and nothing is overwritten."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import pytest

from core.domain.actor import Role
from tests.integration.console.automation_forms import HOOKS, MACROS, RULES
from tests.integration.console.automation_forms import RULE as RULE_FORM
from tests.integration.console.browser import Browser, signed_in
from tests.integration.console.world import Desk

RULE = {**RULE_FORM, "action-kind-0": "add_tag", "action-value-0": "late"}
MACRO = {"name": "Hi", "text": "Hello", "action-kind-0": "add_tag", "action-value-0": "x"}
WEBHOOK = {"name": "CRM", "url": "https://crm.example.org/in", "is_on": "yes"}
HOOK = {"name": "Checks", "format": "mapped", "key": "id", "subject": "what"}
SURVEY = {"is_on": "yes", "delay": "1", "lasts": "48", "quiet": "24", "low_score": "2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form that several people have open, what each sends, and what the second is told."""

    made_at: str  # where the record is made; empty: there is one always
    list: str  # where its page is linked
    link: str  # what the link to its page looks like
    fields: dict[str, str]
    first: dict[str, str]
    second: dict[str, str]
    told: str


FORMS = {
    "rule": Form(
        made_at=f"{RULES}/new",
        list=RULES,
        link=rf'href="({RULES}/[0-9a-f-]{{36}})"',
        fields=RULE,
        first={"name": "Printers, then"},
        second={"name": "Mine"},
        told="Name: “Printers first” → “Printers, then”",
    ),
    "macro": Form(
        made_at=f"{MACROS}/new",
        list=MACROS,
        link=rf'href="({MACROS}/[0-9a-f-]{{36}})"',
        fields=MACRO,
        first={"text": "Good day"},
        second={"text": "Mine"},
        told="Text: “Hello” → “Good day”",
    ),
    "webhook": Form(
        made_at=HOOKS,
        list=HOOKS,
        link=rf'href="({HOOKS}/[0-9a-f-]{{36}})"',
        fields=WEBHOOK,
        first={"name": "Sales"},
        second={"name": "Mine"},
        told="Name: “CRM” → “Sales”",
    ),
    "incoming webhook": Form(
        made_at=f"{HOOKS}/incoming",
        list=HOOKS,
        link=rf'href="({HOOKS}/incoming/[0-9a-f-]{{36}})"',
        fields=HOOK,
        first={"subject": "title"},
        second={"subject": "mine"},
        told="Mapping",
    ),
    "survey": Form(
        made_at="",
        list="/console/admin/satisfaction",
        link="",
        fields=SURVEY,
        first={"quiet": "12"},
        second={"quiet": "13"},
        told="Minimum time between surveys to a person",
    ),
}


async def place_of(browser: Browser, form: Form) -> str:
    page = await browser.see(form.list)
    if not form.made_at:
        return form.list
    await browser.send(form.made_at, form=form.fields)
    found = re.search(form.link, await browser.see(form.list))
    assert found is not None, page
    return found[1]


def revision_on(page: str) -> str:
    found = re.search(r'name="revision" value="(\d+)"', page)
    assert found is not None
    return found[1]


def words_on(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("what", FORMS)
async def test_the_second_is_told_who_changed_what_and_may_then_replace_it(
    desk: Desk, what: str
) -> None:
    form = FORMS[what]
    bea = await signed_in(desk, "Bea", Role.ADMIN)
    cas = await signed_in(desk, "Cas", Role.ADMIN)
    place = await place_of(bea, form)
    seen = revision_on(await cas.see(place))
    assert revision_on(await bea.see(place)) == seen
    kept = await bea.send(place, form=form.fields | form.first, revision=seen)
    assert kept.status_code == 303, kept.text
    refused = await cas.send(place, form=form.fields | form.second, revision=seen)
    assert refused.status_code == 412
    told = words_on(refused.text)
    assert "Bea changed this meanwhile" in told
    assert form.told in told
    ((field, mine),) = form.second.items()
    (theirs,) = form.first.values()
    assert re.search(rf'name="{field}"[^>]*(value="{mine}"|>{mine}<)', refused.text)
    now = await bea.see(place)
    assert mine not in re.findall(rf'name="{field}"[^>]*(?:value="([^"]*)"|>[^<]*<)', now)
    assert theirs in now
    again = revision_on(refused.text)
    assert again != seen
    replaced = await cas.send(place, form=form.fields | form.second, revision=again)
    assert replaced.status_code == 303
    assert mine in await bea.see(place)


async def test_what_was_tried_is_saved_over_what_was_read_and_no_other(desk: Desk) -> None:
    form = FORMS["rule"]
    bea = await signed_in(desk, "Bea", Role.LEAD)
    cas = await signed_in(desk, "Cas", Role.LEAD)
    place = await place_of(bea, form)
    seen = revision_on(await cas.see(place))
    await bea.send(place, form=form.fields | form.first, revision=seen)
    tried = await cas.send(place, form=form.fields | form.second, revision=seen, do="try")
    assert revision_on(tried.text) == seen
    wrong = await cas.send(place, form=form.fields | {"name": " "}, revision=seen)
    assert revision_on(wrong.text) == seen


async def test_a_secret_is_not_renewed_over_one_that_was_just_renewed(desk: Desk) -> None:
    form = FORMS["webhook"]
    bea = await signed_in(desk, "Bea", Role.ADMIN)
    cas = await signed_in(desk, "Cas", Role.ADMIN)
    place = await place_of(bea, form)
    seen = revision_on(await cas.see(place))
    renewed = await bea.send(f"{place}/secret", old="void", revision=seen)
    assert "shown only now" in renewed.text
    refused = await cas.send(f"{place}/secret", old="void", revision=seen)
    assert refused.status_code == 412
    assert "Bea changed this meanwhile" in words_on(refused.text)
    assert "shown only now" not in refused.text
