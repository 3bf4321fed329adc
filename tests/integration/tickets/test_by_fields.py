"""Tickets are found by what their custom fields hold: in views, and over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from core.domain.actor import Role
from core.storage.queries.classification import field_conditions
from core.storage.tables import SavedView
from tests.integration.console.api import Api
from tests.integration.console.browser import signed_in
from tests.integration.console.world import Desk

FIELDS: tuple[dict[str, Any], ...] = (
    {"label": "Serial"},
    {"label": "Floor", "kind": "number"},
    {"label": "Model", "kind": "choice", "choices": ["Thin", "Thick", "Either | or"]},
    {"label": "Bought", "kind": "date"},
    {"label": "Insured", "kind": "yes_no"},
)

Keys = Mapping[str, str]


@pytest.fixture
async def client(api: Api) -> AsyncClient:
    return await api(role=Role.ADMIN, email="admin@example.org")


@pytest.fixture
async def keys(desk: Desk, client: AsyncClient) -> Keys:
    """Three tickets of a category, two of them filled in, and one without; fields by label."""
    made = (await client.post("/api/v1/categories", json={"name": "Laptop"})).json()
    for field in FIELDS:
        made = (await client.post(f"/api/v1/categories/{made['id']}/fields", json=field)).json()
    found = {one["label"]: one["id"] for one in made["fields"]}
    values: tuple[dict[str, Any] | None, ...] = (
        {
            "Serial": "SN-4711/ÁB",
            "Floor": 3,
            "Model": "Thick",
            "Bought": "2024-03-01",
            "Insured": True,
        },
        {
            "Serial": "sn-4800",
            "Floor": 20301231,
            "Model": "Either | or",
            "Bought": "2025-03-01",
            "Insured": False,
        },
        {},
        None,
    )
    for number, filled in enumerate(values, 1001):
        await desk.queued(f"Matter {number}", thread=str(number), who=f"who{number}")
        if filled is not None:
            body = {
                "category": made["id"],
                "fields": {found[label]: value for label, value in filled.items()},
            }
            kept = await client.patch(f"/api/v1/tickets/{number}", json=body)
            assert kept.status_code == 200, kept.text
    return found


FOUND: tuple[tuple[str, str, str, list[int]], ...] = (
    ("Serial", "has", "4711", [1001]),
    ("Serial", "has", "SN-4", [1001, 1002]),
    ("Serial", "has", "4711 | 4800", [1001, 1002]),
    ("Serial", "has", "100%", []),
    ("Serial", "has_not", "4711", [1002, 1003]),
    ("Serial", "is", "sn-4711/ab", [1001]),
    ("Serial", "is", "sn-47", []),
    ("Serial", "is_not", "sn-4800", [1001, 1003]),
    ("Serial", "empty", "", [1003]),
    ("Serial", "filled", "", [1001, 1002]),
    ("Floor", "is", "3", [1001]),
    ("Floor", "is", "20301231", [1002]),
    ("Floor", "more", "3", [1001, 1002]),
    ("Floor", "more", "20301231", [1002]),
    ("Floor", "at_most", "3,0", [1001]),
    ("Floor", "less", "3", []),
    ("Model", "is", "Thick", [1001]),
    ("Model", "is", "Thin", []),
    ("Model", "is", "Thin | Thick", [1001]),
    ("Model", "is", "Either | or", [1002]),
    ("Model", "is_not", "Thick", [1002, 1003]),
    ("Model", "empty", "", [1003]),
    ("Bought", "more", "2024-03-01", [1001, 1002]),
    ("Bought", "at_most", "2024-03-01", [1001]),
    ("Bought", "less", "2024-03-01", []),
    ("Insured", "is", "yes", [1001]),
    ("Insured", "is", "no", [1002]),
    ("Insured", "is_not", "yes", [1002, 1003]),
    ("Insured", "empty", "", [1003]),
)


async def of_view(client: AsyncClient, *conditions: Mapping[str, str]) -> list[int]:
    body = {"name": "v", "filter": {"fields": list(conditions)}, "order": "oldest"}
    made = await client.post("/api/v1/views", json=body)
    assert made.status_code == 201, made.text
    kept = {"value": "", **conditions[0]}
    assert made.json()["filter"]["fields"][0] == kept
    place = f"/api/v1/views/{made.json()['id']}"
    page = (await client.get(f"{place}/tickets")).json()
    assert made.json()["count"] == len(page["items"])
    await client.delete(place)
    return [ticket["number"] for ticket in page["items"]]


async def listed(client: AsyncClient, **asked: Any) -> list[int]:
    answer = await client.get("/api/v1/tickets", params={"sort": "created", **asked})
    assert answer.status_code == 200, answer.text
    return [ticket["number"] for ticket in answer.json()["items"]]


async def test_views_and_lists_show_what_fits_a_condition_on_a_field(
    keys: Keys, client: AsyncClient, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label, comparison, value, found in FOUND:
        with subtests.test(label=label, comparison=comparison, value=value):
            key = keys[label]
            asked = {"field": key, "comparison": comparison, "value": value}
            assert await of_view(client, asked) == found
            name = f"field.{key}" + ("" if comparison == "is" else f".{comparison}")
            with monkeypatch.context() as patched:  # as where many hold it
                patched.setattr(field_conditions, "_FEW", 0)
                assert await listed(client, **{name: value or "true"}) == found


async def test_conditions_on_fields_have_to_hold_all(keys: Keys, client: AsyncClient) -> None:
    serial = {"field": keys["Serial"], "comparison": "has", "value": "sn-4"}
    model = {"field": keys["Model"], "comparison": "is", "value": "Thick"}
    assert await of_view(client, serial, model) == [1001]
    asked = {f"field.{keys['Serial']}.has": "sn-4", f"field.{keys['Insured']}": "no"}
    assert await listed(client, **asked) == [1002]
    assert await listed(client, **asked, q="Matter") == [1002]
    assert await listed(client, **asked, status="closed") == []


async def test_of_a_field_named_several_times_one_value_fits(
    keys: Keys, client: AsyncClient
) -> None:
    both = {f"field.{keys['Model']}": ["Thick", "Thin"]}
    assert await listed(client, **both) == [1001]
    assert await listed(client, **{f"field.{keys['Model']}.empty": "false"}) == [1001, 1002]


async def test_tickets_of_a_category_below_are_asked_for_its_fields_too(
    keys: Keys, desk: Desk, client: AsyncClient
) -> None:
    (laptop,) = (await client.get("/api/v1/categories")).json()["items"]
    below = {"name": "Old laptop", "parent": laptop["id"]}
    below = (await client.post("/api/v1/categories", json=below)).json()
    await client.patch("/api/v1/tickets/1004", json={"category": below["id"]})
    assert await listed(client, **{f"field.{keys['Model']}.empty": "true"}) == [1003, 1004]


async def test_what_changes_is_found_as_it_is_now(
    keys: Keys, desk: Desk, client: AsyncClient
) -> None:
    name = f"field.{keys['Serial']}.has"
    fields = {keys["Serial"]: "SN-9", keys["Floor"]: None}
    await client.patch("/api/v1/tickets/1001", json={"fields": fields})
    assert await listed(client, **{name: "4711"}) == []
    assert await listed(client, **{name: "sn-9"}) == [1001]
    assert await listed(client, **{f"field.{keys['Floor']}.more": "0"}) == [1002]
    async with desk.sessions.begin() as session:
        before = await session.scalar(text("SELECT count(*) FROM ticket_field"))
        await session.execute(text("UPDATE ticket SET fields = '{}' WHERE number = 1001"))
        after = await session.scalar(text("SELECT count(*) FROM ticket_field"))
    assert (before, after) == (9, 5)


async def test_a_field_that_is_asked_no_more_is_still_looked_for(
    keys: Keys, client: AsyncClient
) -> None:
    (laptop,) = (await client.get("/api/v1/categories")).json()["items"]
    place = f"/api/v1/categories/{laptop['id']}/fields/{keys['Serial']}"
    assert (await client.delete(place)).status_code in (200, 204)
    assert await listed(client, **{f"field.{keys['Serial']}.has": "4711"}) == [1001]


async def test_a_choice_that_is_gone_is_still_looked_for(keys: Keys, client: AsyncClient) -> None:
    (laptop,) = (await client.get("/api/v1/categories")).json()["items"]
    (field,) = (one for one in laptop["fields"] if one["id"] == keys["Model"])
    body: dict[str, Any] = {"name": "v", "order": "oldest"}
    wanted: dict[str, str] = {"field": field["id"], "comparison": "is", "value": "Thin"}
    thin = body | {"filter": {"fields": [wanted]}}
    view = (await client.post("/api/v1/views", json=thin)).json()

    place = f"/api/v1/categories/{laptop['id']}/fields/{field['id']}"
    asked = {"label": "Model", "kind": "choice", "choices": ["Other"]}
    assert (await client.put(place, json=asked)).status_code == 200

    kept = await client.put(f"/api/v1/views/{view['id']}", json=thin | {"name": "renamed"})
    assert kept.status_code == 200, kept.text
    name = f"field.{field['id']}"
    for value, found in (
        ("Thick", [1001]),
        ("Either | or", [1002]),
        ("Other | Thick", [1001]),
    ):
        assert await of_view(client, wanted | {"value": value}) == found
        assert await listed(client, **{name: value}) == found
    for value in ("Thin", "Thick | Fat", "Other | Thin"):
        answer = await client.get("/api/v1/tickets", params={name: value})
        assert answer.status_code == 422, value


async def test_a_text_is_found_by_the_whole_of_it(keys: Keys, client: AsyncClient) -> None:
    fields = {keys["Serial"]: "A | B"}
    await client.patch("/api/v1/tickets/1001", json={"fields": fields})
    asked = {"field": keys["Serial"], "comparison": "is", "value": "a | b"}
    assert await of_view(client, asked) == [1001]
    assert await of_view(client, asked | {"comparison": "is_not"}) == [1002, 1003]
    assert await listed(client, **{f"field.{keys['Serial']}": "A | B"}) == [1001]


async def test_a_condition_that_cannot_be_is_refused_with_the_reason(
    keys: Keys, client: AsyncClient
) -> None:
    nobody = "01a21ae9-3d33-7441-8afe-b11b92fa65a3"
    for field, comparison, value, reason in (
        (nobody, "is", "x", "there is no such field"),
        (keys["Model"], "is", "Fat", "not a value for the field 'Model'"),
        (keys["Model"], "has", "Thi", "cannot be compared like this"),
        (keys["Floor"], "more", "high", "number or a date"),
        (keys["Floor"], "more", "2024-03-01", "not a value for the field 'Floor'"),
        (keys["Bought"], "at_most", "3", "not a value for the field 'Bought'"),
        (keys["Serial"], "has", "", "has no value"),
        (keys["Serial"], "at_most", "3", "cannot be compared like this"),
    ):
        asked = {"field": field, "comparison": comparison, "value": value}
        made = await client.post("/api/v1/views", json={"name": "v", "filter": {"fields": [asked]}})
        got = await client.get("/api/v1/tickets", params={f"field.{field}.{comparison}": value})
        for answer in (made, got):
            assert answer.status_code == 422, (asked, answer.text)
            assert reason in answer.text
    for name, value in (
        ("field.nonsense", "x"),
        (f"field.{keys['Model']}.changed", "true"),
        (f"field.{keys['Model']}.empty", "perhaps"),
        (f"field.{keys['Model']}.like", "x"),
    ):
        answer = await client.get("/api/v1/tickets", params={name: value})
        assert answer.status_code == 422, name
    many = [{"field": keys["Model"], "comparison": "empty"}] * 11
    made = await client.post("/api/v1/views", json={"name": "v", "filter": {"fields": many}})
    assert made.status_code == 422


async def test_the_description_of_the_api_tells_of_conditions_on_fields(
    desk: Desk, client: AsyncClient
) -> None:
    document = (await client.get("/api/openapi.json")).json()
    parameters = document["paths"]["/api/v1/tickets"]["get"]["parameters"]
    (named,) = (one for one in parameters if one["name"] == "fields")
    assert "field.KEY" in named["description"]
    assert named["schema"]["patternProperties"]


async def test_the_form_of_a_view_takes_conditions_on_fields(keys: Keys, desk: Desk) -> None:
    insured = f"field:{keys['Insured']}"
    asked = {
        "name": "Not insured",
        "order": "oldest",
        "columns": "status",
        "fields-field-0": insured,
        "fields-comparison-0": "is",
        "fields-value-0": "nein",
        "fields-field-1": "",
        "fields-field-2": f"field:{keys['Model']}",
        "fields-comparison-2": "is",
        "fields-value-2": "Fat",
    }
    browser = await signed_in(desk)
    page = await browser.see("/console/views/new")
    assert "Insured (Laptop)" in page
    assert 'value="Thick"' in page
    refused = await browser.send("/console/views/new", form=asked)
    assert refused.status_code == 422
    assert "“nein”" in refused.text
    refused = await browser.send("/console/views/new", form=asked | {"fields-value-0": "no"})
    assert refused.status_code == 422
    assert "This is no value for “Model”." in refused.text
    assert 'value="Fat"' in refused.text
    asked |= {"fields-value-0": "no", "fields-field-2": ""}
    made = await browser.send("/console/views/new", form=asked)
    assert made.status_code == 303, made.text
    queue = await browser.see(made.headers["Location"])
    assert "Matter 1002" in queue
    assert "Matter 1001" not in queue
    page = await browser.see(f"/console/views/{made.headers['Location'][-36:]}")
    assert f'<option value="{insured}"' in page
    assert 'value="no"' in page


async def test_the_form_of_a_view_speaks_of_fields_in_the_readers_language(
    desk: Desk, client: AsyncClient
) -> None:
    body = {"name": "Laptop", "names": {"es": "Portátil"}}
    category = (await client.post("/api/v1/categories", json=body)).json()
    field = {
        "label": "Model",
        "labels": {"es": "Modelo"},
        "kind": "choice",
        "choices": ["Thin", "Thick", "Fino"],
        "choice_labels": {"es": ["Fino", "Grueso", "Muy fino"]},
    }
    made = await client.post(f"/api/v1/categories/{category['id']}/fields", json=field)
    key = made.json()["fields"][0]["id"]
    ana = await signed_in(desk, "Lea", Role.ADMIN, "es")
    page = await ana.see("/console/views/new")
    assert "Modelo (Portátil)" in page
    assert 'value="Grueso"' in page
    for typed, kept in (("grueso", "Thick"), ("Fino | Thick", "Thin | Thick")):
        form = {
            "name": "Laptops",
            "order": "newest",
            "columns": "status",
            "fields-field-0": f"field:{key}",
            "fields-comparison-0": "is",
            "fields-value-0": typed,
        }
        sent = await ana.send("/console/views/new", form=form)
        assert sent.status_code == 303, sent.text
        view = sent.headers["location"].partition("view-")[2]
        async with desk.sessions() as session:
            found = await session.get_one(SavedView, UUID(view))
        assert found.filter["fields"][0]["value"] == kept
    assert 'value="Fino | Grueso"' in await ana.see(f"/console/views/{view}")
