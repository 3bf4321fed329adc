"""What the desk knows: articles, and the search that finds the one that answers a question."""

from core.services.knowledge.knowledge import Knowledge
from core.services.knowledge.synonyms import SynonymBook

__all__ = ["Knowledge", "SynonymBook"]
