"""Programs are written against the API's description: its names must not follow our modules."""

from __future__ import annotations

from fastapi import FastAPI

from console.api import router


def test_no_two_schemas_of_the_api_have_one_name() -> None:
    """FastAPI tells those of one name apart by the modules they are defined in."""
    application = FastAPI()
    application.include_router(router())
    names = application.openapi()["components"]["schemas"]
    assert [name for name in names if "__" in name] == []
