"""What the pages about satisfaction call things; English, the keys of the catalogue."""

from __future__ import annotations

SCORE = ("Very bad", "Bad", "So-so", "Good", "Very good")
"""The scores from 1 to 5."""

SAID = (
    "a person is asked again within a year",
    "there is no such survey",
    "a score is a whole number from 1 to 5",
    "a comment has 2000 characters at most",
    "a low score is between 1 and 5",
    "between solving and asking there are 7 days at most",
    "a survey lasts 90 days at most",
    "the reminder comes before the survey ends",
    "a number of hours or days is missing",
)
"""What errors about surveys say for themselves."""
