"""What is asked at the demonstration's desk, and how it is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.assistant import HandoffReason, TicketKind
from core.domain.ids import ArticleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One matter: what the requester says, what they are told, where it belongs."""

    language: str
    category: str
    said: str
    answer: str
    reason: HandoffReason = HandoffReason.PROBLEM_REPORTED
    kind: TicketKind = TicketKind.INCIDENT
    tags: Sequence[str] = ()
    shown: ArticleId | None = None  # what the assistant answered first, and did not help


CATEGORIES: Mapping[str, tuple[str | None, str, str]] = {
    "Hardware": (None, "Equipos", "Devices"),
    "Laptops": ("Hardware", "Portátiles", "Devices"),
    "Printers": ("Hardware", "Impresoras", "Devices"),
    "Software": (None, "Programas", "Applications"),
    "Licences": ("Software", "Licencias", "Applications"),
    "Access": (None, "Accesos", "Service desk"),
    "Network": (None, "Red", "Operations"),
    "VPN": ("Network", "VPN", "Operations"),
}
"""Categories by English name: the one above, the Spanish name, the team that usually has it."""

ASKED_BACK: Mapping[str, str] = {
    "en": "We are looking into it. Since when is it so, and do colleagues see it too?",
    "es": "Lo estamos mirando. ¿Desde cuándo pasa, y le pasa también a alguien cerca de usted?",
}
"""What agents ask before they can go on, by language."""

STORIES: Sequence[Story] = (
    Story(
        language="es",
        category="Laptops",
        said="El ordenador no arranca desde esta mañana: se oye el ventilador y la pantalla "
        "queda negra.",
        answer="Era la batería, que se había quedado bloqueada. La hemos desconectado un minuto y "
        "el equipo ya arranca. Si vuelve a pasar, escríbanos y la cambiamos.",
        tags=("no-arranca",),
    ),
    Story(
        language="en",
        category="Laptops",
        said="My laptop does not start any more. The light blinks three times, then nothing.",
        answer="Three blinks mean a memory module. Diego has put it back in its place, and the "
        "laptop starts again. Please tell us if it comes back.",
        tags=("does-not-start",),
    ),
    Story(
        language="es",
        category="Laptops",
        said="Mi portátil se apaga solo a los diez minutos de encenderlo.",
        answer="El conducto de aire estaba obstruido y el equipo se protegía del calor. Ya está "
        "limpio. Gracias por su paciencia.",
    ),
    Story(
        language="en",
        category="Printers",
        said="The printer on the second floor prints everything with a grey stripe.",
        answer="The drum was worn out and has been replaced. Your next page should be clean.",
    ),
    Story(
        language="es",
        category="Printers",
        said="La impresora de admisiones no responde; sale «sin conexión».",
        answer="Se había quedado con una dirección antigua. Le hemos fijado una y ya imprime.",
    ),
    Story(
        language="en",
        category="VPN",
        said="The VPN disconnects every few minutes when I work from home.",
        answer="Your profile still used the old gateway. The new one is on your laptop now: choose "
        "“Office EU” and it will stay connected.",
        reason=HandoffReason.NOT_HELPED,
        shown=ArticleId("vpn-does-not-connect"),
    ),
    Story(
        language="es",
        category="VPN",
        said="No puedo entrar por la VPN, dice que el certificado ha caducado.",
        answer="Hemos renovado su certificado. Reinicie el portátil y vuelva a conectarse.",
    ),
    Story(
        language="en",
        category="Access",
        said="I cannot sign in since I changed my password, and now the account is locked.",
        answer="Your account is open again. Your phone still tried the old password: please change "
        "it there too.",
        reason=HandoffReason.ASKED_FOR_HUMAN,
    ),
    Story(
        language="es",
        category="Access",
        said="Necesito acceso a la carpeta compartida de Facturación.",
        answer="Ya tiene acceso de lectura y escritura, con el visto bueno de su responsable.",
        reason=HandoffReason.REQUEST_FILED,
        kind=TicketKind.REQUEST,
    ),
    Story(
        language="en",
        category="Licences",
        said="Could I get a licence for the diagram software? I start a project on Monday.",
        answer="The licence is assigned to you. Sign in to the program with your work address.",
        reason=HandoffReason.REQUEST_FILED,
        kind=TicketKind.REQUEST,
    ),
    Story(
        language="es",
        category="Software",
        said="La aplicación de historias clínicas se cierra al abrir una radiografía.",
        answer="Faltaba una actualización del visor. Está instalada y comprobada con una imagen.",
    ),
    Story(
        language="en",
        category="Network",
        said="Wi-Fi is very slow in the reading room this week.",
        answer="An access point had failed and the others were full. It has been replaced.",
        reason=HandoffReason.NOT_HELPED,
        shown=ArticleId("connect-wifi"),
    ),
)
