"""What the desk says on Slack beside its messages, in each of its languages."""

from core.texts import Catalogue

text = Catalogue("channels.slack").text
