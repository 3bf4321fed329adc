"""The JSON API has the paths that are promised, each described."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx

from core.domain.actor import Role
from tests.integration.console.world import Desk


async def test_every_promised_path_is_there_and_no_other_and_every_operation_described(
    desk: Desk,
) -> None:
    async with desk.client() as client:
        paths = (await client.get("/api/openapi.json")).json()["paths"]
    assert set(paths) == {
        "/api/v1/agents",
        "/api/v1/agents/{agent}",
        "/api/v1/agents/{agent}/disable",
        "/api/v1/agents/{agent}/enable",
        "/api/v1/agents/{agent}/presence",
        "/api/v1/agents/{agent}/sign-in-link",
        "/api/v1/approval-roles",
        "/api/v1/approval-roles/{role}",
        "/api/v1/approvals",
        "/api/v1/assets",
        "/api/v1/assets/export.csv",
        "/api/v1/assets/import",
        "/api/v1/assets/{asset}",
        "/api/v1/assistant/examples",
        "/api/v1/assistant/examples/counts",
        "/api/v1/assistant/examples/{example}",
        "/api/v1/assistant/intents",
        "/api/v1/assistant/tolerance",
        "/api/v1/assistant/tolerance/outlook",
        "/api/v1/assistant/topics",
        "/api/v1/assistant/topics/{topic}",
        "/api/v1/assistant/topics/{topic}/articles",
        "/api/v1/assistant/topics/{topic}/dismiss",
        "/api/v1/assistant/topics/{topic}/examples",
        "/api/v1/assistant/topics/{topic}/problem",
        "/api/v1/assistant/topics/{topic}/questions",
        "/api/v1/assistant/topics/{topic}/reopen",
        "/api/v1/assistant/turns",
        "/api/v1/assistant/turns/counts",
        "/api/v1/assistant/versions",
        "/api/v1/assistant/versions/{version}",
        "/api/v1/assistant/versions/{version}/give-up",
        "/api/v1/assistant/versions/{version}/use",
        "/api/v1/audit",
        "/api/v1/audit/export.csv",
        "/api/v1/bulk/tickets",
        "/api/v1/calendars",
        "/api/v1/calendars/{calendar}",
        "/api/v1/calendars/{calendar}/due",
        "/api/v1/calendars/{calendar}/windows",
        "/api/v1/catalogue",
        "/api/v1/catalogue/{item}",
        "/api/v1/catalogue/{item}/requests",
        "/api/v1/catalogue/{item}/restore",
        "/api/v1/categories",
        "/api/v1/categories/{category}",
        "/api/v1/categories/{category}/fields",
        "/api/v1/categories/{category}/fields/{field}",
        "/api/v1/categories/{category}/restore",
        "/api/v1/closing-rule",
        "/api/v1/conversations",
        "/api/v1/conversations/{conversation}",
        "/api/v1/conversations/{conversation}/hand-back",
        "/api/v1/conversations/{conversation}/messages",
        "/api/v1/conversations/{conversation}/spam",
        "/api/v1/conversations/{conversation}/take-over",
        "/api/v1/files",
        "/api/v1/files/{attachment}",
        "/api/v1/hooks/{token}",
        "/api/v1/incoming-webhooks",
        "/api/v1/incoming-webhooks/{hook}",
        "/api/v1/incoming-webhooks/{hook}/address",
        "/api/v1/knowledge/articles",
        "/api/v1/knowledge/articles/{article}",
        "/api/v1/knowledge/search",
        "/api/v1/knowledge/synonyms",
        "/api/v1/knowledge/synonyms/{synonyms}",
        "/api/v1/macros",
        "/api/v1/macros/{macro}",
        "/api/v1/messages/{message}",
        "/api/v1/notices",
        "/api/v1/notices/access",
        "/api/v1/notices/chat",
        "/api/v1/notices/chat/code",
        "/api/v1/notices/chat/proof",
        "/api/v1/notices/count",
        "/api/v1/notices/read",
        "/api/v1/notices/wishes",
        "/api/v1/organisations",
        "/api/v1/organisations/{organisation}",
        "/api/v1/organisations/{organisation}/restore",
        "/api/v1/plans",
        "/api/v1/plans/{plan}",
        "/api/v1/plans/{plan}/restore",
        "/api/v1/problems",
        "/api/v1/priorities",
        "/api/v1/reports",
        "/api/v1/reports/export.csv",
        "/api/v1/reports/backlog",
        "/api/v1/reports/backlog.csv",
        "/api/v1/requesters",
        "/api/v1/requesters/{contact}",
        "/api/v1/requesters/{contact}/merges",
        "/api/v1/requesters/{contact}/merges/{merge}",
        "/api/v1/routing/dry-run",
        "/api/v1/routing/policy",
        "/api/v1/routing/rules",
        "/api/v1/routing/rules/{rule}",
        "/api/v1/routing/rules/{rule}/disable",
        "/api/v1/routing/rules/{rule}/enable",
        "/api/v1/routing/rules/{rule}/move",
        "/api/v1/rules",
        "/api/v1/rules/dry-run",
        "/api/v1/rules/{rule}",
        "/api/v1/rules/{rule}/dry-run",
        "/api/v1/rules/{rule}/move",
        "/api/v1/rules/{rule}/runs",
        "/api/v1/satisfaction",
        "/api/v1/search",
        "/api/v1/sla-policies",
        "/api/v1/sla-policies/order",
        "/api/v1/sla-policies/{policy}",
        "/api/v1/spam",
        "/api/v1/survey-rules",
        "/api/v1/tags",
        "/api/v1/teams",
        "/api/v1/teams/{team}",
        "/api/v1/teams/{team}/archive",
        "/api/v1/teams/{team}/members/{agent}",
        "/api/v1/teams/{team}/restore",
        "/api/v1/tickets",
        "/api/v1/tickets/export.csv",
        "/api/v1/tickets/{ticket}",
        "/api/v1/tickets/{ticket}/approval",
        "/api/v1/tickets/{ticket}/approval/ask-again",
        "/api/v1/tickets/{ticket}/assign",
        "/api/v1/tickets/{ticket}/escalate",
        "/api/v1/tickets/{ticket}/follow-up",
        "/api/v1/tickets/{ticket}/history",
        "/api/v1/tickets/{ticket}/link-codes",
        "/api/v1/tickets/{ticket}/links",
        "/api/v1/tickets/{ticket}/links/{link}",
        "/api/v1/tickets/{ticket}/macros",
        "/api/v1/tickets/{ticket}/macros/{macro}",
        "/api/v1/tickets/{ticket}/merges",
        "/api/v1/tickets/{ticket}/notes",
        "/api/v1/tickets/{ticket}/policy",
        "/api/v1/tickets/{ticket}/problem-updates",
        "/api/v1/tickets/{ticket}/promises",
        "/api/v1/tickets/{ticket}/replies",
        "/api/v1/tickets/{ticket}/request",
        "/api/v1/tickets/{ticket}/return-to-bot",
        "/api/v1/tickets/{ticket}/sides",
        "/api/v1/tickets/{ticket}/sides/{conversation}/replies",
        "/api/v1/tickets/{ticket}/spam",
        "/api/v1/tickets/{ticket}/status",
        "/api/v1/tickets/{ticket}/suggestions",
        "/api/v1/tickets/{ticket}/take",
        "/api/v1/tickets/{ticket}/tasks/{task}/done",
        "/api/v1/tickets/{ticket}/split",
        "/api/v1/tickets/{ticket}/rejoin",
        "/api/v1/tickets/{ticket}/unmerge",
        "/api/v1/tickets/{ticket}/watchers",
        "/api/v1/tickets/{ticket}/watchers/{agent}",
        "/api/v1/tokens",
        "/api/v1/tokens/{key}",
        "/api/v1/views",
        "/api/v1/views/{view}",
        "/api/v1/views/{view}/export.csv",
        "/api/v1/views/{view}/tickets",
        "/api/v1/webhooks",
        "/api/v1/webhooks/{webhook}",
        "/api/v1/webhooks/{webhook}/calls",
        "/api/v1/webhooks/{webhook}/calls/{call}",
        "/api/v1/webhooks/{webhook}/secret",
        "/api/v1/webhooks/{webhook}/calls/{call}/repeat",
    }
    undescribed = [
        f"{method} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if not operation.get("description")
    ]
    assert undescribed == []


async def test_health_is_told_without_a_token(desk: Desk) -> None:
    async with desk.client() as client:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert ready.json() == {"ready": True, "components": {"database": "up"}}


async def test_only_this_machine_and_tokens_are_told_of_accounts(desk: Desk) -> None:
    async def readiness() -> dict[str, Any]:
        return {"ready": True, "components": {}, "accounts": {"mail": {"state": "degraded"}}}

    desk.app.state.console = replace(desk.app.state.console, readiness=readiness)
    good = await desk.access.create_token("ana@example.org", Role.AGENT)
    for remote, token, is_told in (
        ("127.0.0.1", None, True),
        ("203.0.113.9", None, False),
        ("203.0.113.9", "nonsense", False),
        ("203.0.113.9", good, True),
    ):
        transport = httpx.ASGITransport(desk.app, client=(remote, 50_000))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            answer = await client.get("/readyz", headers=headers)
        assert (answer.status_code, "accounts" in answer.json()) == (200, is_told), remote
