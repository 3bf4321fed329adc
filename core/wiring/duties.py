"""What the desk does by itself: about each change of a ticket, and by the clock.

The order of reactors is the order in which they see a change: first what sorts a ticket, then
what counts its time and finds somebody for it, last what tells others about it.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.runtime.upkeep import Duty
from core.services.organisations import OrganisationOfTickets
from core.services.reactions import Reactor
from core.wiring.parts import Parts


def reactors_of(_: Parts) -> Sequence[Reactor]:
    """Return what reacts to changes of tickets, in order."""
    return (OrganisationOfTickets(),)


def duties_of(parts: Parts) -> Sequence[Duty]:
    """Return what is looked at once a second."""
    return (parts.tickets.close_solved,)
