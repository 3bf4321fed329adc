"""The web chat: a page and a widget in which people talk to the desk without any platform."""
