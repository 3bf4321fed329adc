"""What Rasa's own tools say of the project: `rasa data validate` and `rasa test core`."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from assistant_process import BOT

from training import said_intents

if TYPE_CHECKING:
    from inputs.processor import DeskAgent

STORIES = sorted((BOT / "tests" / "stories").glob("test_stories_*.yml"))
RULES = yaml.safe_load((BOT / "rules" / "rules.yml").read_text())["rules"]


def test_rasa_finds_nothing_wrong_with_the_project() -> None:
    from rasa.shared.importers.importer import TrainingDataImporter
    from rasa.validator import Validator

    importer = TrainingDataImporter.load_from_config(
        str(BOT.parent / "config.yml"),
        str(BOT / "domain"),
        [str(BOT.parent / "nlu_data" / "nlu"), str(BOT / "rules")],
    )
    validator = Validator.from_importer(importer)
    # A warning would be an error here. What actions say and buttons mean, Rasa cannot see;
    # tests/test_project.py looks after both.
    assert validator.verify_domain_validity()
    assert validator.verify_example_repetition_in_intents(ignore_warnings=False)
    assert validator.verify_actions_in_stories_rules()
    assert validator.verify_forms_in_stories_rules()
    assert validator.verify_form_slots()
    assert validator.verify_slot_mappings()
    assert validator.verify_story_structure(ignore_warnings=False)


def test_rasas_own_command_warns_of_nothing_but_what_it_cannot_see() -> None:
    from rasa.cli.utils import validate_files
    from rasa.shared.importers.importer import TrainingDataImporter

    importer = TrainingDataImporter.load_from_config(
        str(BOT.parent / "config.yml"),
        str(BOT / "domain"),
        [str(BOT.parent / "nlu_data" / "nlu"), str(BOT / "rules")],
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Ends the process where it finds an error.
        validate_files(fail_on_warnings=False, max_history=None, importer=importer)
    # What actions say and what buttons and DeskInput mean is in no story and has no examples.
    intents = set(importer.get_domain().intents)
    unsaid = [f"The intent '{name}' is listed" for name in intents - set(said_intents())]
    expected = (
        *unsaid,
        "Slot auto-fill has been removed",  # said of every project
    )
    told = {str(warning.message) for warning in caught if warning.category is UserWarning}
    used = {one for one in told if "is not used in any story or rule" not in one}
    assert {one for one in used if not one.startswith(expected)} == set()


@pytest.mark.parametrize("stories", STORIES, ids=lambda path: path.stem)
def test_every_story_goes_as_it_is_written(
    loaded: DeskAgent, stories: Path, tmp_path: Path
) -> None:
    from rasa.core.test import test as play

    report = asyncio.run(
        play(str(stories), loaded, out_directory=str(tmp_path), e2e=True, disable_plotting=True)
    )
    failed = (tmp_path / "failed_test_stories.yml").read_text()
    assert report["report"]["conversation_accuracy"]["accuracy"] == 1.0, failed


@pytest.mark.parametrize("stories", STORIES, ids=lambda path: path.stem)
def test_there_is_a_story_for_every_rule_in_each_language(stories: Path) -> None:
    told = [story["steps"] for story in yaml.safe_load(stories.read_text())["stories"]]
    inside = {step["intent"] for steps in told for step in steps[3:] if "intent" in step}
    begun = {steps[0]["intent"] for steps in told}
    for rule in RULES:
        intents = {step["intent"] for step in rule["steps"] if "intent" in step}
        in_form = rule.get("condition") == [{"active_loop": "ticket_form"}]
        assert intents <= (inside if in_form else begun), rule["rule"]
