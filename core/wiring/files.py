"""How the desk takes files in, as its settings have it."""

from __future__ import annotations

from core.adapters.blobs import ObjectBlobs
from core.adapters.clamav import Clamd
from core.runtime.machine.home import Home
from core.services.files.inspection import InspectionRules
from core.services.files.loose import LooseBlobs
from core.services.files.vault import Vault
from core.settings import Settings
from core.storage.engine import Sessions


def vault_of(settings: Settings, blobs: ObjectBlobs, sessions: Sessions) -> Vault:
    """Return what files are taken in through."""
    return Vault(
        blobs,
        InspectionRules(
            max_bytes=settings.max_file_bytes, refused_endings=settings.refused_endings
        ),
        Home.at(settings.home).root / "incoming",
        LooseBlobs(sessions, blobs),
        Clamd(settings.clamd) if settings.clamd else None,
    )
