"""Knows what a wish for a form says of the matter itself."""

from __future__ import annotations

import re

from actions.wording import telling_words

_MIN_WORDS = 3
_LEAD = re.compile(
    r"^.*?\b(?:report|raise|open|log|file|create|submit|reportar|abrir|crear|poner|registrar"
    r"|notificar|levantar|solicitar|hacer)\b[^:,.;\n-]*?\b(?:problems?|issues?|tickets?|incidents?"
    r"|faults?|requests?|problemas?|incidencias?|incidentes?|averias?|aver[ií]as?|solicitud(?:es)?"
    r"|petici[oó]n(?:es)?)\b\s*(?:[:,.;\n-]+|\b(?:with|about|because|that|con|sobre|porque|de que"
    r"|que)\b)\s*",
    re.IGNORECASE | re.DOTALL,
)


_ENGLISH = (
    "request requests report ticket tickets problem problems issue issues incident fault bug case"
    " something anything thing service form new technical need want wanna like open raise log"
    " file create make submit place put start register order notify complaint equipment support"
    " material get give"
)
_SPANISH = (
    "solicitud solicitudes peticion pedido requerimiento reporte reportar problema problemas"
    " incidencia incidente averia falla fallo caso algo servicio formulario nueva nuevo tecnico"
    " necesito quiero quisiera gustaria abrir crear poner registrar notificar levantar solicitar"
    " pedir hacer ingresar enviar encargar informar dar alta abre crea abreme abrime equipo aqui"
    " puedes podes podrias favor porfa buenas haceme hazme registra nombre material generar"
    " abrirme comunicar denunciar parte"
)
_GENERIC = frozenset((*_ENGLISH.split(), *_SPANISH.split()))
"""What a wish for the form itself consists of."""


def said_along(text: str, kind: str) -> str | None:
    """Return what a wish for a form of `kind` says of the matter itself, or None."""
    lead = _LEAD.match(text)
    if lead:
        rest = text[lead.end() :].strip()
        return rest if len(rest.split()) >= _MIN_WORDS else None
    # "I need a mouse" says it all; of a problem, one word is more likely a slip.
    least = 1 if kind == "request" else 2
    return text.strip() if len(set(telling_words(text)) - _GENERIC) >= least else None
