"""What the desk knows: articles, and the search that finds the one that answers a question."""

from core.services.knowledge.knowledge import Knowledge

__all__ = ["Knowledge"]
