"""What a message makes of a form; no model, no server."""

from __future__ import annotations

import pytest

from actions.form.fields import Field
from actions.form.moves import move
from actions.form.state import Form
from actions.form.steps import FORM_ANSWER
from inputs.meaning import meant_in


def told(kind: str, *messages: str) -> Form:
    """Return a form of `kind` after `messages`; one between brackets is a button's field=value."""
    form = Form.begun(kind)
    for message in messages:
        pressed = {}
        if message.startswith("["):
            field, _, value = message.strip("[]").partition("=")
            pressed = {"field": field, "value": value}
        form = move(Form.from_slot(form.slot()) or form, message, pressed).form
    return form


LAPTOP = ("incident", "my laptop does not start")
PORTATIL = ("incident", "mi portátil no arranca")


@pytest.mark.parametrize(
    ("before", "correction"),
    [
        (LAPTOP, "no, it is the other laptop"),
        (LAPTOP, "No it's the other laptop"),
        (LAPTOP, "I meant the one in room 3"),
        (LAPTOP, "sorry, actually the screen stays black"),
        (PORTATIL, "no, es el otro portátil"),
        (PORTATIL, "quise decir el de la sala 3"),
        (PORTATIL, "perdón, me refería al de Ana"),
        (PORTATIL, "en realidad es la pantalla"),
    ],
)
def test_a_correction_is_kept_beside_what_was_told(
    before: tuple[str, str], correction: str
) -> None:
    form = told(*before, "[urgency=low]", correction)
    assert form.values["what"] == before[1]
    assert len(form.corrections) == 1
    assert form.description.startswith(before[1]) and form.corrections[0] in form.subject
    assert "since" not in form.values


@pytest.mark.parametrize(
    ("before", "correction", "since"),
    [
        (LAPTOP, "I meant since Monday", "since Monday"),
        (LAPTOP, "no, it was 3 days ago", "it was 3 days ago"),
        (LAPTOP, "change since to last week", "last week"),
        (PORTATIL, "quise decir desde el martes", "desde el martes"),
        (PORTATIL, "no, fue ayer", "fue ayer"),
        (PORTATIL, "cambia la fecha a ayer", "ayer"),
    ],
)
def test_a_correction_of_the_time_replaces_it(
    before: tuple[str, str], correction: str, since: str
) -> None:
    form = told(*before, "[urgency=low]", "12/10", correction)
    assert form.values["since"] == since and form.corrections == ()


@pytest.mark.parametrize(
    ("before", "correction"),
    [
        (LAPTOP, "change the urgency to high"),
        (LAPTOP, "the urgency is high"),
        (LAPTOP, "urgency: high"),
        (LAPTOP, "no, high"),
        (LAPTOP, "set priority to high please"),
        (PORTATIL, "cambia la urgencia a alta"),
        (PORTATIL, "la urgencia es alta"),
        (PORTATIL, "pon la prioridad en alta"),
        (PORTATIL, "no, alta"),
    ],
)
def test_the_urgency_is_changed_in_words(before: tuple[str, str], correction: str) -> None:
    form = told(*before, "[urgency=low]", correction)
    assert form.values["urgency"] == "high" and form.corrections == ()
    assert "since" not in form.values
    at_the_end = told(*before, "[urgency=low]", "x2", correction)
    assert at_the_end.values["urgency"] == "high" and not at_the_end.is_sent


@pytest.mark.parametrize("words", ["go back", "back", "Atrás", "volver", "previous question"])
def test_a_step_back_asks_the_last_field_again(words: str) -> None:
    form = told(*LAPTOP, "high", words)
    assert form.open_field is not None and form.open_field.name == "urgency"
    assert form.values == {"what": LAPTOP[1]}


def test_a_step_back_at_the_beginning_changes_nothing() -> None:
    assert told("incident", "go back") == Form.begun("incident")


@pytest.mark.parametrize("words", ["yes", "Send it", "ok, send it", "sí", "Envíalo", "vale", "👍"])
def test_nothing_is_sent_before_the_requester_has_said_so(words: str) -> None:
    form = told(*LAPTOP, "high", "yesterday")
    assert form.open_field is None and not form.is_sent
    assert move(form, words, {}).form.is_sent


@pytest.mark.parametrize("words", ["send it", "envíalo", "go ahead"])
def test_a_known_way_to_send_counts_more_than_a_guess_that_it_is_left(words: str) -> None:
    form = told(*LAPTOP, "high", "yesterday")
    assert meant_in(form, "cancel", words) == FORM_ANSWER
    assert meant_in(form, "cancel", "forget it") == "cancel"


def test_no_under_the_summary_asks_what_to_change() -> None:
    form = told(*LAPTOP, "high", "yesterday", "no")
    assert form.is_choosing and not form.is_sent
    assert move(form, "the urgency", {}).form.open_field == Form.begun("incident").fields[1]
    assert told(*LAPTOP, "high", "yesterday", "[confirm=change]", "[change=since]").values == {
        "what": LAPTOP[1],
        "urgency": "high",
    }


def test_what_is_said_under_the_summary_is_added() -> None:
    form = told(*LAPTOP, "high", "yesterday", "also it beeps three times when I press the button")
    assert "beeps" in form.description and "beeps" not in form.subject and not form.is_sent


def test_a_button_pressed_late_sets_its_own_field() -> None:
    form = told(*LAPTOP, "low", "[urgency=urgent]")
    assert form.values["urgency"] == "urgent" and "since" not in form.values
    assert told(*LAPTOP, "low", "[confirm=send]").is_sent is False


def test_a_button_with_a_value_nobody_offered_changes_nothing() -> None:
    form = told(*LAPTOP)
    for pressed in (
        {"field": "urgency", "value": "now!"},
        {"field": "x", "value": "y"},
        {"a": "b"},
    ):
        made = move(form, "", pressed)
        assert made.form == form and not made.is_understood


def test_answers_that_only_resemble_corrections_are_answers() -> None:
    assert told(*LAPTOP, "low", "no idea").values["since"] == "no idea"
    assert told("incident", "no, it does not start").values["what"] == "no, it does not start"


def test_a_choice_is_read_by_name_and_by_number() -> None:
    size = Field(name="size", kind="choice", label="Size", choices=(("s", "Small"), ("l", "Large")))
    note = Field(name="note", label="Note", required=False)
    form = Form(kind="request", item="desk", title="Standing desk", fields=(size, note))
    assert move(form, "a large one please", {}).form.values == {"size": "l"}
    assert move(form, "2", {}).form.values == {"size": "l"}
    assert not move(form, "purple", {}).is_understood
    chosen = move(form, "small", {}).form
    assert move(chosen, "skip", {}).form.open_field is None
    assert move(chosen, "no, large", {}).form.values == {"size": "l"}
    assert move(chosen, "change the size to large", {}).form.values == {"size": "l"}


def test_a_long_subject_is_cut_at_a_word() -> None:
    subject = told("incident", "word " * 60).subject
    assert len(subject) <= 80 and subject.endswith("word…")


@pytest.mark.parametrize("said", ["no", "No, thanks.", "no, gracias"])
def test_a_no_is_the_answer_where_it_is_one_of_the_choices(said: str) -> None:
    field = Field(name="bag", kind="choice", choices=(("yes", "Sí"), ("no", "No")))
    form = Form(kind="request", item="laptop", fields=(Field(name="why"), field))
    made = move(form.filled("why", "it is slow"), said, {}).form
    assert made.values["bag"] == "no"
