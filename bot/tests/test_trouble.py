"""Trouble with a thing, and the wish to have one."""

from __future__ import annotations

import pytest

from actions.trouble import reports_trouble


@pytest.mark.parametrize(
    "text",
    [
        "Quiero reportar un problema: mi ordenador no arranca",
        "quisiera informar de una avería en la impresora",
        "necesito ayuda con mi portátil",
        "necesito que me arreglen el teléfono",
        "quiero que revisen mi pantalla, se ha roto",
        "mi computadora está dañada y necesito trabajar",
        "I want to report a problem with my laptop",
        "I'd like to log an incident about the printer",
        "I need help with my laptop",
        "I need someone to fix my phone",
        "my screen is broken and I need it for a meeting",
        "we need to work but the printer won't start",
        "my new laptop does not start, I need to work",
        "mi portátil nuevo no arranca y lo necesito",
        "no me funciona el teléfono, necesito llamar a otro cliente",
        "mi compu no jala y la necesito",
        "se descompuso la impresora, necesito imprimir",
        "se malogró mi laptop y necesito trabajar",
        "quiero levantar un reporte de mi laptop",
        "necesito que me compongan la laptop",
        "el portátil no va y lo necesito ya",
        "ha dejado de funcionar el ratón y lo necesito",
        "quiero poner una incidencia del portátil",
        "quiero dar parte de una avería del teléfono",
        "no está funcionando la impresora, necesito imprimir",
        "I need urgent help with my phone",
        "we need technical support with the monitor",
        "I want my screen fixed",
        "necesito mucha ayuda con el portátil",
        "necesitamos de su ayuda con la impresora",
    ],
)
def test_a_report_of_trouble_is_told_from_a_wish(text: str) -> None:
    assert reports_trouble(text)


@pytest.mark.parametrize(
    "text",
    [
        "necesito un portátil nuevo",
        "mi ratón está roto, necesito otro",
        "se me rompió la pantalla y quiero una nueva",
        "necesito acceso a la carpeta de finanzas",
        "quiero una licencia de Photoshop",
        "I need a new laptop",
        "my mouse is broken, I need a replacement",
        "please order a second screen",
        "I'd like access to the report folder",
        "we need a license for the help desk software",
        "I need help ordering a laptop",
        "necesito ayuda para pedir un portátil",
        "necesito un cargador, mi portátil no carga",
        "I need a charger, my laptop won't charge",
        "I need a headset. Mine is broken",
        "mi ratón está roto, necesito cambiarlo",
        "I need my laptop replaced, it is broken",
        "necesito un monitor, el mío se dañó",
        "my phone is dead, I need a loaner",
        "necesito acceso para revisar los informes",
        "I need access to the system to log an incident",
        "I need a license to open error logs",
    ],
)
def test_a_wish_is_not_taken_for_a_report_of_trouble(text: str) -> None:
    assert not reports_trouble(text)
