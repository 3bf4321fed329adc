"""Knows what a message names that an agent wants to see at a glance: device, product, place, …

The names are found by the patterns and word lists of `nlu_data/nlu/entities.yml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from actions.turn import Turn

_TITLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "device": "Device",
            "product": "Product",
            "location": "Location",
            "asset_tag": "Asset tag",
            "date": "Date",
            "person": "Person",
        },
        "es": {
            "device": "Dispositivo",
            "product": "Producto",
            "location": "Lugar",
            "asset_tag": "Etiqueta de inventario",
            "date": "Fecha",
            "person": "Persona",
        },
    }
)


def details_told(turn: Turn) -> dict[str, str]:
    """Return the details of the matter by kind, in the order in which agents read them."""
    details = turn.details
    form = turn.form
    since = None if form is None else form.values.get("since")
    told = {name: details[name] for name in _TITLES["en"] if details.get(name)}
    if since and told.get("date") and told["date"] in since:
        del told["date"]  # the form's answer says it better
    return told


def detail_title(name: str, language: str) -> str:
    """Return what the detail `name` is called in `language`."""
    return _TITLES[language][name]
