"""Tells trouble with a thing from the wish to have one; both name the thing, and say "I need".

It decides only whether the catalogue is offered first: who is taken wrongly is still answered.
"""

from __future__ import annotations

import re

from components.folding import plain

_PROBLEM = (
    r"(?:problem|issue|incident|fault|bug|failure|problema|incidencia|incidente|fallo|falla|averia"
    r"|desperfecto|reporte|ticket|error)s?"
)
_REPORTS = re.compile(
    # "report a problem", "quiero levantar un reporte", "dar parte de una averia"
    r"\b(?:want|like|need|have|here) to (?:report|log|raise|open|file|register)"
    rf" (?:an? |the |this |my )?(?:\w+ )?{_PROBLEM}\b"
    r"|^(?:report|log|reporting)\b"
    r"|\b(?:reportar|informar|avisar|notificar|registrar|abrir|levantar|comunicar|poner|dar parte)"
    rf" (?:de |sobre )?(?:una? |el |la |este |esta |mi )?(?:\w+ )?{_PROBLEM}\b"
    # help with something, rather than help to get it
    r"|\bneeds? (?:\w+ ){0,3}(?:help|support|assistance)(?! (?:\w+ing|to)\b)"
    r"|\b(?:necesit|quier|quisier|requier)\w* (?:de )?(?:\w+ ){0,2}(?:ayuda|soporte|asistencia)"
    r"(?! para (?:pedir|solicitar|comprar|conseguir|obtener)\b)\b"
    # to be mended
    r"|\b(?:you|someone|somebody) to (?:fix|repair|look at|check)\b"
    r"|\b(?:needs?|wants?|like) (?:\w+ ){0,3}(?:to be )?(?:fixed|repaired|looked at)\b"
    r"|\bque (?:me |nos |lo |la )?(?:arregl|repar|revis|compon|compong)\w+\b"
    r"|\b(?:arregl|repar|compon)(?:ar|er)(?:me|lo|la|nos)?\b"
)
_BROKEN = re.compile(
    r"\b(?:does not|doesn'?t|do not|don'?t|won'?t|will not|is not|isn'?t|not) (?:\w+ )?"
    r"(?:work|start|turn on|switch on|boot|charge|power on|respond|open|load)(?:s|ing)?\b"
    r"|\b(?:is|are|got|it's) (?:broken|damaged|frozen|dead|cracked)\b"
    r"|\bstopped (?:working|charging)\b|\bkeeps? (?:\w+ing)\b"
    r"|\bno (?:me |nos |se )?(?:funciona|arranca|enciende|prende|inicia|responde|carga|abre|anda"
    r"|sirve|jala|va|esta funcionando)n?\b"
    r"|\b(?:esta|estan|quedo) (?:rot|averiad|danad|estropead|colgad|congelad|malograd)[oa]s?\b"
    r"|\bse (?:me |nos )?(?:ha )?(?:rompio|roto|dano|danado|averio|averiado|estropeo|estropeado"
    r"|descompuso|descompuesto|malogro|malogrado|cuelga|traba|congela|apaga)\b"
    r"|\b(?:dejo|ha dejado) de funcionar\b"
)
_TO_HAVE = re.compile(
    # "I need a charger", "necesito unos auriculares", "quiero uno nuevo": a thing to be had
    r"\b(?:need|want|like|require|order|get me|give me)s? (?:\w+ )?(?:an?|another|one|some|new)\b"
    r"|\b(?:necesit|quier|quisier|requier)\w* (?:un|una|unos|unas|uno|otro|otra|otros|otras|nuev"
    r"[oa]s?|mas)\b"
    r"|\b(?:me|nos) (?:hace|hacen) falta (?:un|una|unos|unas|otr[oa]s?)\b"
    r"|\b(?:replac|reempla|sustitu|remplaz)\w+\b|\b(?:cambiar|cambien|cambio de|recambio|repuesto)"
    r"|\bloaner\b|\bprestado\b"
)


def reports_trouble(text: str) -> bool:
    """Say whether `text` is about something to be mended, not about something to be had.

    A thing that is broken may still be the reason to ask for another one.
    """
    said = plain(text)
    if _TO_HAVE.search(said) and not _REPORTS.search(said):
        return False
    return _REPORTS.search(said) is not None or _BROKEN.search(said) is not None
