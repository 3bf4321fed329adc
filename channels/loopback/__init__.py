"""The loopback channel: a platform in memory, for demonstrations, scenarios and faults."""

from channels.loopback.channel import Loopback

__all__ = ["Loopback"]
