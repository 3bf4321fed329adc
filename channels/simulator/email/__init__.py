"""A mail server of other people on loopback: takes the desk's mail, and hands mail in."""

from channels.simulator.email.letters import Person, Written, write
from channels.simulator.email.platform import MailPlatform
from channels.simulator.email.server import Taken

__all__ = ["MailPlatform", "Person", "Taken", "Written", "write"]
