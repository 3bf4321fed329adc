"""What states of assets are called; English keys."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.assets import AssetStatus

ASSET_STATUS: Mapping[str, str] = {
    AssetStatus.IN_USE: "In use",
    AssetStatus.IN_STOCK: "In stock",
    AssetStatus.IN_REPAIR: "In repair",
    AssetStatus.RETIRED: "Retired",
}

ASSET_ERRORS = (
    "an asset needs a tag",
    "an asset's tag, kind, model and serial have 200 characters at most",
    "notes have 5,000 characters at most",
    "the table needs a column with the heading Tag",
    "two columns of the table mean the same",
    "a table has 50,000 lines at most",
    "the file is not a table of comma-separated values",
    "there is no such status",
    "a date is written as 2030-12-31",
    "there is an asset with this tag already",
    "there is no requester with this e-mail address",
    "there is no organisation of this name",
    "nobody can tell in which characters this file is written",
)
