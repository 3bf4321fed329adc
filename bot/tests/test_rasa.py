"""What Rasa's own tools say of the project: `rasa data validate` and `rasa test core`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from assistant_process import BOT

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
