"""What is understood of a letter, without Rasa."""

from __future__ import annotations

import json

import pytest

from inputs.letters import without_courtesies
from inputs.turn import parse_turn


@pytest.mark.parametrize(
    ("letter", "said"),
    [
        ("VPN\nHello,\n\nit is slow.\n\nKind regards\nAna Ruiz\nSales", "VPN\nit is slow."),
        ("Dear support team,\n\nI lost it.\n\nThank you very much,\nAna", "I lost it."),
        ("Buenos días:\n\nNo funciona.\n\nUn saludo,\nAna", "No funciona."),
        ("I forgot my password\nHi,\nplease help.", "I forgot my password"),
        ("Hola, ¿cómo conecto la VPN?", "Hola, ¿cómo conecto la VPN?"),
        ("Hello", "Hello"),
        ("Thanks!", "Thanks!"),
        ("", ""),
        ("Hi, the printer in room four is broken", "Hi, the printer in room four is broken"),
        (
            "It broke.\nThanks to the update of last night.\nWhy?",
            "It broke.\nThanks to the update of last night.\nWhy?",
        ),
    ],
)
def test_courtesies_are_not_looked_at(letter: str, said: str) -> None:
    assert without_courtesies(letter) == said


@pytest.mark.parametrize(("by_letter", "said"), [(True, "vpn"), (False, "Hello,\nvpn")])
def test_only_letters_are_read_so(by_letter: bool, said: str) -> None:
    body = {
        **{"turn_id": "t", "sender_id": "c:0", "text": "Hello,\nvpn", "language": "en"},
        "context": {"by_letter": by_letter},
    }
    turn = parse_turn(json.dumps(body).encode(), intents=[])
    assert (turn.text, turn.spoken) == (said, said)
