"""A Slack on loopback: Web API, Socket Mode, signed Events API deliveries, files."""

from channels.simulator.slack.platform import SlackPlatform
from channels.simulator.slack.workspace import Message, News, Person

__all__ = ["Message", "News", "Person", "SlackPlatform"]
