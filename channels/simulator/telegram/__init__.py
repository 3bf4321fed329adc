"""A platform that speaks Telegram's Bot API on loopback."""

from channels.simulator.telegram.people import Group, Person
from channels.simulator.telegram.platform import TelegramPlatform
from channels.simulator.telegram.world import Posted

__all__ = ["Group", "Person", "Posted", "TelegramPlatform"]
