"""What mail of the desk says besides its message, in each of its languages."""

from core.texts import Catalogue

GREETING = "Hello,"
IF_IT_DOES_NOT_HELP = (
    "This is an automatic answer. If it does not help, reply to this mail, "
    "and a person will read it."
)
CHOOSE = "Reply with the number that fits:"
CHOOSE_OR_CLICK = (
    "Choose one and confirm it on the page that opens, or reply with the number that fits:"
)
YOUR_MESSAGE = "Your message"
WROTE = "You wrote:"

text = Catalogue("channels.email").text
