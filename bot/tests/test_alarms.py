"""What must not be missed, and what only looks like it."""

from __future__ import annotations

import re

import pytest
import yaml
from assistant_process import BOT

from components.alarms import ALARMS, BY_LANGUAGE, recognise
from components.folding import MAX_CHARS, plain
from components.spelling.mending import Examples, Mender
from inputs.turn import LANGUAGES

KEPT = yaml.safe_load((BOT / "tests" / "data" / "alarms.yml").read_text())
LETTER = "Good morning,\n\nthe report of last month does not print on the printer of floor two. "

SAID = {
    "ask_human": [
        "human please",
        "HUMAN",
        "agente",
        "un agente, por favor",
        "I have tried everything in your article and would now like to speak to a person, thanks",
        "can I talk to someone?",
        "please put me through to an operator",
        "I don't want to talk to a bot, I want a human",
        "quiero hablar con una persona",
        "¿me puede pasar con un asesor?",
        "no quiero hablar con un robot, quiero hablar con una persona real",
        "que me llame alguien",
        "ponme con un humano ya",
        "necesito hablar con alguien de sistemas",
    ],
    "emergency": [
        "there is a fire in the server room",
        "FIRE!!!",
        "my laptop is on fire",
        "I smell gas near the lab",
        "there's smoke coming out of the socket",
        "a colleague has collapsed and is not breathing",
        "someone is hurt, call an ambulance",
        "hay un incendio en la cocina",
        "huele mucho a gas en el pasillo",
        "sale humo del enchufe",
        "un compañero está herido",
        "se ha desmayado una alumna",
        "Hola, perdón por molestar, pero creo que hay fuego en el almacén",
    ],
    "security_incident": [
        "I clicked on a phishing link",
        "I think I opened a suspicious attachment",
        "my account has been hacked",
        "someone stole my laptop",
        "I lost my work phone on the train",
        "my laptop was stolen",
        "we have ransomware",
        "i typed my password into a fake page",
        "hice clic en un enlace sospechoso",
        "me hackearon la cuenta",
        "me robaron el portátil",
        "robaron mi portátil",
        "perdí el celular de la empresa",
        "he puesto mi contraseña en una página falsa",
        "tengo un virus en el ordenador",
    ],
    "self_harm": [
        "I want to kill myself",
        "i dont want to live anymore",
        "thinking about suicide",
        "quiero morirme",
        "ya no quiero vivir",
        "pienso en suicidarme",
    ],
    "angry": [
        "fuck this",
        "you are useless",
        "this is absolutely ridiculous, I am furious",
        "eres un inútil",
        "esto es una mierda",
        "estoy harta de este servicio",
    ],
}

MISSPELT = {
    "self_harm": [
        "I want to kill mysefl",
        "i have been thinking about sucide",
        "tengo ganas de matamre",
        "creo que quiero morr",
        "ya no quiero seguir viivendo",
    ],
    "emergency": [
        "theer is a fire in the kitchen",
        "the printer is buning",
        "se prendió fueog la regleta",
        "hay un incndio en el taller",
        "hay muucho humo en el sótano",
        "necesitamos una amublancia",
        "amenaza de boma en el edificio",
    ],
    "security_incident": [
        "I cliked on a suspiscious link",
        "my acount has been haked",
        "me robbaron el portátil",
        "abrí un adjunto sospehcoso",
        "hay un virsu en mi ordenador y una brehca de datos",
    ],
    "ask_human": [
        "quiero ablar con una persona",
        "let me speka to a huuman",
        "necesito hablar con algiuen",
        "opertaor please",
    ],
    "angry": ["esto es una mierrda", "this is absolutley ridiculus", "estoy hartaa de esto"],
}

NOT_SAID = [
    "how do I recognise phishing?",
    "what should I do if my laptop is stolen?",
    "what happens if I lose my phone?",
    "what to do in case of fire",
    "when is the next fire drill?",
    "the firewall blocks a site",
    "how do I contact human resources?",
    "are you a human?",
    "am I talking to a person?",
    "I don't need to talk to a person, thanks",
    "travel agent for business trips",
    "how to add a person to a distribution list",
    "I lost my laptop charger",
    "I lost my charger",
    "the screen of my laptop flickers",
    "the battery of my laptop dies",
    "my password expired",
    "mi portátil no enciende",
    "la pantalla de mi portátil parpadea",
    "perdí el cargador de mi portátil",
    "lost connection to the vpn",
    "this may be a stupid question, but how do I print?",
    "suicide prevention training",
    "he was fired last week, how do I close his account?",
    "my phone number changed",
    "¿cómo reconozco un correo de phishing?",
    "¿qué hago si me roban el portátil?",
    "¿qué hago en caso de incendio?",
    "simulacro de incendio",
    "¿cómo contacto con recursos humanos?",
    "¿eres una persona?",
    "¿estoy hablando con una persona?",
    "no quiero hablar con una persona",
    "cómo agrego una persona a una lista",
    "agencia de viajes de la empresa",
    "hijo de empleado: ¿tiene seguro?",
    "mi madre perdió la tarjeta de la biblioteca",
    "una pregunta tonta: ¿cómo imprimo?",
    "vpn",
    "how do I reconise phishing?",
    "simualcro de incendio",
    "cambiar idioa",
    "el pumto de encuentro",
    "se quefa colgado",
    "which software is frre for students?",
    "where can I roder a new chair?",
    "quiero contarme entre ellos",
    "probaron mi portátil y funciona",
    "open https://example.org/matamre or write to persna@example.org",
    "contraseña",
    "la foire est ouverte",
    "wo ist die foire",
    "foire",
    "Fiore!",
    "fungo",
    "das weiß jeder",
    "jeder",
    "",
]


@pytest.mark.parametrize(
    ("intent", "text"), [(i, text) for i, all_ in SAID.items() for text in all_]
)
def test_it_is_recognised(intent: str, text: str) -> None:
    assert recognise(text) == intent


@pytest.mark.parametrize(
    ("intent", "text"), [(i, text) for i, all_ in MISSPELT.items() for text in all_]
)
def test_it_is_recognised_when_it_is_misspelt(intent: str, text: str) -> None:
    assert recognise(text) == intent


@pytest.mark.parametrize("text", ["fier", "Fier!!", "fir", "fiire", "incendiou", "fuegoo", "humna"])
def test_an_alarm_of_one_misspelt_word_is_heard(text: str) -> None:
    words = Examples.of(["there is a fire", "hay un incendio", "fuego", "fire", "human"])
    meant = Mender(words, list(BY_LANGUAGE)).mended(text)
    assert recognise(text, meant if meant != text else None) in ("emergency", "ask_human")


@pytest.mark.parametrize("text", ["foire", "Fiore!", "frego"])
def test_a_word_of_another_language_alone_raises_no_alarm(text: str) -> None:
    words = Examples.of(["there is a fire", "hay un incendio", "fuego", "fire"])
    assert Mender(words, list(BY_LANGUAGE)).mended(text) == text
    assert recognise(text) is None


@pytest.mark.parametrize("text", NOT_SAID)
def test_what_only_looks_urgent_is_left_to_the_classifier(text: str) -> None:
    assert recognise(text) is None


@pytest.mark.parametrize(
    ("intent", "text"), [(i, text) for i, all_ in KEPT["alarms"].items() for text in all_]
)
def test_a_kept_alarm_is_recognised(intent: str, text: str) -> None:
    assert recognise(text) == intent


@pytest.mark.parametrize("text", KEPT["harmless"])
def test_a_figure_of_speech_is_no_alarm(text: str) -> None:
    assert recognise(text) is None


@pytest.mark.parametrize(
    ("intent", "text"), [(i, text) for i, all_ in KEPT["alarms"].items() for text in all_]
)
def test_an_alarm_is_found_anywhere_in_a_long_letter(intent: str, text: str) -> None:
    before, after = LETTER * 60, LETTER * 100
    for place in (1, 51, 52, 60):
        letter = f"{LETTER * place}{text}. {after}"
        assert recognise(letter[:MAX_CHARS]) == intent, place
    assert recognise(before + after) is None


@pytest.mark.parametrize(
    "unit",
    [
        "i ",
        "if lost ",
        "someone is ",
        "que hago si ",
        "fire alarm ",
        "clicked ",
        "a" * 9,
        "persna ",
    ],
)
def test_no_text_takes_long(unit: str) -> None:
    """A pattern that backtracks would hang here; the run's own time limit tells."""
    assert recognise(unit * MAX_CHARS) is None


def test_an_alarm_itself_is_heard_in_any_language_around() -> None:
    text = "bonjour, je suis dans le bureau et my laptop is on fire, je ne sais pas quoi faire"
    assert recognise(text) == "emergency"


@pytest.mark.parametrize("text", ["there is a f\u0456re here", "I smell sm\u043eke", "fi\u200bre!"])
def test_letters_that_look_alike_and_those_that_show_nothing_hide_no_alarm(text: str) -> None:
    assert recognise(text) == "emergency"


def test_other_alphabets_stay_what_they_are() -> None:
    assert plain("Я не могу воити") == "я не могу воити"


def test_every_language_has_wordings_for_every_alarm() -> None:
    assert set(BY_LANGUAGE) == set(LANGUAGES)
    for rules in BY_LANGUAGE.values():
        assert set(rules) == set(ALARMS)
        assert all(rule.said for rule in rules.values())


@pytest.mark.parametrize("alarm", ALARMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_cases_for_every_alarm(language: str, alarm: str) -> None:
    """A case is of a language where one of its own wordings is in it."""
    said = BY_LANGUAGE[language][alarm].said
    cases = [*KEPT["alarms"].get(alarm, ()), *SAID.get(alarm, ())]
    own = [case for case in cases if any(re.search(words, plain(case)) for words in said)]
    assert len(own) >= 3


@pytest.mark.parametrize(
    ("typed", "meant", "intent"),
    [
        ("am I chattiing with a real person?", "am I chatting with a real person?", None),
        ("cóno instalo la vpn", "cómo instalo la vpn", None),
        ("speal to a prson", "speak to a person", "ask_human"),
        ("thre is smkoe here", "there is smoke here", "emergency"),
        ("I want to die", "I want to dye", "self_harm"),
    ],
)
def test_what_the_pipeline_mended_is_read_too(typed: str, meant: str, intent: str | None) -> None:
    assert recognise(typed, meant) == intent
