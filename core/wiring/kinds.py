"""Which kinds of channel there are, and where their code is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from core.ports import ChannelKind

MODULES: Mapping[str, str] = MappingProxyType(
    {
        "slack": "channels.slack.kind",
        "telegram": "channels.telegram.kind",
        "email": "channels.email.kind",
    }
)


class Kinds(Mapping[str, ChannelKind]):
    """Kinds by name. A kind's code is imported when it is first asked for: it may be large."""

    def __init__(self, modules: Mapping[str, str] = MODULES) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> ChannelKind:
        """Return the kind; `KeyError` where there is none."""
        kind: ChannelKind = import_module(self._modules[name]).KIND
        return kind

    def __contains__(self, name: object) -> bool:
        """Say whether there is such a kind, without importing it."""
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)
