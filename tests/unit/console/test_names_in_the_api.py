"""Programs are written against the API's description: its names must not follow our modules."""

from __future__ import annotations

from typing import get_args

from fastapi import FastAPI

from console.api import router
from console.api.tickets.views import ListComparison
from core.domain.views import LIST_COMPARISONS


def test_no_two_schemas_of_the_api_have_one_name() -> None:
    """FastAPI tells those of one name apart by the modules they are defined in."""
    application = FastAPI()
    application.include_router(router())
    names = application.openapi()["components"]["schemas"]
    assert [name for name in names if "__" in name] == []


def test_the_api_names_the_comparisons_that_lists_know() -> None:
    assert set(get_args(ListComparison)) == {str(one) for one in LIST_COMPARISONS}
