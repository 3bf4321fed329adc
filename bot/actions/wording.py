"""Knows what the small words of English and Spanish tell: questions, references, how much is said.

Only words of the closed classes stand here (articles, pronouns, prepositions, auxiliaries and the
like), so that what follows from them holds for any subject.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from components.folding import plain

_ENGLISH = (
    "a an the this that these those it its he she they them his her their i me my mine we us our"
    " you your one ones some any all both same other another so such there here then now again"
    " and or but if as than too also just only even still yet very more most much many"
    " of in on at to from for with without by about into per via"
    " is are was were be been being am do does did done have has had having can could will would"
    " shall should may might must not no nor don't doesn't didn't can't won't isn't aren't"
    " what which who whom whose when where why how please thanks hi hello hey ok okay well"
    " i'm i've i'd it's that's what's there's let let's"
)
_SPANISH = (  # folded
    "el la los las lo un una unos unas este esta esto estos estas ese esa eso esos esas aquel"
    " aquella aquello yo tu usted ustedes el ella ellos ellas nosotros me te se nos les le mi mis"
    " su sus tus y e o u ni pero si como que porque cuando donde quien cual cuales cuanto cuanta"
    " de del a al en con sin por para desde hasta sobre entre hacia tambien tampoco ademas asi muy"
    " mas menos ya aun todavia solo otra otro otros otras mismo misma todo todos toda todas algo"
    " es son era eran fue ser estar esta estan estaba soy estoy hay ha han he haber hace hacer"
    " puedo puede pueden podria debo debe tengo tiene tienen no gracias favor hola bueno vale"
)
_SMALL = frozenset((*_ENGLISH.split(), *_SPANISH.split()))
_REFERS = re.compile(
    # A pronoun that stands for something said before, not one that announces what follows.
    r"\b(?:that|it|this|those|these|they|them|one|ones|there|eso|esa|ese|esos|esas|esto|este|ahi"
    r"|alli|lo mismo|los mismos|la misma|el mismo|igual|the same)\b"
)
_CONTINUES = re.compile(
    r"(?:and|or|but|so|also|then|what about|how about|what if|same|y|e|o|pero|entonces|tambien"
    r"|tampoco|que (?:tal|pasa|hay)|que)\b"
)
_ASKS = re.compile(
    r"(?:and |or |but |so |also |please |y |e |o |pero |hola,? |hello,? |hi,? )*(?:"
    r"(?:how|what|where|when|why|which|who)(?:'s)? (?:do|does|did|is|are|was|can|could|should|would"
    r"|will|to|long|much|many|often|about|if|happens|kind|type|about)\b"
    r"|(?:can|could|may|should|do|does|did|is|are|will|would) (?:i|you|we|he|she|it|they|the|my"
    r"|there|this|that|anyone|someone)\b|what's\b|how's\b|where's\b"
    r"|(?:por que|para que|de que|a que|cual(?:es)?|quien(?:es)?|cuant[oa]s?) \w+"
    r"|(?:como|donde) (?:puedo|puede|podemos|se|hago|hay|es|son|debo|tengo|tiene|esta|funciona"
    r"|necesito|instalo|configuro|cambio|pido|solicito|consigo|conecto|imprimo)\b"
    r"|(?:cuando|que) (?:puedo|debo|hago|es|son|hay|pasa|significa)\b"
    r"|(?:puedo|puede|podria|podrias|se puede|hay|es posible|debo|tengo que)\b.*\?)"
)
_ASKS_WITH_ACCENT = re.compile(
    r"\b(?:cómo|qué|dónde|cuándo|cuánt[oa]s?|cuál(?:es)?|quién(?:es)?)\b"
)
_NEEDS = re.compile(
    r"\b(?:i|we|she|he|they)(?:'d| would| will|'ll)? (?:also )?(?:need|want|like|require)s?\b"
    r"|^(?:please )?(?:order|get me|give me)\b"
    r"|\b(?:necesito|necesitamos|necesita|quiero|queremos|quisiera|me hace falta|nos hace falta"
    r"|requiero|me gustaria|pide|pidan|pidanme)\b"
)
_ORDINALS = MappingProxyType(
    {
        0: r"(?:the )?(?:1|1st|first)(?: one)?|(?:el|la|lo)? ?(?:1|1o|primer[oa]?)",
        1: r"(?:the )?(?:2|2nd|second)(?: one)?|(?:el|la|lo)? ?(?:2|2o|segund[oa])",
        2: r"(?:the )?(?:3|3rd|third|last)(?: one)?|(?:el|la|lo)? ?(?:3|3o|tercer[oa]?|ultim[oa])",
    }
)
_WORD = re.compile(r"[^\W_][\w'’-]*")


def words_of(text: str) -> list[str]:
    """Return the words of `text`, folded."""
    return _WORD.findall(plain(text))


def telling_words(text: str) -> list[str]:
    """Return the words of `text` that say what it is about."""
    return [word for word in words_of(text) if word not in _SMALL]


def is_question(text: str) -> bool:
    """Say whether `text` asks something, with or without its question mark."""
    if text.strip().endswith("?") or text.lstrip().startswith("¿"):
        return True
    if _ASKS_WITH_ACCENT.match(text.strip().lower()):
        return True
    return _ASKS.match(plain(text)) is not None


def continues(text: str) -> bool:
    """Say whether `text` begins as the rest of something said before: "and …?", "what about …?"."""
    return _CONTINUES.match(plain(text)) is not None


def refers_back(text: str) -> bool:
    """Say whether `text` stands on something said before: "and …?", "how long does that take?"."""
    return continues(text) or _REFERS.search(plain(text)) is not None


def states_a_need(text: str) -> bool:
    """Say whether `text` says that somebody needs or wants something."""
    return _NEEDS.search(plain(text)) is not None and not is_question(text)


def place_named(text: str) -> int | None:
    """Return the place in a short list that `text` names and nothing else, from 0; or None."""
    said = plain(text).strip(" .!")
    return next((place for place, words in _ORDINALS.items() if re.fullmatch(words, said)), None)
