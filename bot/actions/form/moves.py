"""Knows what a message says to a form: an answer, a correction, a step back, the last yes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from actions.form.fields import URGENCIES, Field, called, names_a_time, read_urgency
from actions.form.state import Form
from actions.wording import is_question
from components.folding import plain

CONFIRM = "confirm"  # what the buttons under the summary answer
CHANGE = "change"  # what the buttons that name a field answer
PLAIN_KINDS = frozenset({"urgency", "choice", "number", "date"})
"""Kinds of fields whose answers cannot be mistaken for anything else."""

SKIPPED = ""  # the value of an optional field that was passed over

_SHORT = 4  # words

_BACK = re.compile(
    r"(?:please |can (?:we|you|i) |por favor |podemos |puedo )?(?:go |take (?:me|it) )?"
    r"(?:one step )?"
    r"(?:back|previous(?: question)?|atras|volver(?: atras)?|vuelve(?: atras)?|vuelva(?: atras)?"
    r"|volve(?: atras)?|regresar|regresa|regrese|anterior|pregunta anterior|un paso atras|undo"
    r"|deshacer)(?: please| one step| por favor)?"
)
_SEND = re.compile(
    r"(?:yes|yep|yeah|ok|okay|sure|correct|right|that'?s (?:right|correct)|all (?:good|right)"
    r"|looks good|perfect|go ahead|(?:please )?(?:send|submit|file)(?: it)?|si|vale|dale|claro"
    r"|correcto|esta bien|todo bien|todo correcto|perfecto|adelante|de acuerdo|enviar|envialo"
    r"|envielo|enviala|enviela|mandalo|listo|👍|✅)"
    r"(?:,? (?:yes|please|thanks|thank you|send it|submit it|por favor|gracias|envialo|envielo))*"
)
_NO = re.compile(r"(?:no|nope|nah|wrong|incorrect|mal|incorrecto|👎)(?:,? (?:thanks|gracias))?")
_SKIP = re.compile(r"(?:skip(?: it| this)?|omitir|saltar|ninguno|ninguna|none|n/?a|-+|)")
_LEAD = re.compile(
    r"^(?:(?:sorry|wait|oops|perdon|espera|ups|ah|oh|hmm?)[,.! ]+)*"
    r"(?:(?:no|nope)(?:[,.;:!]+ ?|(?= (?:it|that|this|the|not|i|it's|es|era|el|la|lo|los|no|me"
    r"|son|fue)\b) )"
    r"|(?:actually|correction|rather|i meant?|i mean|i was wrong|my mistake|en realidad"
    r"|correccion|quise decir|queria decir|me referia al?|me refiero al?|mejor dicho"
    r"|me equivoque|mas bien)\b[:,. ]*)+"
)
_AGAIN = re.compile(
    r"^(?:i meant?|i mean|actually|quise decir|queria decir|me referia al?|me refiero al?)\b[:,. ]*"
)
_SET = (
    r"(?:change|set|make|put|correct|edit|update|cambia\w*|cambie\w*|pon\w*|corrig\w*|modific\w*"
    r"|edita\w*|actualiza\w*)"
)
_VALUE = r"(?: ?[:=]| is| was| to| should be| as| es| era| a| por| como| en| deberia ser| seria)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The form after a message, and whether the message was understood as anything."""

    form: Form
    is_understood: bool = True


def move(form: Form, text: str, pressed: Mapping[str, str]) -> Move:
    """Return what `text`, or a `pressed` button's `field` and `value`, makes of `form`."""
    was_choosing, form = form.is_choosing, form.choosing(False)
    if pressed:
        return _pressed(form, pressed)
    said = plain(text)
    bare = _bare(said)
    if steps_back(text):
        return Move(form=form.back())
    if named := _named_change(form, text, said):
        return named
    if was_choosing and (chosen := _chosen(form, bare)):
        return Move(form=form.reopened(chosen.name))
    field = form.open_field
    if field is not None and field.kind == "choice" and _NO.fullmatch(bare):
        # "No, thanks" may be the answer itself, rather than the beginning of a correction.
        value = field.read("no")
        if value is not None:
            return Move(form=form.filled(field.name, value))
    lead = _LEAD.match(said)
    if lead is not None and form.values:
        return _correction(form, _rest(text, lead))
    if field is None:
        return _at_the_end(form, text, bare)
    if skips(form, text):
        return Move(form=form.filled(field.name, SKIPPED))
    value = field.read(text)
    if value is None and field.kind == "urgency":
        # Whatever was said, it was not alarming; the summary shows it before anything is sent.
        value = "normal"
    if value is None:
        return Move(form=form, is_understood=False)
    return Move(form=form.filled(field.name, value))


def steps_back(text: str) -> bool:
    """Say whether `text` asks for the question before."""
    return _BACK.fullmatch(_bare(plain(text))) is not None


def skips(form: Form, text: str) -> bool:
    """Say whether `text` passes over the field that is asked for, which need not be filled."""
    field = form.open_field
    if field is None or field.required or not text.strip():
        return False
    return _SKIP.fullmatch(_bare(plain(text))) is not None


def answers(field: Field | None, text: str) -> bool:
    """Say whether `text` is plainly an answer to `field`, rather than a question of its own."""
    if field is None:
        return _SEND.fullmatch(_bare(plain(text))) is not None
    if field.kind in PLAIN_KINDS:
        return field.read(text) is not None and not is_question(text)
    return not is_question(text)


def _chosen(form: Form, bare: str) -> Field | None:
    """Return the field that `bare` names when it was asked which one to change."""
    if len(bare.split()) > _SHORT:
        return None
    named = [field for field in form.fields if re.search(rf"\b{called(field)}\b", bare)]
    return named[0] if len(named) == 1 else None


def _pressed(form: Form, pressed: Mapping[str, str]) -> Move:
    name, value = pressed.get("field"), pressed.get("value", "")
    names = {one.name: one for one in form.fields}
    if name == CONFIRM and value == "send" and form.open_field is None:
        return Move(form=form.sent())
    if name == CONFIRM and value == "change":
        return Move(form=form.choosing())
    if name == CHANGE and value in names:
        return Move(form=form.reopened(value))
    if name in names and (value or not names[name].required):
        kind, choices = names[name].kind, dict(names[name].choices)
        if (kind == "urgency" and value not in URGENCIES) or (
            kind == "choice" and value and value not in choices
        ):
            return Move(form=form, is_understood=False)
        return Move(form=form.filled(name, value))
    return Move(form=form, is_understood=False)


def _named_change(form: Form, text: str, said: str) -> Move | None:
    """Read "change the urgency to high", "the urgency is high" and "urgency: high"."""
    for field in form.fields:
        if field.name not in form.values:
            continue
        name = rf"(?:the |my |la |el |los |las |mi )?{called(field)}"
        told = re.search(rf"\b{_SET} {name}\b(?P<sets>{_VALUE}\b)? ?", said) or re.match(
            rf"(?:(?:no|sorry|perdon)[,. ]+)?{name}(?P<sets>{_VALUE}) ", said
        )
        if told is None:
            continue
        value = field.read(_rest(text, told)) if told.group("sets") else None
        if field.kind == "text" and value is None and not said[told.end() :].strip():
            return Move(form=form.reopened(field.name))
        if value is not None:
            return Move(form=form.filled(field.name, value))
        if told.re.pattern.startswith(rf"\b{_SET}"):
            return Move(form=form.reopened(field.name))
    if re.fullmatch(rf"(?:please |por favor )?{_SET}(?: it| something| that| algo| eso)?", said):
        return Move(form=form.choosing())
    return None


def _correction(form: Form, words: str) -> Move:
    """Put `words`, said as a correction, where their kind belongs."""
    if again := _AGAIN.match(plain(words)):
        words = _rest(words, again)
    if not words.strip():
        return Move(form=form.choosing(form.open_field is None))
    open_field = form.open_field
    if open_field is not None and open_field.kind != "text":
        fits = names_a_time(words) if open_field.kind == "time" else open_field.read(words)
        if fits:
            return Move(form=form.filled(open_field.name, open_field.read(words) or words))
    if (changed := _by_kind(form, words)) is not None:
        return Move(form=changed)
    return Move(form=form.corrected(words))


def _by_kind(form: Form, words: str) -> Form | None:
    """Return the form with `words` in the filled field of their kind, or None."""
    for field in form.fields:
        if field.name not in form.values or field.kind == "text":
            continue
        if field.kind == "time" and names_a_time(words):
            return form.filled(field.name, words)
        if field.kind == "choice" and (value := field.read(words)):
            return form.filled(field.name, value)
        if field.kind == "urgency" and len(words.split()) <= _SHORT:
            urgency = read_urgency(words)
            if urgency is not None and not names_a_time(words):
                return form.filled(field.name, urgency)
    return None


def _at_the_end(form: Form, text: str, bare: str) -> Move:
    """Read what is said under the summary."""
    if _SEND.fullmatch(bare):
        return Move(form=form.sent())
    if _NO.fullmatch(bare):
        return Move(form=form.choosing())
    if len(bare.split()) <= _SHORT and (changed := _by_kind(form, text)) is not None:
        return Move(form=changed)
    return Move(form=form.adding(text.strip()))


def _bare(said: str) -> str:
    return said.strip(" .!,;¡¿?")


def _rest(text: str, lead: re.Match[str]) -> str:
    """Return what follows `lead`, matched on folded text, as it was written."""
    # Folding keeps words: those of the lead are counted.
    words = " ".join(text.split()).split(" ")
    consumed = lead.string[: lead.end()]
    count = len(consumed.split())
    if consumed and not consumed[-1].isspace() and lead.end() < len(lead.string):
        glued = lead.string[lead.end()]
        count -= not glued.isspace()
    return " ".join(words[count:])
