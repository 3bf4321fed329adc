"""What the desk does by itself about every change of a ticket."""

from core.services.reactions.reactions import Reactions
from core.services.reactions.reactor import Reactor, TicketChange

__all__ = ["Reactions", "Reactor", "TicketChange"]
