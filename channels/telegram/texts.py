"""What the desk itself says on Telegram, in each of its languages."""

from core.texts import Catalogue

text = Catalogue("channels.telegram").text
