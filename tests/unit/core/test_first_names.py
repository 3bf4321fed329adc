"""Names as people and directories write them, and what each is called by."""

from __future__ import annotations

import pytest

from core.domain.first_names import first_name


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Carmen Ibáñez", "Carmen"),
        ("Dr. Pablo Seco", "Pablo"),
        ("Sra. Dra. Ana María Gil", "Ana"),
        ("Prof. Ada Lovelace", "Ada"),
        ("Ibáñez Soler, Carmen", "Carmen"),
        ("Dr. Seco", "Dr. Seco"),
        ("Ada", "Ada"),
        ("Ada,", "Ada"),
        ("  ", ""),
        ("Dr.", "Dr."),
        ("Pablo Seco, MD", "Pablo"),
        ("Pablo Seco, PhD", "Pablo"),
        ("Pablo Seco, Ph.D., MBA", "Pablo"),
        ("Pablo Seco, CISSP", "Pablo"),
        ("Smith, Jr.", "Smith"),
        ("John Smith, Jr.", "John"),
        ("Smith Jr., John", "John"),
        ("John Smith Sr.", "John"),
        ("Ana, Dra.", "Ana"),
        ("Ana Gil, IT Support", "Ana"),
        ("ACME, S.L.", "ACME"),
        ("ACME, Inc.", "ACME"),
        ("ACME S.A.", "ACME"),
        ("Seco, Dr. Pablo", "Pablo"),
        ("Seco, Pablo, MD", "Pablo"),
        ("Dr. Seco, Pablo", "Pablo"),
        ("Seco, P. Luis", "Luis"),
        ("Seco, P.", "Seco"),
        ("IBÁÑEZ SOLER, CARMEN", "CARMEN"),
        ("de la Fuente y Soler, Carmen", "Carmen"),
        ("John Paul Smith, carpenter", "John"),
        (", Ada", "Ada"),
        ("Don R. Miller", "Don"),
        ("Don Miller", "Don"),
        ("Don Pablo Seco", "Pablo"),
        ("D. Pablo Seco", "Pablo"),
        ("Da. Ana Gil", "Ana"),
        ("Dª Ana Gil", "Ana"),
        ("Da Eun Kim", "Da"),
        ("J. Robert Miller", "Robert"),
        ("J. Miller", "J. Miller"),
        ("Dr. J. Miller", "Dr. J. Miller"),
        ("J. R.", "J. R."),
        ("李 明", "李"),
    ],
)
def test_a_person_is_called_by_the_first_name_without_titles(name: str, called: str) -> None:
    assert first_name(name) == called
