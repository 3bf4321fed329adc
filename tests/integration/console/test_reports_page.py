"""Figures by page, CSV and API: who may see them, and that they are safe to open."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from core.domain.actor import Role
from core.domain.figures import Measure
from core.storage.packed_counts import packed
from core.storage.tables import FigureSum, Team
from tests.integration.console.api import Api, assert_problem
from tests.integration.console.browser import PASSWORD, Browser
from tests.integration.console.world import Desk

TEAM = "00000000-0000-0000-0000-000000000001"


async def _counted(desk: Desk) -> None:
    today = datetime.now(UTC).date()
    opened = {Measure.OPENED: {0: 7}}
    rows = [
        ("all", "", {**opened, Measure.FIRST_RESPONSE: {80: 7}}),
        ("hour", "9", opened),
        ("weekday", "1", opened),
        ("reason", "angry", opened),
        ("channel", "email", opened),
        ("team", TEAM, opened),
    ]
    async with desk.sessions.begin() as session:
        session.add(Team(id=TEAM, name='=HYPERLINK("http://evil")'))
        session.add_all(
            FigureSum(
                dimension=dimension,
                span="day",
                first=today,
                value=value,
                opened=7,
                solved=0,
                counts=packed(counts),
            )
            for dimension, value, counts in rows
        )


async def _browser(desk: Desk, role: Role) -> Browser:
    agent = await desk.agent("ana@example.org", role=role)
    await desk.access.passwords.set(agent.id, PASSWORD)
    return await Browser.signed_in(desk, agent.email)


async def test_a_lead_sees_the_figures_with_charts_and_their_table(desk: Desk) -> None:
    await _counted(desk)
    browser = await _browser(desk, Role.LEAD)
    shown = await browser.see("/console/reports")
    assert "<polyline" in shown
    assert "The requester is upset" in shown
    assert "E-mail" in shown


async def test_a_period_that_is_none_is_said_and_the_usual_one_shown(desk: Desk) -> None:
    browser = await _browser(desk, Role.LEAD)
    shown = await browser.see("/console/reports?from=2030-02-30", 422)
    assert "A date is written as 2030-12-31" in shown
    await browser.see("/console/reports?from=2030-02-03&to=2030-02-01", 422)


async def test_agents_do_not_see_figures_of_each_other(desk: Desk, api: Api) -> None:
    browser = await _browser(desk, Role.AGENT)
    await browser.see("/console/reports", 403)
    assert_problem(await (await api(Role.AGENT, "bo@example.org")).get("/api/v1/reports"), 403)


async def test_no_cell_of_an_export_is_a_formula(desk: Desk) -> None:
    await _counted(desk)
    browser = await _browser(desk, Role.AUDITOR)
    answer = await browser.client.get("/console/reports/export?by=team")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][:4] == ["Team", "Tickets opened", "Tickets solved", "Waiting now"]
    assert rows[1][:2] == ['\'=HYPERLINK("http://evil")', "7"]


async def test_an_exports_headings_are_in_the_readers_language(desk: Desk) -> None:
    await _counted(desk)
    browser = await _browser(desk, Role.AUDITOR)
    await browser.send("/console/language", language="es")
    answer = await browser.client.get("/console/reports/export?by=team")
    assert answer.text.removeprefix("\ufeff").startswith("Equipo,Tickets abiertos,")


async def test_the_api_says_the_same(desk: Desk, api: Api) -> None:
    await _counted(desk)
    found = (await (await api(Role.LEAD)).get("/api/v1/reports?by=team")).json()
    assert found["total"]["opened"] == 7
    assert found["lines"][0]["value"] == TEAM
    assert found["weekdays"] == {"1": 7}
    assert found["days"][-1]["opened"] == 7
    assert found["total"]["times"]["first_response"]["count"] == 7
    # Only what leaves as a table is kept there: who looks at figures all day would fill it.
    auditor = await api(Role.AUDITOR, "aud@example.org")
    log = await auditor.get("/api/v1/audit?action=report.exported")
    assert log.json()["items"] == []


async def test_the_api_gives_out_the_same_table_and_the_audit_log_has_it(
    desk: Desk, api: Api
) -> None:
    await _counted(desk)
    lead = await api(Role.LEAD)
    answer = await lead.get("/api/v1/reports/export.csv?by=team")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][:3] == ["Team", "Tickets opened", "Tickets solved"]
    assert rows[1][:2] == ['\'=HYPERLINK("http://evil")', "7"]
    spanish = await lead.get("/api/v1/reports/export.csv?by=team&lang=es")
    assert spanish.text.removeprefix("\ufeff").startswith("Equipo,Tickets abiertos,")
    assert (
        await (await api(email="bo@example.org")).get("/api/v1/reports/export.csv")
    ).status_code == 403
    auditor = await api(Role.AUDITOR, "aud@example.org")
    entries = (await auditor.get("/api/v1/audit?action=report.exported")).json()["items"]
    assert len(entries) == 2


async def test_what_waited_each_day_is_given_out_told_apart(desk: Desk, api: Api) -> None:
    await desk.queued("my screen is dark")
    lead = await api(Role.LEAD, "lea@example.org")
    path = "/api/v1/reports/backlog"
    found = (await lead.get(f"{path}?by=priority")).json()
    (line,) = found["lines"]
    assert (found["by"], line["value"], line["waiting"][-1]) == ("priority", "normal", 1)
    assert len(found["days"]) == len(line["waiting"]) == 30
    assert (await lead.get(f"{path}?by=hour")).status_code == 422
    spanish = await lead.get(f"{path}.csv?by=priority&lang=es")
    rows = list(csv.reader(io.StringIO(spanish.text.removeprefix("\ufeff"))))
    assert (rows[0], rows[-1][1]) == (["Día", "Normal"], "1")
    browser = await _browser(desk, Role.AUDITOR)
    assert "Backlog at the end of the day, by priority" in await browser.see(
        "/console/reports?by=priority"
    )
    saved = await browser.client.get("/console/reports/backlog?by=priority")
    assert saved.text.removeprefix("\ufeff").startswith("Day,Normal")
    assert (await browser.client.get("/console/reports?by=hour")).status_code == 200
